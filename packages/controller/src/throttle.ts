/** The newest value of each key, at once or at most every so often: progress must not flood the link. */

export interface Throttle<T> {
  /** Tells it now and drops what was waiting. */
  now(key: string, value: T): void
  /** Tells it within the pause, unless something newer comes. */
  soon(key: string, value: T): void
  drop(key: string): void
}

export function createThrottle<T>(pauseMs: number, tell: (value: T) => void): Throttle<T> {
  const waiting = new Map<string, { value: T | null; timer: NodeJS.Timeout }>()
  const open = (key: string) => {
    const timer = setTimeout(() => {
      const it = waiting.get(key)
      waiting.delete(key)
      if (!it || it.value === null) return
      const { value } = it
      open(key)
      tell(value)
    }, pauseMs)
    timer.unref()
    waiting.set(key, { value: null, timer })
  }
  const drop = (key: string) => {
    const it = waiting.get(key)
    if (it) clearTimeout(it.timer)
    waiting.delete(key)
  }
  return {
    now(key, value) {
      drop(key)
      tell(value)
    },
    soon(key, value) {
      const it = waiting.get(key)
      if (it) it.value = value
      else {
        open(key)
        tell(value)
      }
    },
    drop,
  }
}
