/** TCP by port and by name, UDP directly and through a tunnel. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { connect as connectSecure, createServer as createSecure } from 'node:tls'
import { freePort } from '@kalnet/io/testing/free-port'
import { createDatagramReader, frameDatagram } from '@kalnet/wire/datagrams'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { ensureTls } from '../../core/tls.ts'
import { peekName } from './client-hello.ts'
import {
  createEngineOn,
  endpointOf,
  idOf,
  portOf,
  routeOf,
  snapshotOf,
  startEngine,
} from './testing/bench.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
async function listening<T extends Server>(server: T): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => server.close())
  return portOf(server)
}
const tcp = { serviceId: idOf(1), port: 'game', kind: 'tcp' as const }
const say = async (port: number, text: string) => {
  const socket = connect(port, '127.0.0.1')
  ends.push(() => socket.destroy())
  socket.write(text)
  return String((await once(socket, 'data'))[0])
}

describe('[NET-3.tcp] TCP', () => {
  it('goes on by port, elsewhere when one is not there, and to nobody when the route is gone', async () => {
    const target = await listening(createServer((it) => it.on('data', (chunk) => it.end(`heard ${chunk}`))))
    const [port, nobody] = [await freePort(), await freePort()]
    const route = routeOf({ port: 'game', match: { kind: 'tcp', listen: port } })
    const engine = await startEngine(snapshotOf([route], [endpointOf(nobody, tcp), endpointOf(target, tcp)]))
    ends.push(engine.close)
    expect(await say(port, 'a')).toBe('heard a')
    expect(await say(port, 'b')).toBe('heard b')
    expect(engine.figures()[0]).toMatchObject({ requests: 2, failures: 0, bytesIn: 2, bytesOut: 14 })
    expect(engine.figures()[0]?.retries).toBeGreaterThan(0)
    await engine.apply(snapshotOf([], []))
    await expect(say(port, 'c')).rejects.toThrow(/ECONNREFUSED/)
  })
  it('goes on by the name that TLS asks for, untouched', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kn-sni-'))
    ends.push(() => rm(folder, { recursive: true, force: true }))
    const tls = await ensureTls(folder, ['mail.home.arpa', 'a.wild.arpa', 'rest.arpa'])
    const secured = (text: string) =>
      listening(createSecure({ key: tls.key, cert: tls.certificate }, (it) => it.end(text)))
    const [mail, wild, rest] = [await secured('mail'), await secured('wild'), await secured('rest')]
    const port = await freePort()
    const route = (number: number, sni: string | null) =>
      routeOf({
        id: idOf(100 + number),
        serviceId: idOf(number),
        port: 'game',
        match: { kind: 'tcp', listen: port, sni },
      })
    const engine = await startEngine(
      snapshotOf(
        [route(1, 'mail.home.arpa'), route(2, '*.wild.arpa'), route(3, null)],
        [
          endpointOf(mail, tcp),
          endpointOf(wild, { ...tcp, serviceId: idOf(2) }),
          endpointOf(rest, { ...tcp, serviceId: idOf(3) }),
        ],
      ),
    )
    ends.push(engine.close)
    const hear = async (servername: string) => {
      const socket = connectSecure({ host: '127.0.0.1', port, servername, ca: tls.authority })
      const [data] = await once(socket, 'data')
      socket.destroy()
      return String(data)
    }
    expect(await Promise.all(['mail.home.arpa', 'a.wild.arpa', 'rest.arpa'].map(hear))).toEqual([
      'mail',
      'wild',
      'rest',
    ])
  })
  it('a port that is held is said, and the rest is served', async () => {
    const held = await listening(createServer())
    const free = await freePort()
    const target = await listening(createServer((it) => it.end('here')))
    const shut = createEngineOn(held)
    await shut.apply(
      snapshotOf(
        [routeOf({ port: 'game', match: { kind: 'tcp', listen: free } })],
        [endpointOf(target, tcp)],
      ),
    )
    ends.push(shut.close)
    await expect(shut.listen()).rejects.toThrow(/EADDRINUSE|taken|held/)
    expect(await say(free, 'a')).toBe('here')
    const engine = await startEngine(
      snapshotOf([routeOf({ port: 'game', match: { kind: 'tcp', listen: held } })], []),
    )
    ends.push(engine.close)
    expect(engine.problems()).toEqual([
      { routeId: idOf(100), problem: `port ${held} is held by another program` },
    ])
  })
  it('the name is read from any piece of the first bytes, and garbage is no name', async () => {
    const bytes = await new Promise<Buffer>((resolve) => {
      const server = createServer((it) =>
        it.once('data', (chunk) => {
          resolve(chunk)
          it.destroy()
          server.close()
        }),
      )
      server.listen(0, '127.0.0.1', () => {
        connectSecure({ host: '127.0.0.1', port: portOf(server), servername: 'Deep.Home.arpa' }).on(
          'error',
          () => undefined,
        )
      })
    })
    expect(peekName(bytes)).toEqual({ done: true, name: 'deep.home.arpa' })
    for (let length = 1; length < bytes.length; length += 1)
      expect(peekName(bytes.subarray(0, length)).done).toBe(false)
    // The handshake cut into two records.
    const cut = 40
    const record = (part: Buffer) =>
      Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part])
    const split = Buffer.concat([record(bytes.subarray(5, cut)), record(bytes.subarray(cut))])
    expect(peekName(split)).toEqual({ done: true, name: 'deep.home.arpa' })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(bytes.length), (noise, at) => {
        peekName(Buffer.from(noise))
        peekName(Buffer.concat([Buffer.from([22, 3, 1]), Buffer.from(noise)]))
        peekName(Buffer.concat([bytes.subarray(0, at), Buffer.from(noise)]))
      }),
    )
  })
})

const udp = { serviceId: idOf(1), port: 'game', kind: 'udp' as const }
const talker = async () => {
  const socket = createSocket('udp4')
  ends.push(() => socket.close())
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    async say(port: number, text: string) {
      socket.send(text, port, '127.0.0.1')
      return String((await once(socket, 'message'))[0])
    },
  }
}

describe('[NET-3.udp] UDP', () => {
  it('goes on for each client apart, back to whoever asked, and is forgotten after silence', async () => {
    const service = createSocket('udp4')
    const seen = new Set<number>()
    service.on('message', (payload, from) => {
      seen.add(from.port)
      service.send(`heard ${payload}`, from.port, from.address)
    })
    await new Promise<void>((resolve) => service.bind(0, '127.0.0.1', resolve))
    ends.push(() => service.close())
    const port = await freePort()
    let now = 0
    const engine = await startEngine(
      snapshotOf(
        [routeOf({ port: 'game', match: { kind: 'udp', listen: port } })],
        [endpointOf(service.address().port, udp)],
      ),
      { clock: { now: () => new Date(now), sleep: () => Promise.resolve() }, flowCheckMs: 10 },
    )
    ends.push(engine.close)
    const [one, other] = [await talker(), await talker()]
    expect([await one.say(port, 'a'), await other.say(port, 'b'), await one.say(port, 'c')]).toEqual([
      'heard a',
      'heard b',
      'heard c',
    ])
    expect(seen.size).toBe(2)
    expect(engine.figures()[0]).toMatchObject({ requests: 2, open: 2, bytesIn: 3, bytesOut: 21 })
    now = 60_000
    await expect.poll(() => engine.figures()[0]?.open).toBe(0)
    expect(await one.say(port, 'd')).toBe('heard d')
    expect(seen.size).toBe(3)
  })
  it('goes through a tunnel with lengths in front', async () => {
    const tunnel = { controllerId: idOf(8), instanceId: idOf(9) }
    const port = await freePort()
    const engine = await startEngine(
      snapshotOf(
        [routeOf({ port: 'game', match: { kind: 'udp', listen: port } })],
        [endpointOf(1, { ...udp, direct: null, tunnel })],
      ),
      {
        dialTunnel: async () => {
          const stream: Duplex = new Duplex({
            read: () => undefined,
            write(chunk: Buffer, _, done) {
              read(chunk)
              done()
            },
          })
          const read = createDatagramReader((payload) =>
            stream.push(frameDatagram(Buffer.from(`far ${payload}`))),
          )
          return stream
        },
      },
    )
    ends.push(engine.close)
    const one = await talker()
    expect([await one.say(port, 'a'), await one.say(port, 'b')]).toEqual(['far a', 'far b'])
  })
})
