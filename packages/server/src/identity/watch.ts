/** Whatever a sign-in holds open ends with it: at once by the event, and within 2 s when the event or its reader failed. */
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Events } from '../core/events.ts'
import type { Identity } from './identity.ts'

const SWEEP_MS = 2_000
const TIDY_EVERY = 1_800

export interface WatchOptions {
  identity: Pick<Identity, 'ended' | 'tidy'>
  events: Events
  clock: Clock
  log: Log
  /** Sign-ins that hold something open. */
  connected(): string[]
  /** Cut all of it, now. */
  cut(signInId: string): void
  signal: AbortSignal
}

export function watchSignIns({ identity, events, clock, log, connected, cut, signal }: WatchOptions): void {
  const failed = (error: unknown) => {
    if (!signal.aborted)
      log.warn(
        { problem: error instanceof Error ? error.message : String(error) },
        'cannot look after sign-ins now',
      )
  }
  const follow = async () => {
    for await (const heard of events.subscribe({ types: ['sign-in.ended'], after: null, signal }))
      if (heard.kind === 'event' && 'signInId' in heard.event.data) cut(heard.event.data.signInId)
  }
  const sweep = async () => {
    for (let round = 0; !signal.aborted; round++) {
      try {
        for (const id of await identity.ended(connected())) cut(id)
        if (round % TIDY_EVERY === 0) await identity.tidy()
      } catch (error) {
        failed(error)
      }
      await clock.sleep(SWEEP_MS, signal)
    }
  }
  follow().catch(failed)
  sweep().catch(failed)
}
