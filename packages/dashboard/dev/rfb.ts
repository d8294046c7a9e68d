/** A pretend RFB server (RFC 6143) on a WebSocket: one raw picture, redrawn for each key, resized when asked. */
import type { WebSocket } from 'ws'
import { drawDesktop } from './picture.ts'

const EXTENDED_DESKTOP_SIZE = -308

/** How long each client message is, from its first bytes; null: more bytes are needed to know. */
function lengthOf(data: Buffer): number | null {
  const long = (at: number) => (data.length >= at + 4 ? Math.abs(data.readInt32BE(at)) : null)
  switch (data[0]) {
    case 0:
      return 20
    case 2:
      return data.length >= 4 ? 4 + 4 * data.readUInt16BE(2) : null
    case 3:
    case 150:
      return 10
    case 4:
      return 8
    case 5:
      return 6
    case 6: {
      const length = long(4)
      return length === null ? null : 8 + length
    }
    case 251:
      return data.length >= 8 ? 8 + 16 * (data[6] ?? 0) : null
    default:
      return data.length
  }
}

export function serveRfb(socket: WebSocket, hue: number): void {
  let width = 1280
  let height = 800
  let waiting = Buffer.alloc(0)
  let stage: 'version' | 'security' | 'init' | 'open' = 'version'
  let typed = 0
  let asked = false
  let dirty = true
  let resized = true

  const rectangle = (encoding: number, x: number, body: Buffer) => {
    const head = Buffer.alloc(12)
    head.writeUInt16BE(x, 0)
    head.writeUInt16BE(width, 4)
    head.writeUInt16BE(height, 6)
    head.writeInt32BE(encoding, 8)
    return Buffer.concat([head, body])
  }
  const screens = () => {
    const body = Buffer.alloc(20)
    body[0] = 1
    body.writeUInt16BE(width, 12)
    body.writeUInt16BE(height, 14)
    return body
  }
  const update = () => {
    if (!asked || (!dirty && !resized)) return
    const rectangles: Buffer[] = []
    if (resized) rectangles.push(rectangle(EXTENDED_DESKTOP_SIZE, 1, screens()))
    rectangles.push(rectangle(0, 0, drawDesktop(width, height, hue, typed)))
    socket.send(Buffer.concat([Buffer.from([0, 0, 0, rectangles.length]), ...rectangles]))
    asked = false
    dirty = false
    resized = false
  }
  const cutText = (text: string) => {
    const head = Buffer.alloc(8)
    head[0] = 3
    head.writeUInt32BE(text.length, 4)
    socket.send(Buffer.concat([head, Buffer.from(text, 'latin1')]))
  }
  const message = (data: Buffer) => {
    if (data[0] === 3) asked = true
    if (data[0] === 3 && data[1] === 0) dirty = true
    if (data[0] === 4 && data[1] === 1) {
      typed += 1
      dirty = true
    }
    if (data[0] === 6 && data.readInt32BE(4) > 0) cutText(`echo: ${data.subarray(8).toString('latin1')}`)
    if (data[0] === 251) {
      width = data.readUInt16BE(2)
      height = data.readUInt16BE(4)
      resized = true
      dirty = true
    }
    update()
  }
  const take = (): boolean => {
    if (stage === 'version') {
      if (waiting.length < 12) return false
      waiting = waiting.subarray(12)
      stage = 'security'
      socket.send(Buffer.from([1, 1]))
      return true
    }
    if (stage === 'security') {
      if (waiting.length < 1) return false
      waiting = waiting.subarray(1)
      stage = 'init'
      socket.send(Buffer.alloc(4))
      return true
    }
    if (stage === 'init') {
      if (waiting.length < 1) return false
      waiting = waiting.subarray(1)
      stage = 'open'
      const name = Buffer.from('stand-in')
      const init = Buffer.alloc(24)
      init.writeUInt16BE(width, 0)
      init.writeUInt16BE(height, 2)
      init.set([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16], 4)
      init.writeUInt32BE(name.length, 20)
      socket.send(Buffer.concat([init, name]))
      return true
    }
    if (waiting.length === 0) return false
    const length = lengthOf(waiting)
    if (length === null || waiting.length < length) return false
    const one = waiting.subarray(0, length)
    waiting = waiting.subarray(length)
    message(one)
    return true
  }
  socket.on('message', (data: Buffer) => {
    waiting = Buffer.concat([waiting, data])
    while (take());
  })
  socket.send(Buffer.from('RFB 003.008\n'))
}
