/** What plays the programs of the fake platform: they answer on ports, call through links, and are run by name, all as a test tells them. */
import { createServer, type RequestListener } from 'node:http'
import { type Duplex, duplexPair } from 'node:stream'
import type { Address, Port } from '@kalnet/contracts/instance'

export interface FakePrograms {
  /** How a port answers; again for another way. Without it: a display and tcp greet and echo, http says `instance port`, udp echoes. */
  onConnection(instanceId: string, port: string, answer: (stream: Duplex) => void): void
  onRequest(instanceId: string, port: string, answer: RequestListener): void
  onDatagram(
    instanceId: string,
    port: string,
    answer: (payload: Buffer, reply: (it: Buffer) => void) => void,
  ): void
  /** Where a port is said to answer on this machine. */
  addresses: Map<string, Record<string, Address>>
  /** What a program that is run inside comes to. */
  executed(instanceId: string, command: string[]): { code: number | null; lastLine: string }
  /** Null: it was not measured yet. */
  uses(instanceId: string): { cpus: number; memoryBytes: number } | null
  healthOf(instanceId: string): { state: 'starting' | 'healthy' | 'unhealthy'; detail: string } | null
  /** A program inside connects to the place of a link. Throws where nobody listens. */
  call(instanceId: string, link: string): Duplex
}

export interface FakeListener {
  instanceId: string
  places: Record<string, Address>
  take(name: string, stream: Duplex): void
  /** Its sockets fail. */
  fail(error: Error): void
}

/** Greets as a display does, then says back what it is told. */
function echo(stream: Duplex) {
  stream.write('RFB 003.008\n')
  stream.pipe(stream)
}

const keyOf = (instanceId: string, port: string) => `${instanceId} ${port}`

export function createFakePrograms() {
  const connections = new Map<string, (stream: Duplex) => void>()
  const datagrams = new Map<string, (payload: Buffer, reply: (it: Buffer) => void) => void>()
  const listeners = new Set<FakeListener>()

  /** A server without a port: it is handed its connections. */
  const serving = (answer: RequestListener) => {
    const server = createServer(answer)
    return (stream: Duplex) => void server.emit('connection', stream)
  }
  const usual = (instanceId: string, port: Port) =>
    port.kind === 'http' ? serving((_, response) => void response.end(`${instanceId} ${port.name}`)) : echo

  const told: FakePrograms = {
    onConnection: (instanceId, port, answer) => void connections.set(keyOf(instanceId, port), answer),
    onRequest: (instanceId, port, answer) => void connections.set(keyOf(instanceId, port), serving(answer)),
    onDatagram: (instanceId, port, answer) => void datagrams.set(keyOf(instanceId, port), answer),
    addresses: new Map(),
    executed: () => ({ code: 0, lastLine: '' }),
    uses: () => ({ cpus: 0.25, memoryBytes: 64 * 2 ** 20 }),
    healthOf: () => null,
    call(instanceId, link) {
      const listener = [...listeners].find((it) => it.instanceId === instanceId && link in it.places)
      if (!listener) throw new Error('connection refused')
      const [near, far] = duplexPair()
      listener.take(link, far)
      return near
    },
  }
  return {
    told,
    listeners,
    connect(instanceId: string, port: Port): Duplex {
      const [near, far] = duplexPair()
      // What the other side no longer takes is lost, as with any connection.
      far.on('error', () => undefined)
      const answer = connections.get(keyOf(instanceId, port.name)) ?? usual(instanceId, port)
      answer(far)
      return near
    },
    datagram(instanceId: string, port: Port, payload: Buffer, reply: (it: Buffer) => void) {
      const answer = datagrams.get(keyOf(instanceId, port.name))
      if (answer) answer(payload, reply)
      else reply(payload)
    },
  }
}
