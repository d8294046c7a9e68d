/** Many viewers in one process, as light as can be: bytes are counted and thrown away, keys are timed. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { answer } from './processes.ts'
import { ECHO_BYTES } from './rates.ts'

type Request =
  | { open: string; port: number; count: number }
  | { close: string }
  | { tell: string; what: 1 | 2; count: number }
  | { bytes: string }
  | { direct: string }
  | { keys: string[]; n: number }

interface Viewer {
  send(what: number): void
  /** Called with the payload bytes of each read; framing headers are taken off only for keys. */
  onBytes: (count: number) => void
  close(): void
}
const MESSAGE_BYTES = 8
const READ = Buffer.alloc(256 * 1024)
const groups = new Map<string, Viewer[]>()
const counted = new Map<string, number>()

const message = (what: number): Buffer => {
  const bytes = Buffer.alloc(MESSAGE_BYTES)
  bytes[0] = what
  return bytes
}
/** A masked binary frame (RFC 6455); a mask of zeros leaves the bytes as they are. */
const masked = (what: number) => Buffer.concat([Buffer.from([0x82, 0x88, 0, 0, 0, 0]), message(what)])

/** All reads go to one shared buffer: nothing is kept. */
function dial(
  target: { path: string } | { port: number; host: string },
  onRead: (bytes: Buffer) => void,
): Socket {
  const onread = {
    buffer: READ,
    callback(count: number, bytes: Uint8Array) {
      onRead(Buffer.from(bytes.buffer, bytes.byteOffset, count))
      return true
    },
  }
  const socket = connect({ ...target, onread })
  socket.setNoDelay(true)
  return socket
}

function openDirect(path: string): Promise<Viewer> {
  return new Promise((resolve, reject) => {
    const viewer: Viewer = {
      send: (what) => void socket.write(message(what)),
      onBytes: () => undefined,
      close: () => void socket.destroy(),
    }
    let seen = 0
    const socket = dial({ path }, (bytes) => {
      seen += bytes.length
      if (seen === bytes.length) resolve(viewer)
      else viewer.onBytes(bytes.length)
    })
    socket.once('error', reject)
  })
}

/** Takes off the headers of a server's frames; gives payload sizes. */
function createCounter(onPayload: (count: number) => void): (bytes: Buffer) => void {
  let left = 0
  let rest: Buffer = Buffer.alloc(0)
  return (read) => {
    let bytes = rest.length > 0 ? Buffer.concat([rest, read]) : read
    for (;;) {
      const some = Math.min(left, bytes.length)
      if (some > 0) onPayload(some)
      left -= some
      bytes = bytes.subarray(some)
      const short = (bytes[1] ?? 0) & 127
      const head = short === 126 ? 4 : short === 127 ? 10 : 2
      if (bytes.length < head) {
        rest = Buffer.from(bytes)
        return
      }
      left = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
      // A ping is neither answered nor counted.
      const control = (bytes[0]! & 8) !== 0
      bytes = bytes.subarray(head + (control ? left : 0))
      if (control) left = 0
    }
  }
}

function openWebSocket(port: number): Promise<Viewer> {
  return new Promise((resolve, reject) => {
    const viewer: Viewer = {
      send: (what) => void socket.write(masked(what)),
      onBytes: () => undefined,
      close: () => void socket.destroy(),
    }
    let head = ''
    let open = false
    let banner = 0
    const count = createCounter((bytes) => {
      if (open) return viewer.onBytes(bytes)
      banner += bytes
      if (banner < 12) return
      open = true
      resolve(viewer)
    })
    const socket = dial({ port, host: '127.0.0.1' }, (bytes) => {
      if (head.endsWith('\r\n\r\n')) return count(bytes)
      const text = bytes.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      head += end < 0 ? text : text.slice(0, end + 4)
      if (end >= 0 && !head.startsWith('HTTP/1.1 101')) reject(new Error(head))
      if (end >= 0) count(bytes.subarray(end + 4))
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed')))
    socket.write(
      `GET /websockify HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    )
  })
}

async function open(group: string, port: number, count: number): Promise<number> {
  const viewers = groups.get(group) ?? []
  groups.set(group, viewers)
  while (viewers.length < count) {
    const some = Math.min(20, count - viewers.length)
    const opened = await Promise.all(Array.from({ length: some }, () => openWebSocket(port)))
    for (const viewer of opened)
      viewer.onBytes = (bytes) => void counted.set(group, (counted.get(group) ?? 0) + bytes)
    viewers.push(...opened)
  }
  return viewers.length
}

/** One key, the time until its rectangle is whole, in milliseconds. */
function key(viewer: Viewer): Promise<number> {
  return new Promise((resolve) => {
    let left = ECHO_BYTES
    const from = performance.now()
    viewer.onBytes = (bytes) => {
      left -= bytes
      if (left <= 0) resolve(performance.now() - from)
    }
    viewer.send(4)
  })
}

/** Each round one key on each path, so that a busy machine disturbs all alike. */
async function keys(names: string[], n: number): Promise<number[][]> {
  const times = names.map((): number[] => [])
  for (let round = 0; round < n; round += 1)
    for (const [index, name] of names.entries()) {
      times[index]?.push(await key(groups.get(name)![0]!))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  return times
}

answer((request: Request) => {
  if ('open' in request) return open(request.open, request.port, request.count)
  if ('direct' in request)
    return openDirect(request.direct).then((viewer) => {
      groups.set('direct', [viewer])
    })
  if ('keys' in request) return keys(request.keys, request.n)
  if ('bytes' in request) return counted.get(request.bytes) ?? 0
  if ('tell' in request) {
    const some = groups.get(request.tell)?.slice(0, request.count) ?? []
    for (const viewer of some) viewer.send(request.what)
    return some.length
  }
  for (const viewer of groups.get(request.close) ?? []) viewer.close()
  groups.delete(request.close)
})
