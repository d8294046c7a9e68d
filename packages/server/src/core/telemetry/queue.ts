/** Calls that wait to be sent: so many and no more. The oldest make room, and are counted. */

export interface Queue<T> {
  add(one: T): void
  /** The oldest ones, out of the queue. */
  take(most: number): T[]
  /** Back to the front, as far as there is room. */
  giveBack(those: readonly T[]): void
  size(): number
  /** How many made room for newer ones, ever. */
  dropped(): number
}

export function createQueue<T>(most: number): Queue<T> {
  // A ring: making room costs nothing, however full it is.
  const ring = new Array<T | undefined>(most)
  let first = 0
  let size = 0
  let dropped = 0
  return {
    add(one) {
      ring[(first + size) % most] = one
      if (size < most) size += 1
      else {
        first = (first + 1) % most
        dropped += 1
      }
    },
    take(count) {
      const taken: T[] = []
      while (taken.length < count && size > 0) {
        taken.push(ring[first] as T)
        ring[first] = undefined
        first = (first + 1) % most
        size -= 1
      }
      return taken
    },
    giveBack(those) {
      const kept = those.slice(Math.max(0, those.length - (most - size)))
      dropped += those.length - kept.length
      for (const one of kept.toReversed()) {
        first = (first - 1 + most) % most
        ring[first] = one
        size += 1
      }
    },
    size: () => size,
    dropped: () => dropped,
  }
}
