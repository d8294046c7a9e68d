/** What keeps addresses from working, as `status` and `doctor network` say it. */
import { dashboardRoutes } from '@kalnet/contracts/dashboard'
import type { WayInProblem } from '@kalnet/contracts/gateway'
import type { Api } from './api.ts'

export const wayInLine = ({ part, gateway, address, problem }: WayInProblem): string =>
  [
    part === 'names' ? '! names' : `! gateway${gateway === null ? '' : ` ${gateway}`}`,
    ...(address === null ? [] : [address]),
    problem,
  ].join(': ')

/** None where it cannot be asked: whether Kalnet runs is said without it. */
export const wayInProblems = async (api: Api): Promise<readonly WayInProblem[]> => {
  const status = await api.call(dashboardRoutes.status, { timeoutMs: 5_000 }).catch(() => null)
  return status?.wayIn ?? []
}
