/** The name a TLS client asks for, read from its first bytes without answering them (RFC 8446 §4.1.2, RFC 6066 §3). */

export type Peeked = { done: false } | { done: true; name: string | null }

/** The longest first message that is waited for. */
export const HELLO_BYTES = 16_384 + 5
const NOTHING: Peeked = { done: true, name: null }

/** A cursor that answers null beyond the end. */
function reader(bytes: Buffer) {
  let at = 0
  const number = (size: number): number | null => {
    if (at + size > bytes.length) return null
    const value = bytes.readUIntBE(at, size)
    at += size
    return value
  }
  const take = (length: number | null): Buffer | null => {
    if (length === null || at + length > bytes.length) return null
    at += length
    return bytes.subarray(at - length, at)
  }
  return { number, take, prefixed: (size: number) => take(number(size)), left: () => bytes.length - at }
}

/** The handshake message out of its records; null: not whole yet. 'other': no TLS. */
function handshakeOf(bytes: Buffer): Buffer | 'other' | null {
  const parts: Buffer[] = []
  let at = 0
  let have = 0
  while (at + 5 <= bytes.length) {
    const length = bytes.readUInt16BE(at + 3)
    if (bytes[at] !== 22 || bytes[at + 1] !== 3 || length === 0 || length > 16_384) return 'other'
    const part = bytes.subarray(at + 5, at + 5 + length)
    parts.push(part)
    have += part.length
    at += 5 + length
    const all = Buffer.concat(parts)
    if (all.length >= 1 && all[0] !== 1) return 'other'
    if (all.length >= 4) {
      const wanted = all.readUIntBE(1, 3)
      if (wanted > HELLO_BYTES) return 'other'
      if (have >= 4 + wanted) return all.subarray(4, 4 + wanted)
    }
  }
  return bytes.length > 0 && bytes[0] !== 22 ? 'other' : null
}

function nameIn(hello: Buffer): string | null {
  const read = reader(hello)
  // Version and random, session, cipher suites, compression.
  if (!read.take(34) || !read.prefixed(1) || !read.prefixed(2) || !read.prefixed(1)) return null
  const extensions = read.prefixed(2)
  if (!extensions) return null
  const each = reader(extensions)
  while (each.left() > 0) {
    const kind = each.number(2)
    const body = each.prefixed(2)
    if (kind === null || !body) return null
    if (kind !== 0) continue
    const list = reader(body).prefixed(2)
    const names = list && reader(list)
    const type = names?.number(1)
    const name = names?.prefixed(2)
    if (type !== 0 || !name) return null
    const text = name.toString('latin1').toLowerCase()
    return /^[a-z0-9_]([a-z0-9_.-]{0,252})$/.test(text) ? text : null
  }
  return null
}

/** `bytes`: all that came so far. */
export function peekName(bytes: Buffer): Peeked {
  const message = handshakeOf(bytes)
  if (message === 'other') return NOTHING
  if (message === null) return bytes.length > HELLO_BYTES ? NOTHING : { done: false }
  return { done: true, name: nameIn(message) }
}
