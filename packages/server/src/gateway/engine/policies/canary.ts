/** Which release a request goes to, when shares of them are tried out. */

type Shares = readonly { release: number; percent: number }[]

/**
 * Spreads evenly without chance: multiples of the golden ratio (Weyl's sequence) stay within a few of every share, however many.
 */
export function createSpread(): () => number {
  let turn = 0
  return () => {
    turn = (turn + 0.618_033_988_749_894_9) % 1
    return turn * 100
  }
}

/**
 * The release for a point between 0 and 100. The rest goes to the newest one that has no share of its own, or to the newest
 * when all have. A release that is in no rotation gets nothing.
 */
export function releaseFor(shares: Shares, inRotation: readonly number[], point: number): number | null {
  let upTo = 0
  for (const { release, percent } of shares) {
    upTo += percent
    if (point < upTo && inRotation.includes(release)) return release
    if (point < upTo) break
  }
  const rest = inRotation.filter((release) => shares.every((share) => share.release !== release))
  const from = rest.length > 0 ? rest : inRotation
  return from.length > 0 ? Math.max(...from) : null
}
