/** Work that costs much is done by few at a time; a short line waits in order, and a crowd is sent away at once. */
import { fail } from '@kalnet/contracts/errors'

export type Lane = <T>(work: () => Promise<T>) => Promise<T>

/** Throws request.too-many when the line is full, before anything is done. */
export function createLane({ atOnce, waiting }: { atOnce: number; waiting: number }): Lane {
  let running = 0
  const line: (() => void)[] = []
  return async (work) => {
    if (running >= atOnce) {
      if (line.length >= waiting) throw fail('request.too-many', { seconds: 2 })
      await new Promise<void>((resolve) => line.push(resolve))
    } else running += 1
    try {
      return await work()
    } finally {
      // The place is handed to the next in line.
      const next = line.shift()
      if (next) next()
      else running -= 1
    }
  }
}
