/** One instance of a service as rules look at it: what is wanted, what was seen, since when. Pure. */
import type { ObservedInstance, PlatformName } from '@kalnet/contracts/instance'
import type { ServiceInstance } from '@kalnet/contracts/service'

export interface Member {
  id: string
  part: string
  number: number
  release: number
  generation: number
  desired: 'running' | 'stopped'
  observed: ObservedInstance | null
  platform: PlatformName
  controllerId: string
  controllerName: string
  /** Its controller is connected. */
  online: boolean
  /** When its controller was last heard of. */
  seenAt: Date | null
  restarts: number
  nextStartAt: Date | null
  startedAt: Date | null
  unhealthyAt: Date | null
  /** When a gateway last said that something is open there, though it gets nothing new. */
  busyAt: Date | null
}

/** It came to an end that was seen; what it had is taken away or settled. */
export const isEnded = ({ observed }: Member): boolean =>
  observed?.state === 'stopped' || observed?.state === 'failed'

export const isReachable = (it: Member): boolean => it.online && it.observed?.state !== 'lost'

/** It runs, and its probe, where it has one, says yes. */
export const isGood = (it: Member, hasProbe: boolean): boolean =>
  it.desired === 'running' &&
  isReachable(it) &&
  it.observed?.state === 'running' &&
  (hasProbe ? it.observed.health?.state === 'healthy' : true)

/** What people are told of one instance; `live`: the release that has the traffic. */
export function instanceState(it: Member, live: number | null = null): ServiceInstance['state'] {
  const { observed, desired } = it
  if (desired === 'stopped') {
    if (!observed) return it.generation === 1 ? 'waiting' : 'stopped'
    if (isEnded(it)) return 'stopped'
    return isReachable(it) ? 'stopping' : 'unreachable'
  }
  if (observed?.state === 'failed') return 'failed'
  if (observed?.state === 'stopped') return 'stopped'
  if (!isReachable(it)) return 'unreachable'
  if (!observed) return 'waiting'
  if (observed.state === 'running') return live !== null && it.release < live ? 'finishing' : 'running'
  return observed.state === 'stopping' ? 'stopping' : 'starting'
}
