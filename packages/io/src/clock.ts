/** Time behind an interface, so that tests can move it. */
export interface Clock {
  now(): Date
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, ms)
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
}

/** RFC 3339 UTC with milliseconds. */
export const stamp = (clock: Clock): string => clock.now().toISOString()

/** Exponential back-off with full jitter: between 0.5 and 1 of `base × 2^attempt`, at most `limit`. */
export const backoff = (attempt: number, base = 250, limit = 15_000, random = Math.random): number =>
  Math.min(limit, base * 2 ** Math.min(attempt, 20)) * (0.5 + random() / 2)
