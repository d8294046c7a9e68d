/** Work that costs much is done by few at a time; a short line waits in order, and a crowd is sent away at once. */
import { fail } from '@kalnet/contracts/errors'

const LONGEST_REST_MS = 200
/** How many times as long as the work a rest is: a fifth of the time is then work's. */
const RESTS = 4
export type Lane = <T>(work: () => Promise<T>) => Promise<T>

export interface LaneOptions {
  atOnce: number
  waiting: number
  /** While a line is waiting, rest after each four times as long as it took: most of the time stays with others. */
  rests?: boolean
}

/** Throws request.too-many when the line is full, before anything is done. */
export function createLane({ atOnce, waiting, rests = false }: LaneOptions): Lane {
  let running = 0
  const line: (() => void)[] = []
  const handOver = () => {
    const next = line.shift()
    if (next) next()
    else running -= 1
  }
  return async (work) => {
    if (running >= atOnce) {
      if (line.length >= waiting) throw fail('request.too-many', { seconds: 2 })
      await new Promise<void>((resolve) => line.push(resolve))
    } else running += 1
    const began = performance.now()
    try {
      return await work()
    } finally {
      if (rests && line.length > 0)
        setTimeout(handOver, Math.min(LONGEST_REST_MS, RESTS * (performance.now() - began)))
      else handOver()
    }
  }
}
