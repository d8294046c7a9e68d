/** Datagrams on a stream: each with its length in front (two bytes, big-endian). Both ends of UDP through a controller's tunnel. */
import type { Duplex } from 'node:stream'

/** Of UDP over IPv4; the largest that two bytes can tell, less the headers. */
export const DATAGRAM_BYTES = 65_507
/** What waits on a slow stream. Beyond it datagrams are lost, as on any network; the sender's rate must not fill memory. */
const WAITING_BYTES = 1024 * 1024

export function frameDatagram(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(2 + payload.length)
  frame.writeUInt16BE(payload.length, 0)
  payload.copy(frame, 2)
  return frame
}

/** Sends one, or loses it: when it is too long, the stream is over, or too much waits already. */
export function sendDatagram(stream: Duplex, payload: Buffer): boolean {
  if (payload.length > DATAGRAM_BYTES || !stream.writable || stream.writableLength > WAITING_BYTES)
    return false
  stream.write(frameDatagram(payload))
  return true
}

/** Calls with each whole datagram, however the stream cuts them. Holds at most one that is not whole. */
export function createDatagramReader(onDatagram: (payload: Buffer) => void): (chunk: Buffer) => void {
  let kept: Buffer = Buffer.alloc(0)
  return (chunk) => {
    let rest = kept.length === 0 ? chunk : Buffer.concat([kept, chunk])
    while (rest.length >= 2) {
      const length = rest.readUInt16BE(0)
      if (rest.length < 2 + length) break
      onDatagram(rest.subarray(2, 2 + length))
      rest = rest.subarray(2 + length)
    }
    kept = rest
  }
}
