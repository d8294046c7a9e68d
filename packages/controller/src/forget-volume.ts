/** Takes a volume away when the control plane says that nobody wants it any more; nothing else does. */
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Platform } from './platforms/platform.ts'
import { problemInWords } from './platforms/reasons.ts'

/** Its last instance may still be ending. */
const ATTEMPTS = 8

/** Whichever platform had it, all are asked: each knows its own instances. Answers why it is still there, or null. */
export async function forgetVolume(
  { platforms, clock, signal }: { platforms: Platform[]; clock: Clock; signal: AbortSignal },
  id: string,
): Promise<string | null> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const platform of platforms) await platform.removeVolume?.(id)
      return null
    } catch (error) {
      signal.throwIfAborted()
      if (attempt === ATTEMPTS) return problemInWords(error)
      await clock.sleep(backoff(attempt, 250, 10_000), signal)
    }
  }
}
