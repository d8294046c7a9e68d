/** How often one network may ask one thing: a window of a minute, in memory, bounded. */
import { fail } from '@kalnet/contracts/errors'
import type { Clock } from '@kalnet/io/clock'

const WINDOW_MS = 60_000
const KEYS = 20_000

export interface Limits {
  /** Throws request.too-many when the key was used more often than that within the minute. */
  count(key: string, perMinute: number): void
}

export function createLimits(clock: Clock): Limits {
  const windows = new Map<string, { until: number; used: number }>()
  return {
    count(key, perMinute) {
      const now = clock.now().getTime()
      let window = windows.get(key)
      if (!window || window.until <= now) {
        windows.delete(key)
        // The oldest is forgotten first: a flood of addresses cannot fill the memory.
        for (const oldest of windows.keys()) {
          if (windows.size < KEYS) break
          windows.delete(oldest)
        }
        window = { until: now + WINDOW_MS, used: 0 }
        windows.set(key, window)
      }
      window.used += 1
      if (window.used > perMinute)
        throw fail('request.too-many', { seconds: Math.max(1, Math.ceil((window.until - now) / 1000)) })
    },
  }
}
