/** Tells services where something is still open though a newer release has the traffic, so that those instances live on until it has ended. */
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Engine } from './engine/interface.ts'

/** Said again so often, as long as it is so; what is not said any more has ended. */
const TELL_MS = 1_000

export interface FinishingParts {
  engine: Pick<Engine, 'finishing'>
  /** Instances at which something is open. */
  busy(ids: readonly string[]): Promise<void>
  clock: Clock
  log: Log
}

/** Until the signal. */
export async function tellFinishing({ engine, busy, clock, log }: FinishingParts, signal: AbortSignal) {
  while (!signal.aborted) {
    const ids = engine.finishing()
    if (ids.length > 0)
      await busy(ids).catch((error: unknown) => log.warn({ error }, 'what is still open could not be told'))
    // Aborted while waiting: the loop's condition ends it.
    await clock.sleep(TELL_MS, signal).catch(() => undefined)
  }
}
