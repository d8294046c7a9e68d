/** What keeps the way in from working, in words for people: doors that are shut, ports that are held, names that are not answered. Pure. */
import type { GatewayRoute, WayInProblem } from '@kalnet/contracts/gateway'
import type { Problem } from './engine/interface.ts'
import type { JoinedProblem } from './joined/known.ts'
import { matchWords } from './register.ts'

export interface WayIn {
  /** Of the household that is told. */
  routes: readonly Pick<GatewayRoute, 'id' | 'match'>[]
  /** Why the gateway in this process is shut; null: it is not. */
  shut: string | null
  /** Of its routes, those of other households too. */
  own: readonly Problem[]
  /** Of the household's own gateways. */
  joined: readonly JoinedProblem[]
  names: readonly string[]
}

export function wayInProblems({ routes, shut, own, joined, names }: WayIn): WayInProblem[] {
  const byId = new Map(routes.map((it) => [it.id, it]))
  const about = (routeId: string | null) => {
    const route = routeId === null ? undefined : byId.get(routeId)
    return { routeId: route?.id ?? null, address: route ? matchWords(route.match) : null }
  }
  return [
    ...(shut === null ? [] : [{ part: 'gateway' as const, gateway: null, ...about(null), problem: shut }]),
    ...own
      .filter(({ routeId }) => byId.has(routeId))
      .map(({ routeId, problem }) => ({
        part: 'gateway' as const,
        gateway: null,
        ...about(routeId),
        problem,
      })),
    ...joined.map(({ gateway, routeId, problem }) => ({
      part: 'gateway' as const,
      gateway,
      ...about(routeId),
      problem,
    })),
    ...names.map((problem) => ({ part: 'names' as const, gateway: null, ...about(null), problem })),
  ]
}
