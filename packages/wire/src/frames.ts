/** RFC 6455 framing for byte streams: headers out, and a decoder that unmasks in place and keeps nothing while idle. */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
/** The codes of RFC 6455 §7.4.1 that are used here. */
export const CLOSE = { normal: 1000, away: 1001, protocol: 1002, unsupported: 1003, tooLarge: 1009 } as const
/** One frame of a viewer; a stream has no need of longer ones. */
export const MAX_FRAME_BYTES = 16 * 2 ** 20
const MAX_CONTROL_BYTES = 125

/** The header of an unmasked final frame (server to client, §5.1). */
export function frameHeader(opcode: number, length: number): Buffer {
  if (length < 126) {
    const header = Buffer.allocUnsafe(2)
    header[0] = 0x80 | opcode
    header[1] = length
    return header
  }
  if (length < 65536) {
    const header = Buffer.allocUnsafe(4)
    header[0] = 0x80 | opcode
    header[1] = 126
    header[2] = length >>> 8
    header[3] = length & 255
    return header
  }
  const header = Buffer.allocUnsafe(10)
  header[0] = 0x80 | opcode
  header[1] = 127
  header.writeUInt32BE(Math.floor(length / 2 ** 32), 2)
  header.writeUInt32BE(length >>> 0, 6)
  return header
}

/** A whole control frame. */
export const controlFrame = (opcode: number, payload: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([frameHeader(opcode, payload.length), payload.subarray(0, MAX_CONTROL_BYTES)])

export function closeFrame(code: number, reason: string): Buffer {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  // 123 bytes are left; cut on a character's border.
  let text = reason
  while (Buffer.byteLength(text) > 123) text = text.slice(0, -1)
  return controlFrame(OPCODE.close, Buffer.concat([payload, Buffer.from(text)]))
}

export interface FrameEvents {
  /** Payload of binary frames in order, unmasked in place: valid now only if it is not kept. */
  data(payload: Buffer): void
  /** A whole ping, pong or close frame. */
  control(opcode: number, payload: Buffer): void
  /** The peer broke the protocol: close with this code; nothing more is decoded. */
  broken(code: number, reason: string): void
}

function unmask(bytes: Buffer, from: number, to: number, mask: number, at: number): void {
  // The mask, turned so that its first byte fits the first of these bytes.
  const m0 = (mask >>> (24 - 8 * (at & 3))) & 255
  const m1 = (mask >>> (24 - 8 * ((at + 1) & 3))) & 255
  const m2 = (mask >>> (24 - 8 * ((at + 2) & 3))) & 255
  const m3 = (mask >>> (24 - 8 * ((at + 3) & 3))) & 255
  let i = from
  for (; i + 3 < to; i += 4) {
    bytes[i]! ^= m0
    bytes[i + 1]! ^= m1
    bytes[i + 2]! ^= m2
    bytes[i + 3]! ^= m3
  }
  if (i < to) bytes[i]! ^= m0
  if (i + 1 < to) bytes[i + 1]! ^= m1
  if (i + 2 < to) bytes[i + 2]! ^= m2
}

/** Decodes a client's frames from reads of any size. The chunks are changed in place. */
export function createDecoder(events: FrameEvents): (chunk: Buffer) => void {
  /** A header or control frame that is split over reads; null most of the time. */
  let held: Buffer | null = null
  let opcode = 0
  let mask = 0
  let length = 0
  /** Bytes of the present frame's payload seen so far; -1: a header comes next. */
  let seen = -1
  let fragmented = false
  let over = false

  function broken(code: number, reason: string): number {
    over = true
    held = null
    events.broken(code, reason)
    return -1
  }

  /** Reads a header at `at`. Gives the position after it, or -1 when it is not whole yet or broken. */
  function readHeader(bytes: Buffer, at: number): number {
    const left = bytes.length - at
    if (left < 2) return -1
    const first = bytes[at]!
    const second = bytes[at + 1]!
    const kind = first & 15
    const final = (first & 0x80) !== 0
    const short = second & 127
    if ((first & 0x70) !== 0) return broken(CLOSE.protocol, 'a reserved bit is set')
    if ((second & 0x80) === 0) return broken(CLOSE.protocol, 'a frame is not masked')
    if (kind >= OPCODE.close) {
      if (kind > OPCODE.pong) return broken(CLOSE.protocol, 'the opcode is not known')
      if (!final) return broken(CLOSE.protocol, 'a control frame is fragmented')
      if (short > MAX_CONTROL_BYTES) return broken(CLOSE.protocol, 'a control frame is too long')
    } else if (kind === OPCODE.text) return broken(CLOSE.unsupported, 'only binary frames are understood')
    else if (kind > OPCODE.binary) return broken(CLOSE.protocol, 'the opcode is not known')
    else if (kind === OPCODE.binary && fragmented)
      return broken(CLOSE.protocol, 'a new frame inside a fragmented one')
    else if (kind === OPCODE.continuation && !fragmented)
      return broken(CLOSE.protocol, 'a continuation of nothing')
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0
    if (left < 2 + extra + 4) return -1
    let size = short
    if (extra === 2) size = bytes.readUInt16BE(at + 2)
    if (extra === 8) size = bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6)
    if ((extra === 2 && size < 126) || (extra === 8 && size < 65536))
      return broken(CLOSE.protocol, 'a length is not in its shortest form')
    if (size > MAX_FRAME_BYTES)
      return broken(CLOSE.tooLarge, `a frame is longer than ${MAX_FRAME_BYTES} bytes`)
    opcode = kind
    length = size
    mask = bytes.readUInt32BE(at + 2 + extra)
    if (kind < OPCODE.close) fragmented = !final
    return at + 2 + extra + 4
  }

  return (chunk) => {
    if (over) return
    const bytes: Buffer = held ? Buffer.concat([held, chunk]) : chunk
    held = null
    let at = 0
    while (at < bytes.length || seen === length) {
      if (seen < 0) {
        const after = readHeader(bytes, at)
        if (over) return
        if (after < 0) {
          // At most 13 bytes; copied, so that the large chunk is not kept for them.
          held = Buffer.from(bytes.subarray(at))
          return
        }
        // A control frame is at most 131 bytes: wait for all of it.
        if (opcode >= OPCODE.close && bytes.length - after < length) {
          held = Buffer.from(bytes.subarray(at))
          return
        }
        at = after
        seen = 0
      }
      const end = Math.min(bytes.length, at + length - seen)
      unmask(bytes, at, end, mask, seen)
      if (opcode >= OPCODE.close) events.control(opcode, bytes.subarray(at, end))
      else if (end > at) events.data(bytes.subarray(at, end))
      if (over) return
      seen += end - at
      at = end
      if (seen === length) {
        seen = -1
        if (at >= bytes.length) return
      }
    }
  }
}
