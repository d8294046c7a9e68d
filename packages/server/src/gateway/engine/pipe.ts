/** Two byte streams as one connection: counted, ended by silence, and by one who never reads. */
import type { Duplex } from 'node:stream'
import { joinStreams } from '@kalnet/wire/join'
import type { Counts } from './figures.ts'

/** `left` is the client. Resolves when both have ended. */
export async function pipeBoth(
  left: Duplex,
  right: Duplex,
  { idleMs, stallMs, counts }: { idleMs: number; stallMs: number; counts: Counts },
): Promise<void> {
  const limit = new AbortController()
  // Looked at now and then instead of a timer for each byte: an end may come half a period late.
  const everyMs = Math.max(20, Math.min(idleMs, stallMs, 60_000) / 2)
  let moved = performance.now()
  let stuckSince: number | null = null
  let passed = 0
  const move = (bytes: number) => {
    passed += bytes
    moved = performance.now()
  }
  left.on('data', (chunk: Buffer) => {
    counts.bytesIn += chunk.length
    move(chunk.length)
  })
  right.on('data', (chunk: Buffer) => {
    counts.bytesOut += chunk.length
    move(chunk.length)
  })
  let seen = 0
  const timer = setInterval(() => {
    const now = performance.now()
    const waits = left.writableLength > 0 || right.writableLength > 0
    stuckSince = waits && passed === seen ? (stuckSince ?? now) : null
    seen = passed
    if (now - moved > idleMs || (stuckSince !== null && now - stuckSince > stallMs)) limit.abort()
  }, everyMs)
  timer.unref()
  const joined = joinStreams(left, right, limit.signal)
  // Whoever waited for the other side was paused.
  left.resume()
  right.resume()
  await joined
  clearInterval(timer)
}
