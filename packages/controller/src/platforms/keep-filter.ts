/** A firewall that is loaded anew throws our rules away while nothing of ours or the engine's restarts: looked at each minute. */
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'

/** For so long a filter that was taken away can be missing. */
const EVERY_MS = 60_000

export interface KeepFilterOptions {
  /** Sets the filter again where somebody took some of it away; answers whether that was so. */
  networks: { mend(): Promise<boolean> }
  clock: Clock
  log: Log
  everyMs?: number
}

export async function keepFilter(
  { networks, clock, log, everyMs = EVERY_MS }: KeepFilterOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    // The signal ends the sleep: that is the end of it.
    await clock.sleep(everyMs, signal).catch(() => undefined)
    if (signal.aborted) return
    try {
      if (await networks.mend())
        log.warn({}, 'somebody took away rules that keep sessions out of the LAN; they stand again')
    } catch (error) {
      // A container engine is away: when it comes back, the filter is set anyway.
      if (!signal.aborted)
        log.debug({ error: String(error) }, 'the filter of networks cannot be looked at now')
    }
  }
}
