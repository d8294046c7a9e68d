/** Work that goes on while anybody listens: it begins with the first of them and ends with the last. */

/** Called for each that listens, with the signal of his end. */
export function whileHeard(work: (signal: AbortSignal) => void): (signal: AbortSignal) => void {
  let listening = 0
  let stop: AbortController | null = null
  return (signal) => {
    if (signal.aborted) return
    listening += 1
    signal.addEventListener('abort', () => --listening === 0 && stop?.abort(), { once: true })
    if (listening > 1) return
    stop = new AbortController()
    work(stop.signal)
  }
}
