/** What an entry of the journal says to others: an instance that runs, or a runtime that nobody asked for. */
import type { Health } from '@kalnet/contracts/health'
import type { InstanceSpec, ObservedInstance } from '@kalnet/contracts/instance'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Entry } from './journal.ts'
import type { Handle, Platform } from './platforms/platform.ts'

/** An instance whose program was started and has not ended, as far as is known. */
export interface Running {
  id: string
  generation: number
  organisationId: string
  spec: InstanceSpec
  platform: Platform
  handle: Handle
  /** `creating`: its program was started, and it is not ready yet. */
  state: ObservedInstance['state']
  /** Milliseconds since the epoch. */
  createdAt: number
  health: Health | undefined
}

export function runningOf(entry: Entry, platform: Platform | undefined, clock: Clock): Running | null {
  const { id, generation, handle, desired, observed } = entry
  if (!handle || !platform || entry.phase !== 'created' || desired?.state !== 'running') return null
  const { organisationId, spec } = desired
  const createdAt = Date.parse(observed.times.created ?? '') || clock.now().getTime()
  return {
    ...{ id, generation, organisationId, spec, platform, handle },
    ...{ createdAt, state: observed.state, health: observed.health },
  }
}

/** Found on a platform, never desired here. */
export const orphan = (handle: Handle): Entry => ({
  id: handle.instanceId,
  generation: handle.generation,
  desired: null,
  phase: 'forgotten',
  handle,
  leftovers: [],
  observed: {
    id: handle.instanceId,
    generation: handle.generation,
    platform: handle.platform,
    state: 'stopping',
    times: {},
    progress: null,
    reason: null,
    logTail: [],
  },
})

/**
 * A runtime that an instance has no more use for: of an older generation, or of its own where making that failed in the end and what was
 * begun could not be taken away then.
 */
export function isLeft(
  handle: Handle,
  { generation, desired, phase, leftovers, handle: its }: Entry,
): boolean {
  const isOlder = handle.generation < generation
  const isFailed = handle.generation === generation && phase === 'settled' && !its
  const isKnown = leftovers.some((it) => it.generation === handle.generation)
  return desired !== null && (isOlder || isFailed) && !isKnown
}

/** All that the platforms have; one that does not answer has nothing to say now. */
export async function handlesOf(platforms: Platform[], log: Log): Promise<Handle[]> {
  const lists = await Promise.allSettled(platforms.map((it) => it.list()))
  for (const list of lists)
    if (list.status === 'rejected') log.warn({ error: list.reason }, 'a platform could not say what it has')
  return lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []))
}
