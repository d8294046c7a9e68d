/** What a controller saw of an instance, told as the life of its session. Pure. */
import type { ObservedInstance } from '@kalnet/contracts/instance'
import { next } from '@kalnet/contracts/machine'
import { SESSION_TABLE, type SessionEvent, type SessionState } from '@kalnet/contracts/session'

export interface Following {
  state: SessionState
  reason: string | null
  /** Those that are known now; null says nothing. */
  stages: Record<'placed' | 'created' | 'displayReady', Date | null>
}

/** Seen state → the event it is for a session. `lost`: the controller cannot find what it had started. */
const EVENT: Partial<Record<ObservedInstance['state'], SessionEvent>> = {
  running: 'ready',
  stopped: 'ended',
  failed: 'broke',
  lost: 'broke',
}

const ENDED_BY_ITSELF = 'Its program ended.'
const LOST = 'Its machine cannot tell what became of it.'

/**
 * `placedAt`: when we first heard of it, on our own clock. The controller's clock may differ, so its times count
 * only by their distance from its own first one.
 */
export function followInstance(
  state: SessionState,
  placedAt: Date | null,
  observed: ObservedInstance,
  now: Date,
): Following {
  const placed = placedAt ?? now
  const received = observed.times.received ? Date.parse(observed.times.received) : null
  const since = (time: string | undefined): Date | null =>
    time && received !== null
      ? new Date(Math.min(placed.getTime() + Math.max(0, Date.parse(time) - received), now.getTime()))
      : null
  const stages = {
    placed: placedAt ? null : now,
    created: since(observed.times.created),
    displayReady: since(observed.times.ready),
  }

  let to = state
  for (const event of ['placed', EVENT[observed.state]] as const) {
    if (event) to = next(SESSION_TABLE, to, event) ?? to
  }
  const broken =
    to === 'failed' ||
    (to === 'hibernated' && state === 'waking') ||
    (to === 'stopped' && observed.reason !== null && state !== 'stopping')
  return {
    state: to,
    reason: broken ? (observed.reason ?? (observed.state === 'lost' ? LOST : ENDED_BY_ITSELF)) : null,
    stages,
  }
}
