/** Leaves out an instance that fails again and again, for a while, but never more than half of them. */

export interface Watched {
  failuresInARow: number
  /** Until when it is left out; 0: it is not. */
  leftOutUntil: number
}
interface Rules {
  failures: number
  ejectMs: number
}

export function noteOutcome(
  member: Watched,
  all: readonly Watched[],
  good: boolean,
  rules: Rules,
  now: number,
): void {
  if (good) {
    member.failuresInARow = 0
    return
  }
  member.failuresInARow += 1
  if (member.failuresInARow < rules.failures || member.leftOutUntil > now) return
  const out = all.filter((one) => one.leftOutUntil > now).length
  if (out + 1 > Math.floor(all.length / 2)) return
  member.leftOutUntil = now + rules.ejectMs
  // It comes back on trial: one more failure leaves it out again.
  member.failuresInARow = rules.failures - 1
}
