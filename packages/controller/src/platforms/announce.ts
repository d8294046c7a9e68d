/** One producer, many listening loops: what `changes()` and `fingerprint()` of the platforms are made of. */

export interface Announcer<T> {
  say(it: T): void
  /** Everything said from now on. Ends when the signal is aborted. */
  listen(signal: AbortSignal): AsyncIterable<T>
}

export function createAnnouncer<T>(): Announcer<T> {
  const listeners = new Set<(it: T) => void>()
  return {
    say(it) {
      for (const listener of listeners) listener(it)
    },
    listen(signal) {
      // Listening starts at the call, not at the first read: what is said in between is kept.
      const waiting: T[] = []
      let wake: () => void = () => undefined
      const listener = (it: T) => {
        waiting.push(it)
        wake()
      }
      listeners.add(listener)
      const onAbort = () => {
        listeners.delete(listener)
        wake()
      }
      signal.addEventListener('abort', onAbort, { once: true })
      return (async function* () {
        try {
          while (!signal.aborted) {
            const it = waiting.shift()
            if (it !== undefined) yield it
            else
              await new Promise<void>((resolve) => {
                wake = resolve
              })
          }
        } finally {
          listeners.delete(listener)
          signal.removeEventListener('abort', onAbort)
        }
      })()
    },
  }
}
