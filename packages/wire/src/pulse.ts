/** One timer for many connections: silent peers are looked at together, and an idle process has no timer at all. */
import { type Clock, systemClock } from '@kalnet/io/clock'

export interface Pulse {
  /** `beat` is called once each period until the returned function is called. */
  join(beat: () => void): () => void
}

export function createPulse(everyMs: number, clock: Clock = systemClock): Pulse {
  const members = new Set<() => void>()
  let running: AbortController | null = null

  async function turn(stop: AbortController): Promise<void> {
    for (;;) {
      await clock.sleep(everyMs, stop.signal)
      for (const beat of [...members]) if (members.has(beat)) beat()
    }
  }

  return {
    join(beat) {
      // Wrapped, so that the same function may join twice.
      const member = () => beat()
      members.add(member)
      if (!running) {
        const stop = new AbortController()
        running = stop
        turn(stop).catch((error: unknown) => {
          // Ends by abort when the last member leaves; anything else is a fault of a beat and must not be swallowed.
          if (!stop.signal.aborted) throw error
        })
      }
      return () => {
        members.delete(member)
        if (members.size > 0) return
        running?.abort()
        running = null
      }
    },
  }
}
