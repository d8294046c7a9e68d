/** What grows and is not needed for ever goes, now and then: old events, kept answers. Several replicas may do it at once. */
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Events } from './events.ts'
import { statements } from './idempotency.store.ts'
import { KEPT_MS } from './idempotency.ts'
import type { Store } from './store.ts'

/** A browser that was away longer reads everything anew. */
const EVENTS_MS = 7 * 24 * 3600_000
const EVERY_MS = 3600_000

export function keepHouse(options: {
  store: Store
  events: Events
  clock: Clock
  log: Log
  signal: AbortSignal
}): void {
  const { store, events, clock, log, signal } = options
  const once = async () => {
    await events.prune(EVENTS_MS)
    const before = new Date(clock.now().getTime() - KEPT_MS).toISOString()
    await store.system.transaction((tx) => statements.dropOld({ before }).execute(tx))
  }
  const run = async () => {
    while (!signal.aborted) {
      await once().catch((error: unknown) => {
        log.warn(
          { problem: error instanceof Error ? error.message : String(error) },
          'could not tidy the database; tried again in an hour',
        )
      })
      await clock.sleep(EVERY_MS, signal)
    }
  }
  // The signal ends the sleep: that is the end of it.
  run().catch(() => undefined)
}
