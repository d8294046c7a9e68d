/** TCP routes: by port, or by the name that TLS asks for; tried elsewhere when an instance cannot be reached. */
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { networkOf } from '../../core/origin.ts'
import { isNear } from './address.ts'
import { HELLO_BYTES, peekName } from './client-hello.ts'
import type { Calls } from './figures.ts'
import type { EngineOptions, Limits } from './interface.ts'
import { pipeBoth } from './pipe.ts'
import { arrivalMs, type Member, type Rotation } from './rotation.ts'

/** How long a client may take to say which name it wants. */
const PEEK_MS = 5_000

export interface Streaming {
  options: Pick<EngineOptions, 'clock' | 'log' | 'listen'>
  limits: Limits
  calls: Calls
  serviceAt(address: string): string | null
}
export interface PortRoutes {
  /** By name; `*.x` for the names right below. */
  byName: Map<string, Rotation>
  /** When no name was asked for, or nobody has it. */
  rest: Rotation | null
}

const addressOf = (socket: Socket) => (socket.remoteAddress ?? '').replace(/^::ffff:/, '')

/** What the client said first, and the name in it. Null: it said nothing in time. */
function peek(socket: Socket, ms: number): Promise<{ first: Buffer; name: string | null } | null> {
  return new Promise((resolve) => {
    let first: Buffer = Buffer.alloc(0)
    const done = (answer: { first: Buffer; name: string | null } | null) => {
      clearTimeout(timer)
      socket.off('data', onData)
      socket.off('close', onClose)
      socket.pause()
      resolve(answer)
    }
    const timer = setTimeout(() => done(null), ms)
    const onClose = () => done(null)
    const onData = (chunk: Buffer) => {
      first = Buffer.concat([first, chunk])
      const peeked = peekName(first)
      if (peeked.done) done({ first, name: peeked.name })
      else if (first.length > HELLO_BYTES) done({ first, name: null })
    }
    socket.on('data', onData)
    socket.once('close', onClose)
    socket.resume()
  })
}

export function routeByName({ byName, rest }: PortRoutes, name: string | null): Rotation | null {
  if (name === null) return rest
  const dot = name.indexOf('.')
  return byName.get(name) ?? (dot < 0 ? undefined : byName.get(`*${name.slice(dot)}`)) ?? rest
}

/** One port. `routes` is asked for each connection, so that changes need no new port. */
export function listenTcp(
  port: number,
  routes: () => PortRoutes | null,
  given: Streaming,
): Promise<() => Promise<void>> {
  const { options, limits, calls } = given
  const open = new Set<Socket>()

  async function reach(
    rotation: Rotation,
    signal: AbortSignal,
  ): Promise<{ member: Member; stream: Duplex } | null> {
    const tried: Member[] = []
    const { attempts } = rotation.policy.retries
    let waited = false
    while (tried.length <= attempts) {
      const now = options.clock.now().getTime()
      const member = rotation.pick(now, null, tried)
      if (!member && !waited) {
        waited = true
        await new Promise<void>((resolve) => {
          const stop = rotation.arrival(arrivalMs(rotation.policy), resolve)
          signal.addEventListener('abort', () => resolve(stop()), { once: true })
        })
        continue
      }
      if (!member || tried.includes(member)) return null
      tried.push(member)
      try {
        const stream = await member.upstream.dial(signal, rotation.policy.timeouts.connectMs)
        rotation.told(options.clock.now().getTime(), member, true)
        return { member, stream }
      } catch (error) {
        if (signal.aborted) return null
        options.log.debug({ error, route: rotation.route.id }, 'no connection')
        rotation.told(options.clock.now().getTime(), member, false)
        rotation.counts.retries += 1
      }
    }
    return null
  }

  async function receive(socket: Socket): Promise<void> {
    const began = performance.now()
    const all = routes()
    const peeked =
      all && all.byName.size > 0 ? await peek(socket, PEEK_MS) : { first: Buffer.alloc(0), name: null }
    const rotation = all && peeked && routeByName(all, peeked.name)
    const address = addressOf(socket)
    const now = options.clock.now().getTime()
    if (!rotation || socket.destroyed) return void socket.destroy()
    const { counts, route, policy } = rotation
    if (route.exposure === 'internal' && !isNear(address, now)) return void socket.destroy()
    counts.requests += 1
    if (
      rotation.bucket &&
      rotation.bucket.take(policy.rate?.by === 'route' ? '' : networkOf(address), now) > 0
    ) {
      counts.rejected += 1
      return void socket.destroy()
    }
    const gone = new AbortController()
    socket.once('close', () => gone.abort())
    counts.open += 1
    try {
      const reached = await reach(rotation, gone.signal)
      counts.times.add(performance.now() - began)
      if (!reached) counts.failures += 1
      calls.note(given.serviceAt(address), route.serviceName, !reached, now)
      if (!reached) return void socket.resetAndDestroy()
      if (peeked && peeked.first.length > 0) socket.unshift(peeked.first)
      reached.member.open += 1
      await pipeBoth(socket, reached.stream, {
        idleMs: policy.timeouts.idleMs,
        stallMs: limits.stallMs,
        counts,
      })
      reached.member.open -= 1
    } finally {
      counts.open -= 1
    }
  }

  const server: Server = createServer(
    { noDelay: true, keepAlive: true, pauseOnConnect: false, allowHalfOpen: true },
    (socket) => {
      socket.pause()
      open.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => open.delete(socket))
      receive(socket).catch((error: unknown) => {
        options.log.warn({ error }, 'a connection failed')
        socket.destroy()
      })
    },
  )
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.listen.host, port }, () => {
      server.off('error', reject)
      resolve(async () => {
        const closed = new Promise((done) => server.close(done))
        for (const socket of open) socket.destroy()
        await closed
      })
    })
  })
}
