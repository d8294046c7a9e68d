/** Beginnings and ends: whoever comes before its service is known waits a moment, whoever is under way while we stop is answered. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { request as askSecure } from 'node:https'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ensureTls } from '../../core/tls.ts'
import { endpointOf, portOf, routeOf, snapshotOf, startEngine, type TestEngine } from './testing/bench.ts'
import { echo, startUpstream } from './testing/upstream.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
async function engineOf(...given: Parameters<typeof startEngine>): Promise<TestEngine> {
  const engine = await startEngine(...given)
  ends.push(() => engine.close())
  return engine
}
const get = (port: number, path = '/') =>
  new Promise<{ status: number; text: string }>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers: { host: 'photos.localhost' } }, (answer) => {
      let text = ''
      answer.on('data', (piece) => {
        text += piece
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    })
      .on('error', reject)
      .end()
  })

describe('[MSH-3.first] a service that was just said to run', () => {
  it('its first request waits until it is known here', async () => {
    const service = await startUpstream(echo)
    ends.push(() => service.close())
    const engine = await engineOf(snapshotOf([routeOf()], []))
    const first = get(engine.port)
    await expect.poll(() => engine.figures()[0]?.open).toBe(1)
    await engine.apply(snapshotOf([routeOf()], [endpointOf(service.port)]))
    expect((await first).status).toBe(200)
    expect(engine.figures()[0]).toMatchObject({ requests: 1, failures: 0, open: 0 })
  })
  it('and when nobody comes, it is said within the time of a connection', async () => {
    const engine = await engineOf(snapshotOf([routeOf({ policy: { timeouts: { connectMs: 30 } } })], []))
    expect(await get(engine.port)).toMatchObject({
      status: 503,
      text: expect.stringContaining('gateway.no-instance'),
    })
  })
  it('a connection to a port waits, too', async () => {
    const echoing = createServer((socket) => void socket.pipe(socket))
    await once(echoing.listen(0, '127.0.0.1'), 'listening')
    const place = createServer()
    await once(place.listen(0, '127.0.0.1'), 'listening')
    const listen = portOf(place)
    place.close()
    await once(place, 'close')
    ends.push(() => echoing.close())
    const route = routeOf({ match: { kind: 'tcp', listen }, port: 'game' })
    const engine = await engineOf(snapshotOf([route], []))
    const client = connect(listen, '127.0.0.1')
    client.write('hello')
    await expect.poll(() => engine.figures()[0]?.open).toBe(1)
    await engine.apply(snapshotOf([route], [endpointOf(portOf(echoing), { port: 'game', kind: 'tcp' })]))
    expect(String((await once(client, 'data'))[0])).toBe('hello')
    client.destroy()
  })
})

describe('[NET-3.drain] a gateway that is told to end', () => {
  it('takes nothing new, and lets what is under way come to its end', async () => {
    const asked: (() => void)[] = []
    const service = await startUpstream((_, response) => {
      asked.push(() => void response.end('at last'))
    })
    ends.push(() => service.close())
    const engine = await engineOf(snapshotOf([routeOf()], [endpointOf(service.port)]))
    const under = get(engine.port)
    await expect.poll(() => asked.length).toBe(1)
    const drained = engine.drain(10_000)
    await expect(get(engine.port)).rejects.toThrow(/ECONNREFUSED/)
    asked[0]?.()
    expect((await under).text).toBe('at last')
    await drained
  })
  it('but not longer than it may', async () => {
    const service = await startUpstream(() => undefined)
    ends.push(() => service.close())
    const engine = await engineOf(snapshotOf([routeOf()], [endpointOf(service.port)]))
    const under = get(engine.port)
    await expect.poll(() => engine.figures()[0]?.open).toBe(1)
    await engine.drain(30)
    await engine.close()
    await expect(under).rejects.toThrow(/socket hang up|ECONNRESET/)
  })
  it('knows by which sign-ins something is open', async () => {
    const service = await startUpstream(() => undefined)
    ends.push(() => service.close())
    const passed = { pass: true as const, headers: {}, drop: [], signInId: 'ada', userId: null }
    const engine = await engineOf(snapshotOf([routeOf({ access: 'people' })], [endpointOf(service.port)]), {
      judge: async () => passed,
    })
    const under = get(engine.port)
    await expect.poll(() => engine.signIns()).toEqual(['ada'])
    expect(engine.cut('ada')).toBe(1)
    await expect(under).rejects.toThrow()
    expect(engine.signIns()).toEqual([])
  })
})

describe('[NET-3.bare] https by a bare address', () => {
  it('gets the certificate of those who name nobody; none is still none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kn-gateway-bare-'))
    ends.push(() => rm(folder, { recursive: true, force: true }))
    const tls = await ensureTls(folder, ['127.0.0.1', 'localhost'])
    const ask = ({ securePort }: TestEngine) =>
      new Promise<number>((resolve, reject) => {
        askSecure({ host: '127.0.0.1', port: securePort, ca: tls.authority }, (answer) => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        })
          .on('error', reject)
          .end()
      })
    const given = async () => ({ chain: tls.certificate, key: tls.key })
    const named = await engineOf(snapshotOf([], []), {
      listen: { httpsPort: 0 },
      certificateForNobody: given,
    })
    expect(await ask(named)).toBe(404)
    const without = await engineOf(snapshotOf([], []), { listen: { httpsPort: 0 } })
    await expect(ask(without)).rejects.toThrow(/handshake|SSL|socket/i)
  })
})
