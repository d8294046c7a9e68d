/** How many requests may be tried again: a share of all, so that trouble is not multiplied by those who try again. */
import { createWindow } from './window.ts'

const WINDOW_MS = 10_000
/** So many in a window always: a share of little is nothing. */
const LEAST = 10

export interface Budget {
  asked(now: number): void
  /** True: this one may be tried again, and is counted. */
  take(now: number): boolean
}

export function createBudget(percentOf: () => number): Budget {
  const counts = createWindow(WINDOW_MS)
  return {
    asked: (now) => counts.add(now, 1, 0),
    take(now) {
      const { good: requests, bad: retries } = counts.sum(now)
      const percent = percentOf()
      if (percent === 0 || retries >= Math.max(LEAST, (requests * percent) / 100)) return false
      counts.add(now, 0, 1)
      return true
    },
  }
}
