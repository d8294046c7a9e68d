/** The way to a service under test: requests and connections that end at it, whatever lies between. */
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { joinStreams, LONG_HALF_MS } from '@kalnet/wire/join'
import type { ask } from '../support/client.ts'

export interface Way {
  /** A request to its page, as a person called `ada`. */
  http(
    path: string,
    options?: { method?: string; headers?: Record<string, string>; body?: string },
  ): ReturnType<typeof ask>
  /** Where its first port answers on loopback, for other people's programs. */
  place(): Promise<{ host: string; port: number }>
  /** One packet to its UDP port, and the first one back. */
  packet(payload: Buffer): Promise<Buffer>
  secrets: Readonly<Record<string, string>>
  /** What a program shows at the door (HTTP Basic); without: nobody asks it. */
  program?: { username: string; secret: string }
}

export interface Door {
  port: number
  close(): Promise<void>
}

/** A port of loopback each of whose connections is led on by `dial`. */
export async function openDoor(dial: (signal: AbortSignal) => Promise<Duplex>): Promise<Door> {
  const stop = new AbortController()
  const open = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    dial(stop.signal)
      .then((far) => joinStreams(socket, far, stop.signal, LONG_HALF_MS))
      // The caller sees its connection end: that is the answer.
      .catch(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    async close() {
      stop.abort(new Error('the door is closed'))
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
