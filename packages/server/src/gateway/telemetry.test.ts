/** What a collector is told of requests and counts: the real engine on loopback, and a collector that writes down what it is given. */
import { request } from 'node:http'
import { systemClock } from '@kalnet/io/clock'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { Ended } from '../core/telemetry/figure.ts'
import type { Telemetry } from '../core/telemetry/telemetry.ts'
import { newCounts } from './engine/figures.ts'
import { endpointOf, idOf, routeOf, snapshotOf, startEngine } from './engine/testing/bench.ts'
import { asking, startUpstream } from './engine/testing/upstream.ts'
import { createGatewayFigures, followServed } from './telemetry.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
const until = async (holds: () => boolean) => {
  for (let tries = 0; tries < 500 && !holds(); tries += 1) await systemClock.sleep(10)
  expect(holds()).toBe(true)
}

async function followed({ share = 1, access = 'public' as 'public' | 'people' } = {}) {
  const heard: string[] = []
  const service = await startUpstream((request, response) => {
    heard.push(String(request.headers.traceparent))
    const { pathname } = new URL(request.url ?? '', 'http://x')
    if (pathname === '/hangs') return
    if (pathname === '/breaks') {
      response.write('half')
      setImmediate(() => response.destroy())
      return
    }
    response.statusCode = Number(/\d{3}$/.exec(pathname)?.[0] ?? 200)
    response.end('ok')
  })
  ends.push(service.close)
  const sockets = new WebSocketServer({ server: service.server })
  ends.push(() => sockets.close())
  const calls: Ended[] = []
  const telemetry = { share, ended: (call: Ended) => void calls.push(call) } as unknown as Telemetry
  const routes = [
    routeOf({ access, match: { kind: 'http', host: 'photos.localhost', pathPrefix: '/' } }),
    routeOf({ id: idOf(101), serviceId: idOf(2), serviceName: 'gone', host: 'gone.localhost' }),
  ]
  const engine = await startEngine(snapshotOf(routes, [endpointOf(service.port)]), {
    ...followServed(telemetry),
    judge: async () => ({ pass: false, status: 401, headers: {}, body: '' }),
  })
  ends.push(engine.close)
  const last = async (count = 1) => {
    await until(() => calls.length === count)
    return calls.at(-1)
  }
  return {
    engine,
    calls,
    heard,
    last,
    ask: (path: string, more = {}) => asking({ port: engine.port, path, ...more }),
  }
}

describe('[MSH-5.otlp] a span for each request', () => {
  it.each<[string, object, string, number, boolean]>([
    ['/albums/7?key=canary', {}, 'GET', 200, false],
    ['/not/404', {}, 'GET', 404, false],
    ['/fails/500', { method: 'POST', body: 'x' }, 'POST', 500, true],
    ['/x', { method: 'PURGE' }, '_OTHER', 200, false],
  ])('%s %j', async (path, more, method, status, failed) => {
    const it = await followed()
    await it.ask(path, more)
    const call = await it.last()
    expect(call).toMatchObject({ name: `${method === '_OTHER' ? 'HTTP' : method} /`, failed })
    expect(call?.attributes).toEqual({
      'http.request.method': method,
      'http.response.status_code': status,
      'http.route': '/',
      'url.scheme': 'http',
      'url.path': path.split('?')[0],
      'server.address': 'photos.localhost',
      'network.protocol.version': '1.1',
      'kalnet.service': 'photos',
      'kalnet.route': idOf(100),
      ...(failed ? { 'error.type': '500' } : {}),
    })
    expect(JSON.stringify(call)).not.toContain('canary')
    // The service saw this very span as its parent.
    expect(it.heard).toEqual([call?.trace.traceparent])
  })
  it('a trace is continued; what its beginner does not keep is marked so for the service', async () => {
    const it = await followed()
    const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`
    await it.ask('/', { headers: { traceparent: parent } })
    expect((await it.last())?.trace).toMatchObject({ parentId: 'b'.repeat(16) })
    expect(it.heard[0]).toMatch(/^00-a{32}-(?!b{16})[0-9a-f]{16}-00$/)
  })
  it('where none of those that begin here are kept, the service hears so', async () => {
    const it = await followed({ share: 0 })
    await it.ask('/')
    await it.last()
    expect(it.heard[0]).toMatch(/-00$/)
  })
  it('nobody there, not let in, broken off on either side', async () => {
    const it = await followed()
    await it.ask('/', { host: 'gone.localhost' })
    expect((await it.last(1))?.attributes).toMatchObject({
      'http.response.status_code': 503,
      'kalnet.service': 'gone',
    })
    await it.ask('/breaks').catch(() => undefined)
    expect((await it.last(2))?.attributes).toMatchObject({ 'error.type': 'aborted' })
    const leaving = new AbortController()
    const asked = leave(it.engine.port, '/hangs', leaving.signal)
    await until(() => it.heard.length === 2)
    leaving.abort()
    await asked
    expect((await it.last(3))?.attributes).not.toHaveProperty('http.response.status_code')
    const guarded = await followed({ access: 'people' })
    await guarded.ask('/')
    expect((await guarded.last())?.attributes).toMatchObject({ 'http.response.status_code': 401 })
  })
  it('a WebSocket ends when it is closed', async () => {
    const it = await followed()
    const socket = new WebSocket(`ws://127.0.0.1:${it.engine.port}/live?key=canary`, {
      headers: { host: 'photos.localhost' },
    })
    await new Promise((resolve) => socket.once('open', resolve))
    expect(it.calls).toEqual([])
    socket.close()
    const call = await it.last()
    expect(call?.attributes).toMatchObject({ 'http.response.status_code': 101, 'url.path': '/live' })
    expect(call?.failed).toBe(false)
  })
})

/** A request whose asker leaves. */
const leave = (port: number, path: string, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const out = request({ host: '127.0.0.1', port, path, headers: { host: 'photos.localhost' }, signal })
    out.on('error', () => resolve())
    out.end()
  })

describe('[MSH-5.otlp] figures of each route', () => {
  it('are what the engine counts, and begin anew with a route that came back', () => {
    let now = 1_000
    const [first, second] = [newCounts(), newCounts()]
    first.requests = 3
    first.bytesOut = 9
    first.times.add(1)
    first.times.add(3)
    let counts = first
    const route = routeOf()
    const read = createGatewayFigures(
      () => [[route, counts]],
      () => now,
    )
    const seen = (name: string) => read().find((it) => it.name === `kalnet.gateway.${name}`)?.is
    const whose = { 'kalnet.service': 'photos', 'kalnet.route': idOf(100) }
    now = 2_000
    expect(seen('requests')).toEqual({
      kind: 'count',
      points: [{ attributes: whose, value: 3, since: 1_000 }],
    })
    expect(seen('open')).toMatchObject({ kind: 'level', points: [{ value: 0 }] })
    expect(seen('bytes')).toMatchObject({
      points: [{ attributes: { ...whose, direction: 'in' } }, { attributes: { direction: 'out' }, value: 9 }],
    })
    const times = seen('request.duration')
    if (times?.kind !== 'times') throw new Error('no times')
    expect(times.points[0]?.value.sumMs).toBeCloseTo(4)
    // 512 to 1023 µs is the second step, 2048 to 4095 the fourth.
    expect(times.points[0]?.value.counts.slice(0, 6)).toEqual([0, 0, 1, 0, 1, 0])
    now = 3_000
    counts = second
    expect(seen('requests')).toMatchObject({ points: [{ value: 0, since: 2_000 }] })
  })
})
