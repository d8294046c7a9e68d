/** What instances use at this moment, as lines for people; what is not known says why. */
import type { ServiceInstance } from '@kalnet/contracts/service'
import type { Session } from '@kalnet/contracts/session'
import { type InstanceUse, useRoutes } from '@kalnet/contracts/use'
import type { Context } from '../context.ts'
import { ago, size } from '../output.ts'

const UNKNOWN: Record<Extract<InstanceUse['now'], { known: false }>['because'], string> = {
  idle: 'it has not begun, or has just ended',
  offline: 'its machine is not connected',
  older: 'its machine has an older release, which cannot tell',
  unmeasured: 'it was not measured',
}
const RUNS: ReadonlySet<Session['state'] | ServiceInstance['state']> = new Set([
  ...(['running', 'hibernating', 'stopping', 'finishing', 'unreachable'] as const),
])

/** Null: there is nothing that could use anything, and nobody was asked. */
export const useOfSession = async ({ api }: Context, { id, state }: Session): Promise<InstanceUse | null> =>
  RUNS.has(state) ? api.call(useRoutes.session, { params: { id } }) : null

export async function usesOfService(
  { api }: Context,
  id: string,
  instances: readonly ServiceInstance[],
): Promise<InstanceUse[]> {
  if (!instances.some((it) => RUNS.has(it.state))) return []
  return (await api.call(useRoutes.service, { params: { id } })).items
}

export function useWords({ now, most }: InstanceUse, at: Date): string {
  if (!now.known) return `not known: ${now.why ?? UNKNOWN[now.because]}`
  const of = (text: string) => (most ? ` of ${text}` : '')
  const cpus = `${now.cpus.toFixed(2)}${of(String(most?.cpus))} processors`
  const memory = `${size(now.memoryBytes)}${of(size(most?.memoryBytes ?? 0))} of memory`
  return `${cpus}, ${memory}, measured ${ago(new Date(now.at), at)} ago`
}
