/** How it went while somebody looked: figures of the last minutes, kept by the page alone. Pure. */
import type { InstanceUse } from '@kalnet/contracts/use'

export const TRAIL_MS = 5 * 60_000
export interface Point {
  /** Milliseconds since the epoch, as its machine told. */
  at: number
  cpus: number
  memoryBytes: number
}
export interface Trail {
  /** Of which start of which instance. */
  of: string
  points: readonly Point[]
}
export const NO_TRAIL: Trail = { of: '', points: [] }

/** The same trail when nothing new was told. A new start begins anew. */
export function follow(trail: Trail, { instanceId, generation, now }: InstanceUse): Trail {
  const of = `${instanceId}/${generation}`
  const before = trail.of === of ? trail.points : []
  if (!now.known) return trail.of === of ? trail : { of, points: [] }
  const { cpus, memoryBytes } = now
  const at = Date.parse(now.at)
  const last = before.at(-1)
  if (last && last.at === at) return trail
  // A clock that was set back: what was before it would be drawn in the wrong place.
  const kept = last && last.at > at ? [] : before.filter((it) => at - it.at <= TRAIL_MS)
  return { of, points: [...kept, { at, cpus, memoryBytes }] }
}

/** So much time fills the width at first; then all there is, up to TRAIL_MS. */
const LEAST_MS = 60_000

/** Points of a line in a box of 100 by 100, the newest on the right; `most`: what fills it. */
export function lineOf(values: readonly { at: number; value: number }[], most: number): string {
  const last = values.at(-1)
  const first = values[0]
  if (!first || !last || values.length < 2) return ''
  const width = Math.max(LEAST_MS, last.at - first.at)
  const round = (it: number) => Math.round(it * 10) / 10
  return values
    .map(({ at, value }) => {
      const share = most > 0 ? Math.min(1, Math.max(0, value / most)) : 0
      return `${round(100 - ((last.at - at) / width) * 100)},${round(100 - share * 100)}`
    })
    .join(' ')
}
