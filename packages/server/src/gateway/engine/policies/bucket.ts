/** The token bucket: so many a second, and so many at once. */

interface Level {
  tokens: number
  at: number
}
export interface Bucket {
  /** 0: it passes. Else the seconds until the next one would. */
  take(key: string, now: number): number
  size(): number
}

/** Clients that are remembered; beyond it those whose buckets are full again are forgotten. */
const MOST = 50_000

export function createBucket({ perSecond, burst }: { perSecond: number; burst: number }): Bucket {
  const levels = new Map<string, Level>()
  const fullMs = (burst / perSecond) * 1000

  /** In the order they came last: the oldest stand first. */
  function forget(now: number) {
    for (const [key, { at }] of levels) {
      // A full one is as good as none. Above the limit the longest unseen go, full or not: memory has an end.
      if (now - at < fullMs && levels.size <= MOST) return
      levels.delete(key)
    }
  }
  return {
    take(key, now) {
      const before = levels.get(key)
      const tokens = before
        ? Math.min(burst, before.tokens + (Math.max(0, now - before.at) / 1000) * perSecond)
        : burst
      levels.delete(key)
      levels.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now })
      if (levels.size > MOST || levels.size % 256 === 0) forget(now)
      return tokens >= 1 ? 0 : Math.ceil((1 - tokens) / perSecond)
    },
    size: () => levels.size,
  }
}
