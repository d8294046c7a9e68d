/** What is counted for each route: requests, failures, bytes, and times in a histogram of constant size. */
import type { Call, RouteFigures } from '@kalnet/contracts/gateway'

/** Each power of two of microseconds in 16 steps: within 6 % everywhere from 1 µs to an hour, in 2 KiB (as HdrHistogram does). */
const STEPS = 16
const BUCKETS = STEPS * 32

export interface Histogram {
  add(ms: number): void
  count(): number
  /** Upper bound of the bucket; null when nothing was counted. */
  quantile(share: number): number | null
  /** For each power of two of microseconds, how many began there: 8 to 15 µs at index 3. */
  byPower(): number[]
  sumMs(): number
}

const bucketOf = (micros: number): number => {
  if (micros < STEPS) return Math.max(0, micros | 0)
  const power = 31 - Math.clz32(micros)
  return (power - 3) * STEPS + ((micros >>> (power - 4)) & (STEPS - 1))
}
const upperOf = (bucket: number): number => {
  if (bucket < STEPS) return bucket + 1
  const power = Math.floor(bucket / STEPS) + 3
  return 2 ** power + ((bucket % STEPS) + 1) * 2 ** (power - 4)
}

export function createHistogram(): Histogram {
  const counts = new Uint32Array(BUCKETS)
  let all = 0
  let sumMs = 0
  return {
    add(ms) {
      sumMs += ms
      const bucket = bucketOf(Math.min(2 ** 31 - 1, Math.round(ms * 1000)))
      counts[bucket] = (counts[bucket] ?? 0) + 1
      all += 1
    },
    count: () => all,
    quantile(share) {
      if (all === 0) return null
      let seen = 0
      for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
        seen += counts[bucket] ?? 0
        if (seen >= share * all) return upperOf(bucket) / 1000
      }
      return null
    },
    byPower() {
      const powers = new Array<number>(32).fill(0)
      counts.forEach((count, bucket) => {
        // Below the first power that has steps, a bucket is a microsecond.
        const power = bucket < STEPS ? 31 - Math.clz32(Math.max(1, bucket)) : Math.floor(bucket / STEPS) + 3
        powers[power] = (powers[power] ?? 0) + count
      })
      return powers
    },
    sumMs: () => sumMs,
  }
}

/** Counted on; read by `figures()`. */
export interface Counts {
  requests: number
  failures: number
  bytesIn: number
  bytesOut: number
  open: number
  retries: number
  rejected: number
  times: Histogram
}
export const newCounts = (): Counts => ({
  requests: 0,
  failures: 0,
  bytesIn: 0,
  bytesOut: 0,
  open: 0,
  retries: 0,
  rejected: 0,
  times: createHistogram(),
})

export function showCounts(
  routeId: string,
  { times, ...counts }: Counts,
  breaker: RouteFigures['breaker'],
): RouteFigures {
  return { routeId, ...counts, breaker, p50Ms: times.quantile(0.5), p99Ms: times.quantile(0.99) }
}

export interface Calls {
  note(from: string | null, to: string, failed: boolean, now: number): void
  list(): Call[]
}
/** Who called whom: services know each other in the hundreds, so this stays small. */
export function createCalls(): Calls {
  const seen = new Map<
    string,
    { from: string | null; to: string; calls: number; failures: number; at: number }
  >()
  return {
    note(from, to, failed, now) {
      const key = `${from ?? ''} ${to}`
      let one = seen.get(key)
      if (!one) {
        one = { from, to, calls: 0, failures: 0, at: now }
        seen.set(key, one)
      }
      one.calls += 1
      if (failed) one.failures += 1
      one.at = now
    },
    list: () => [...seen.values()].map(({ at, ...one }) => ({ ...one, lastAt: new Date(at).toISOString() })),
  }
}
