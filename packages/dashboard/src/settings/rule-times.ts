/** Which times a rule offers, and how they are said. */
import * as m from '../messages/index.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
export const IDLE = [HOUR_MS, DAY_MS, 7 * DAY_MS, 14 * DAY_MS]
export const LONGEST = [DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 90 * DAY_MS]

/** What was set elsewhere stays a choice. */
export const withCurrent = (times: number[], current: number) =>
  times.includes(current) ? times : [...times, current].sort((one, other) => one - other)

/** In the largest unit that says it exactly. */
export function inWords(ms: number): string {
  if (ms % DAY_MS === 0) return m.days(ms / DAY_MS)
  if (ms % HOUR_MS === 0) return m.hours(ms / HOUR_MS)
  return m.minutes(Math.round(ms / 60_000))
}
