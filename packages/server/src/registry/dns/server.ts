/** The name server of `<domain>`: UDP and TCP on one address of this network. */
import { createSocket, type Socket as Datagrams, type RemoteInfo } from 'node:dgram'
import { createServer, isIP, type Server, type Socket } from 'node:net'
import type { Log } from '@kalnet/io/log'
import type { Answerer } from './answer.ts'

const CONNECTIONS = 100
const IDLE_MS = 10_000
/** Of one connection: a reader that takes nothing is closed. */
const UNREAD_BYTES = 1 << 18
const LONGEST_QUESTION = 4_096
const WAITING_MOST = 500

export interface DnsServer {
  /** Throws with words for people when the port is taken or may not be opened. */
  listen(): Promise<{ host: string; port: number }>
  close(): Promise<void>
}

export function createDnsServer(options: {
  host: string
  port: number
  answerer: Answerer
  log: Log
}): DnsServer {
  const { host, answerer, log } = options
  const stopping = new AbortController()
  const open = new Set<Socket>()
  let udp: Datagrams | null = null
  let tcp: Server | null = null
  let waiting = 0
  const failed = (error: unknown) =>
    log.warn(
      { problem: error instanceof Error ? error.message : String(error) },
      'a name could not be answered',
    )

  /** At most so many at once are asked elsewhere; others come again by themselves. */
  async function elsewhere(packet: Buffer, way: Parameters<Answerer['now']>[1]): Promise<Buffer | null> {
    if (waiting >= WAITING_MOST) return null
    waiting += 1
    try {
      return await answerer.elsewhere(packet, way, stopping.signal)
    } finally {
      waiting -= 1
    }
  }

  function hearDatagram(socket: Datagrams, packet: Buffer, from: RemoteInfo) {
    const send = (answer: Buffer | null) => {
      if (answer && !stopping.signal.aborted) socket.send(answer, from.port, from.address)
    }
    const way = { transport: 'udp' as const, from: from.address, at: host }
    try {
      const answer = answerer.now(packet, way)
      if (answer === 'elsewhere') elsewhere(packet, way).then(send).catch(failed)
      else send(answer)
    } catch (error) {
      failed(error)
    }
  }

  function hearConnection(socket: Socket) {
    open.add(socket)
    socket.setTimeout(IDLE_MS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.once('close', () => open.delete(socket))
    const way = {
      transport: 'tcp' as const,
      from: socket.remoteAddress ?? '',
      at: socket.localAddress ?? host,
    }
    let held: Buffer = Buffer.alloc(0)
    /** One after the other, so that a fast asker waits for its own answers. */
    async function work() {
      for await (const piece of socket) {
        held = Buffer.concat([held, piece as Buffer])
        while (held.length >= 2) {
          const length = held.readUInt16BE(0)
          if (length > LONGEST_QUESTION) return socket.destroy()
          if (held.length < 2 + length) break
          const packet = Buffer.from(held.subarray(2, 2 + length))
          held = held.subarray(2 + length)
          const known = answerer.now(packet, way)
          const answer = known === 'elsewhere' ? await elsewhere(packet, way) : known
          if (!answer || socket.writableLength > UNREAD_BYTES) return socket.destroy()
          const size = Buffer.alloc(2)
          size.writeUInt16BE(answer.length)
          socket.write(Buffer.concat([size, answer]))
        }
      }
      socket.end()
    }
    work().catch(() => socket.destroy())
  }

  return {
    async listen() {
      const listener = createServer({ allowHalfOpen: true }, hearConnection)
      listener.maxConnections = CONNECTIONS
      const datagrams = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4')
      try {
        await new Promise<void>((resolve, reject) => {
          listener.once('error', reject)
          listener.listen(options.port, host, resolve)
        })
        const bound = listener.address()
        const port = typeof bound === 'object' && bound ? bound.port : options.port
        await new Promise<void>((resolve, reject) => {
          datagrams.once('error', reject)
          datagrams.bind(port, host, resolve)
        })
        datagrams.removeAllListeners('error')
        datagrams.on('error', failed)
        datagrams.on('message', (packet, from) => hearDatagram(datagrams, packet, from))
        tcp = listener
        udp = datagrams
        return { host, port }
      } catch (error) {
        listener.close()
        datagrams.close()
        throw new Error(problemOf(error, host, options.port), { cause: error })
      }
    },
    async close() {
      stopping.abort(new Error('stopping'))
      for (const socket of open) socket.destroy()
      await Promise.all([
        new Promise<void>((resolve) => (tcp ? tcp.close(() => resolve()) : resolve())),
        new Promise<void>((resolve) => (udp ? udp.close(() => resolve()) : resolve())),
      ])
    },
  }
}

function problemOf(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken by another name server. Choose another address or port for dns.`
  if (code === 'EACCES')
    return `Port ${port} may not be opened by this user. Start as root, or choose a port above 1024 for dns.`
  if (code === 'EADDRNOTAVAIL')
    return `${host} is not an address of this machine; names cannot be answered there.`
  return `Names cannot be answered on ${host}, port ${port}.`
}
