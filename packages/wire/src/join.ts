/** Joins two byte streams until both have ended: back-pressure both ways, no copy, nothing kept while idle. */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { countRead } from './tidy.ts'

/**
 * Moves what `source` gives through `write` into `sink`. Reading stops while the sink still holds bytes after it asked for a
 * pause. Not write()'s answer alone: a large chunk that the kernel took at once also answers false, and stopping then costs.
 */
export function pump(source: Duplex, sink: Duplex, write: (chunk: Buffer) => void): void {
  source.on('data', (chunk: Buffer) => {
    write(chunk)
    countRead(chunk.length)
    if (sink.writableNeedDrain && sink.writableLength > 0 && !sink.destroyed) source.pause()
  })
  sink.on('drain', () => source.resume())
}

/** A screen has two ends and no half: when one side has ended, the other has this long to end too. */
const HALF_MS = 5_000
/** Connections between programs may well end on one side only, and go on for long on the other. */
export const LONG_HALF_MS = 3_600_000

/** Ends it so that the other side sees a break, not an end: what came before may not be all there is. */
export function breakOff(stream: Duplex): void {
  const isTcp =
    stream instanceof Socket && !(stream instanceof TLSSocket) && stream.remoteFamily !== undefined
  if (isTcp && !stream.destroyed) stream.resetAndDestroy()
  else stream.destroy()
}

/** Joins and waits for the end of both. The end of one is passed on to the other; a failure or the signal ends both. */
export function joinStreams(
  left: Duplex,
  right: Duplex,
  signal?: AbortSignal,
  halfMs = HALF_MS,
): Promise<void> {
  // Else Node ends a socket's own side as soon as the other side has ended.
  if (halfMs > HALF_MS) for (const stream of [left, right]) stream.allowHalfOpen = true
  return new Promise((resolve) => {
    let open = 2
    let late: NodeJS.Timeout | null = null
    const end = halfMs > HALF_MS ? breakOff : (stream: Duplex) => void stream.destroy()
    const cut = () => {
      end(left)
      end(right)
    }
    const tie = (from: Duplex, to: Duplex) => {
      pump(from, to, (chunk) => {
        if (!to.destroyed && to.writable) to.write(chunk)
      })
      from.on('end', () => {
        to.end()
        late ??= setTimeout(cut, halfMs).unref()
      })
      from.on('error', cut)
      from.on('close', () => {
        // Whatever was passed on is still flushed; a close without an end is a failure.
        if (!from.readableEnded) cut()
        else to.end()
        open -= 1
        if (open > 0) return
        if (late) clearTimeout(late)
        signal?.removeEventListener('abort', cut)
        resolve()
      })
    }
    tie(left, right)
    tie(right, left)
    if (signal?.aborted) cut()
    signal?.addEventListener('abort', cut, { once: true })
  })
}
