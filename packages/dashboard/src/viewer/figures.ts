/** What the overlay shows: key to picture, pictures per second, bytes per second. Pure; the caller brings the time. */
export interface Figures {
  /** Median of the latest, in ms; null before the first. */
  latencyMs: number | null
  framesPerSecond: number
  bytesPerSecond: number
}

const WINDOW_MS = 2_000
const KEPT = 21
/** A picture that comes later than this was not drawn because of the key. */
const TOO_LATE_MS = 1_000

export function createMeasure() {
  let sentAt: number | null = null
  let latencies: number[] = []
  let frames: number[] = []
  let received: { at: number; bytes: number }[] = []
  return {
    /** Input was sent: the next picture answers it. Later input does not move an earlier one's time. */
    input(now: number): void {
      if (sentAt === null || now - sentAt > TOO_LATE_MS) sentAt = now
    },
    frame(now: number): void {
      frames.push(now)
      if (sentAt === null) return
      if (now - sentAt <= TOO_LATE_MS) latencies = [...latencies, now - sentAt].slice(-KEPT)
      sentAt = null
    },
    bytes(now: number, bytes: number): void {
      received.push({ at: now, bytes })
    },
    read(now: number): Figures {
      frames = frames.filter((at) => now - at <= WINDOW_MS)
      received = received.filter(({ at }) => now - at <= WINDOW_MS)
      const sorted = [...latencies].sort((one, other) => one - other)
      return {
        latencyMs: sorted[Math.floor(sorted.length / 2)] ?? null,
        framesPerSecond: (frames.length * 1000) / WINDOW_MS,
        bytesPerSecond: (received.reduce((sum, { bytes }) => sum + bytes, 0) * 1000) / WINDOW_MS,
      }
    },
  }
}
export type Measure = ReturnType<typeof createMeasure>
