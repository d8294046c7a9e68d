/** Which instance gets the next request: in turn, by weight, or where the least is open. */

export interface Weighed {
  weight: number
  /** Requests and connections that it has now. */
  open: number
  /** Kept between choices; each begins with 0. */
  credit: number
}

/** Smooth weighted round robin: each gains its weight, the richest is chosen and pays all weights (nginx does the same). */
function byCredit<M extends Weighed>(members: readonly M[], weightOf: (member: M) => number): M | null {
  let best: M | null = null
  let all = 0
  for (const member of members) {
    const weight = weightOf(member)
    if (weight <= 0) continue
    all += weight
    member.credit += weight
    if (!best || member.credit > best.credit) best = member
  }
  if (best) best.credit -= all
  return best
}

/** Null when there is nobody, or all weigh nothing. */
export function choose<M extends Weighed>(
  members: readonly M[],
  balance: 'round-robin' | 'weighted' | 'least-connections',
): M | null {
  if (members.length < 2) return members[0] ?? null
  if (balance === 'round-robin') return byCredit(members, () => 1)
  if (balance === 'weighted')
    return byCredit(members, (member) => member.weight) ?? byCredit(members, () => 1)
  let least = Number.POSITIVE_INFINITY
  for (const member of members) least = Math.min(least, member.open)
  // Of equals in turn: else the first would get everything while little is asked.
  return byCredit(
    members.filter((member) => member.open === least),
    () => 1,
  )
}
