/** What the overlay shows: key to picture, pictures per second, bytes per second. Pure; the caller brings the time. */
export interface Figures {
  /** Median of the latest, in ms; null before the first. */
  latencyMs: number | null
  framesPerSecond: number
  bytesPerSecond: number
}

/** Of the whole viewing, as it is told to the server. */
export interface Totals {
  elapsedMs: number
  frames: number
  bytes: number
  keyToPictureMs: number | null
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
  let began: number | null = null
  let all = { frames: 0, bytes: 0 }
  const median = () =>
    [...latencies].sort((one, other) => one - other)[Math.floor(latencies.length / 2)] ?? null
  function forget(now: number): void {
    frames = frames.filter((at) => now - at <= WINDOW_MS)
    received = received.filter(({ at }) => now - at <= WINDOW_MS)
  }
  return {
    /** Another viewing begins: its totals start at nothing. */
    begin(): void {
      began = null
      all = { frames: 0, bytes: 0 }
      latencies = []
    },
    /** Input was sent: the next picture answers it. Later input does not move an earlier one's time. */
    input(now: number): void {
      if (sentAt === null || now - sentAt > TOO_LATE_MS) sentAt = now
    },
    frame(now: number): void {
      began ??= now
      all.frames += 1
      frames.push(now)
      if (sentAt === null) return
      if (now - sentAt <= TOO_LATE_MS) latencies = [...latencies, now - sentAt].slice(-KEPT)
      sentAt = null
    },
    bytes(now: number, bytes: number): void {
      all.bytes += bytes
      received.push({ at: now, bytes })
    },
    read(now: number): Figures {
      forget(now)
      return {
        latencyMs: median(),
        framesPerSecond: (frames.length * 1000) / WINDOW_MS,
        bytesPerSecond: (received.reduce((sum, { bytes }) => sum + bytes, 0) * 1000) / WINDOW_MS,
      }
    },
    /** Since the first picture; null before it. */
    totals(now: number): Totals | null {
      forget(now)
      if (began === null) return null
      return { elapsedMs: Math.max(1, Math.round(now - began)), ...all, keyToPictureMs: median() }
    },
  }
}
export type Measure = ReturnType<typeof createMeasure>
