/** UDP routes: each client keeps one instance while it talks; to a direct address as datagrams, through a tunnel with lengths in front. */
import { createSocket } from 'node:dgram'
import { isIP } from 'node:net'
import { createDatagramReader, sendDatagram } from '@kalnet/wire/datagrams'
import { networkOf } from '../../core/origin.ts'
import { isNear } from './address.ts'
import type { Member, Rotation } from './rotation.ts'
import type { Streaming } from './tcp.ts'

/** A client that is silent so long is forgotten. */
export const FLOW_MS = 60_000
/** Clients at once: their addresses can be made up, sockets cannot. */
const FLOWS_MOST = 2_048
/** What is kept of a client while its instance is being reached. */
const EARLY_MOST = 32

interface Flow {
  send(payload: Buffer): void
  end(): void
  seen: number
}

export interface UdpOptions extends Streaming {
  machine: string | null
  /** How often silence is looked for. */
  flowCheckMs?: number
}

export function listenUdp(
  port: number,
  route: () => Rotation | null,
  given: UdpOptions,
): Promise<() => Promise<void>> {
  const { options, calls, flowCheckMs = FLOW_MS / 4 } = given
  const flows = new Map<string, Flow>()
  const family = isIP(options.listen.host) === 4 ? 'udp4' : 'udp6'
  const socket = createSocket({ type: family })
  const now = () => options.clock.now().getTime()

  /** Answers are sent from the port they were asked at. */
  function openFlow(
    rotation: Rotation,
    member: Member,
    from: { address: string; port: number },
    key: string,
  ): Flow {
    const { counts } = rotation
    const { direct, tunnel } = member.endpoint
    const back = (payload: Buffer) => {
      const flow = flows.get(key)
      if (flow) flow.seen = now()
      counts.bytesOut += payload.length
      socket.send(payload, from.port, from.address, () => undefined)
    }
    let over = false
    const gone = new AbortController()
    let close: () => void
    let send: (payload: Buffer) => void
    const end = () => {
      if (over) return
      over = true
      gone.abort()
      member.open -= 1
      counts.open -= 1
      flows.delete(key)
      close()
    }
    if (direct && (direct.machine === null || direct.machine === given.machine)) {
      const to = createSocket(isIP(direct.host) === 6 ? 'udp6' : 'udp4')
      // Refused (nobody listens there): the next datagram begins anew, perhaps elsewhere.
      to.on('error', () => {
        rotation.told(now(), member, false)
        end()
      })
      let early: Buffer[] | null = []
      to.connect(direct.port, direct.host, () => {
        for (const payload of early ?? []) to.send(payload, () => undefined)
        early = null
      })
      to.on('message', (payload) => {
        rotation.told(now(), member, true)
        back(payload)
      })
      send = (payload) => {
        if (early) {
          if (early.length < EARLY_MOST) early.push(payload)
        } else to.send(payload, () => undefined)
      }
      close = () => to.close()
    } else if (tunnel) {
      const { upstream } = member
      const stream = upstream.dial(gone.signal, rotation.policy.timeouts.connectMs)
      let early: Buffer[] | null = []
      let through: Awaited<typeof stream> | null = null
      stream.then(
        (it) => {
          through = it
          it.on('error', end)
          it.on('close', end)
          it.on('data', createDatagramReader(back))
          for (const payload of early ?? []) sendDatagram(it, payload)
          early = null
          if (over) it.destroy()
        },
        (error: unknown) => {
          options.log.debug({ error, route: rotation.route.id }, 'no tunnel for datagrams')
          rotation.told(now(), member, false)
          counts.failures += 1
          end()
        },
      )
      send = (payload) => {
        if (through) sendDatagram(through, payload)
        else if (early && early.length < EARLY_MOST) early.push(Buffer.from(payload))
      }
      close = () => through?.destroy()
    } else {
      send = () => undefined
      close = () => undefined
    }
    member.open += 1
    counts.open += 1
    return { send, end, seen: now() }
  }

  function receive(payload: Buffer, from: { address: string; port: number }): void {
    const key = `${from.address} ${from.port}`
    let flow = flows.get(key)
    const rotation = route()
    if (!rotation) return
    const { counts } = rotation
    if (!flow) {
      const address = from.address.replace(/^::ffff:/, '')
      if (rotation.route.exposure === 'internal' && !isNear(address, now())) return
      counts.requests += 1
      const { policy } = rotation
      const limited =
        rotation.bucket &&
        rotation.bucket.take(policy.rate?.by === 'route' ? '' : networkOf(address), now()) > 0
      const member = limited || flows.size >= FLOWS_MOST ? null : rotation.pick(now(), null, [])
      calls.note(given.serviceAt(address), rotation.route.serviceName, !member, now())
      if (!member) {
        counts.rejected += 1
        return
      }
      flow = openFlow(rotation, member, from, key)
      flows.set(key, flow)
    }
    flow.seen = now()
    counts.bytesIn += payload.length
    flow.send(payload)
  }

  const timer = setInterval(() => {
    for (const flow of [...flows.values()]) if (now() - flow.seen >= FLOW_MS) flow.end()
  }, flowCheckMs)
  timer.unref()

  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port, address: options.listen.host }, () => {
      socket.off('error', reject)
      socket.on('error', (error) => options.log.warn({ error }, 'a port for datagrams failed'))
      socket.on('message', receive)
      resolve(async () => {
        clearInterval(timer)
        for (const flow of [...flows.values()]) flow.end()
        await new Promise<void>((done) => socket.close(() => done()))
      })
    })
  })
}
