/**
 * Who places something waits here until whoever came before is done, so that each sees what the one before chose. It holds nothing
 * while it waits, not even a connection to the database. For fairness alone: whoever has waited for long goes on without. Other servers on
 * the same database take their turn there (`placingTurn` of store.ts).
 */
import type { Clock } from '@kalnet/io/clock'

const PATIENCE_MS = 10_000

export function createTurns({ sleep }: Pick<Clock, 'sleep'>, patienceMs = PATIENCE_MS) {
  let last: Promise<void> = Promise.resolve()
  return async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = last
    const { promise, resolve: done } = Promise.withResolvers<void>()
    last = promise
    const waited = new AbortController()
    await Promise.race([before, sleep(patienceMs, waited.signal).catch(() => undefined)])
    waited.abort()
    try {
      return await work()
    } finally {
      done()
    }
  }
}
