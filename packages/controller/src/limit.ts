/** At most so many pieces of work at once; the others wait their turn, and leave the queue when aborted. */

export function createLimit(atOnce: number) {
  let running = 0
  const waiting = new Set<() => void>()
  const takeTurn = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const go = () => {
        waiting.delete(go)
        signal.removeEventListener('abort', leave)
        running += 1
        resolve()
      }
      const leave = () => {
        waiting.delete(go)
        reject(signal.reason)
      }
      if (signal.aborted) return reject(signal.reason)
      if (running < atOnce) return go()
      waiting.add(go)
      signal.addEventListener('abort', leave, { once: true })
    })
  return async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    await takeTurn(signal)
    try {
      return await work()
    } finally {
      running -= 1
      const [first] = waiting
      first?.()
    }
  }
}
