/**
 * A display without a picture: a banner like RFB's, then bytes at 8 Mbit/s in 60 frames a second while switched on, and for each
 * key a small rectangle. Messages from the viewer are 8 bytes; the first says what: 1 flow, 2 stop, 4 key.
 */
import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { answer } from './processes.ts'
import { BYTES_PER_SECOND, ECHO_BYTES } from './rates.ts'

const FRAME_MS = 1000 / 60
const FRAME = Buffer.alloc(Math.round(BYTES_PER_SECOND / 60), 0x5a)
const ECHO = Buffer.alloc(ECHO_BYTES, 0xa5)
/** A display does not draw ahead of a slow viewer. */
const MAX_WAITING = 256 * 1024

function serve(path: string): Promise<void> {
  const flowing = new Map<Socket, number>()
  setInterval(() => {
    const now = performance.now()
    for (const [socket, due] of flowing) {
      if (now < due) continue
      if (socket.writableLength < MAX_WAITING) socket.write(FRAME)
      // What was missed by more than three frames is not made up for.
      flowing.set(socket, Math.max(due + FRAME_MS, now - 3 * FRAME_MS))
    }
  }, 2)
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('close', () => flowing.delete(socket))
    socket.on('data', (chunk) => {
      for (let at = 0; at + 8 <= chunk.length; at += 8) {
        if (chunk[at] === 1) flowing.set(socket, performance.now() + Math.random() * FRAME_MS)
        if (chunk[at] === 2) flowing.delete(socket)
        if (chunk[at] === 4) socket.write(ECHO)
      }
    })
    socket.write('RFB 003.008\n')
  })
  rmSync(path, { force: true })
  return new Promise((resolve) => server.listen({ path, backlog: 2048 }, resolve))
}

const ready = serve(process.argv[2] ?? '')
answer(() => ready)
