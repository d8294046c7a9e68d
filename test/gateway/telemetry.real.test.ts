/** A real OpenTelemetry collector, told by our engine, by a gateway of its own and by the whole server: what it understood is what happened. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { dashboardRoutes } from '@kalnet/contracts/dashboard'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { BOUNDS_S } from '@kalnet/server/core/telemetry/figure'
import { createTelemetry } from '@kalnet/server/core/telemetry/telemetry'
import { testDatabase } from '@kalnet/server/core/testing'
import { runGatewayAlone } from '@kalnet/server/gateway/alone/alone'
import {
  endpointOf,
  idOf,
  routeOf,
  snapshotOf,
  startEngine,
} from '@kalnet/server/gateway/engine/testing/bench'
import { asking, startUpstream } from '@kalnet/server/gateway/engine/testing/upstream'
import { followServed, measureEngine } from '@kalnet/server/gateway/telemetry'
import { createServer } from '@kalnet/server/server'
import { askAt, freePort } from '@kalnet/server/testing/server'
import { afterEach, describe, expect, it } from 'vitest'
import { type Collector, startCollector } from '../peers/77-collector.ts'
import { eventually } from '../support/eventually.ts'
import { lacking } from '../support/parts.ts'

const skip = await lacking(['collector'], 'a collector understands the figures and traces it is sent')
const log = createLog('test', 'silent')

interface Attribute {
  key: string
  value: { stringValue?: string; intValue?: string; doubleValue?: number }
}
interface Span {
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  kind: number
  status?: { code?: number }
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: Attribute[]
}
interface DataPoint {
  attributes?: Attribute[]
  asDouble?: number
  startTimeUnixNano: string
  timeUnixNano: string
  count?: string
  sum?: number
  bucketCounts?: string[]
  explicitBounds?: number[]
}
interface Metric {
  name: string
  unit: string
  sum?: { isMonotonic?: boolean; aggregationTemporality: number; dataPoints: DataPoint[] }
  gauge?: { dataPoints: DataPoint[] }
  histogram?: { aggregationTemporality: number; dataPoints: DataPoint[] }
}
interface Taken {
  resourceSpans?: { resource: { attributes: Attribute[] }; scopeSpans: { spans: Span[] }[] }[]
  resourceMetrics?: { resource: { attributes: Attribute[] }; scopeMetrics: { metrics: Metric[] }[] }[]
}
const flat = (attributes: Attribute[] = []) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? Number(value.intValue ?? value.doubleValue),
    ]),
  )

describe.skipIf(skip)('[MSH-5.otlp] a real collector', () => {
  const ends: (() => unknown)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })
  const begin = async (port?: number): Promise<Collector> => {
    const it = await startCollector(port)
    ends.push(it.stop)
    return it
  }
  const spans = async (it: Collector) =>
    ((await it.taken()) as Taken[]).flatMap((one) =>
      (one.resourceSpans ?? []).flatMap((of) => of.scopeSpans.flatMap((scope) => scope.spans)),
    )
  /** As it was said last. */
  const metric = async (it: Collector, name: string) =>
    ((await it.taken()) as Taken[])
      .flatMap((one) =>
        (one.resourceMetrics ?? []).flatMap((of) => of.scopeMetrics.flatMap((scope) => scope.metrics)),
      )
      .findLast((one) => one.name === name)

  it('the gateway: spans that continue what came, counts and times of each route; all of it while the collector was away', async () => {
    const port = await freePort()
    const config = configSchema.parse({
      telemetry: { otlpUrl: `http://127.0.0.1:${port}`, everyMs: 1_000, otlpHeaders: 'x-key=canary' },
      outbound: { allow: ['127.0.0.1'] },
    })
    const telemetry = createTelemetry({
      config,
      name: 'kalnet-gateway',
      version: '1',
      clock: systemClock,
      log,
      limits: { callsEveryMs: 50, retryMs: 50, retryMostMs: 200 },
    })
    const service = await startUpstream((request, response) => {
      response.statusCode = request.url === '/fails' ? 500 : 200
      response.end('ok')
    })
    ends.push(service.close)
    const engine = await startEngine(
      snapshotOf([routeOf()], [endpointOf(service.port)]),
      followServed(telemetry),
    )
    ends.push(engine.close)
    measureEngine(telemetry, engine)
    const parent = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }
    const before = Date.now()
    for (let count = 0; count < 19; count += 1) await asking({ port: engine.port, path: `/p/${count}?q=1` })
    await asking({ port: engine.port, path: '/fails', headers: parent })
    expect(telemetry?.state()).toBe('waiting')
    const collector = await begin(port)
    await eventually('all spans came', async () => (await spans(collector)).length === 20)
    await eventually('it is seen to be there', async () => telemetry?.state() === 'connected')
    await telemetry?.close()
    await eventually('the last figures came', async () => {
      const requests = await metric(collector, 'kalnet.gateway.requests')
      return requests?.sum?.dataPoints[0]?.asDouble === 20
    })
    const all = await spans(collector)
    expect(new Set(all.map((one) => one.spanId)).size).toBe(20)
    const failed = all.find((one) => flat(one.attributes)['url.path'] === '/fails')
    expect(failed).toMatchObject({
      traceId: 'a'.repeat(32),
      parentSpanId: 'b'.repeat(16),
      name: 'GET /',
      kind: 2,
      status: { code: 2 },
    })
    expect(flat(failed?.attributes)).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': 500,
      'http.route': '/',
      'url.scheme': 'http',
      'url.path': '/fails',
      'server.address': 'photos.localhost',
      'network.protocol.version': '1.1',
      'error.type': '500',
      'kalnet.service': 'photos',
      'kalnet.route': idOf(100),
    })
    for (const one of all) {
      expect(Number(BigInt(one.startTimeUnixNano) / 1_000_000n)).toBeGreaterThanOrEqual(before - 1)
      expect(BigInt(one.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(one.startTimeUnixNano))
    }
    const requests = await metric(collector, 'kalnet.gateway.requests')
    expect(requests?.sum).toMatchObject({ isMonotonic: true, aggregationTemporality: 2 })
    expect(requests?.sum?.dataPoints[0]).toMatchObject({ asDouble: 20 })
    expect((await metric(collector, 'kalnet.gateway.failures'))?.sum?.dataPoints[0]?.asDouble).toBe(1)
    const times = (await metric(collector, 'kalnet.gateway.request.duration'))?.histogram?.dataPoints[0]
    expect(times?.explicitBounds).toEqual(BOUNDS_S)
    expect(times?.bucketCounts?.reduce((sum, one) => sum + Number(one), 0)).toBe(20)
    expect(times?.count).toBe('20')
    expect(JSON.stringify(await collector.taken())).not.toContain('canary')
  })

  it('a gateway of its own, whose control plane is away: what passes it', async () => {
    const collector = await begin()
    const folder = await mkdtemp(join(tmpdir(), 'kalnet-otlp-'))
    ends.push(() => rm(folder, { recursive: true, force: true }))
    const service = await startUpstream((_, response) => void response.end('ok'))
    ends.push(service.close)
    await writeFile(
      join(folder, 'snapshot.json'),
      JSON.stringify(snapshotOf([routeOf()], [endpointOf(service.port)])),
    )
    const config = configSchema.parse({
      telemetry: { otlpUrl: collector.url },
      outbound: { allow: ['127.0.0.1'] },
    })
    const about = { version: '1', clock: systemClock, log }
    const stop = new AbortController()
    const ready = Promise.withResolvers<number>()
    const running = runGatewayAlone({
      ...about,
      telemetry: createTelemetry({ config, name: 'kalnet-gateway', ...about }),
      urls: [new URL('http://127.0.0.1:1')],
      key: 'none',
      name: 'attic',
      listen: { host: '127.0.0.1', httpPort: await freePort(), httpsPort: null, publicHttpsPort: null },
      folder,
      signal: stop.signal,
      drainMs: 100,
      onReady: ({ http }) => ready.resolve(http.port),
    })
    expect((await asking({ port: await ready.promise, path: '/attic' })).text).toBe('ok')
    stop.abort()
    await running.catch(() => undefined)
    await eventually('both came', async () => {
      const requests = await metric(collector, 'kalnet.gateway.requests')
      return requests?.sum?.dataPoints[0]?.asDouble === 1 && (await spans(collector)).length > 0
    })
    expect((await spans(collector)).map((one) => flat(one.attributes)['url.path'])).toEqual(['/attic'])
  })

  it('the whole server: calls of the API by route, the process, connections, and it says that it is told', async () => {
    const collector = await begin()
    const database = await testDatabase()
    ends.push(database.drop)
    const home = await mkdtemp(join(tmpdir(), 'kalnet-otlp-'))
    ends.push(() => rm(home, { recursive: true, force: true }))
    for (const name of ['data', 'config', 'run']) await mkdir(join(home, name))
    const port = await freePort()
    const server = await createServer({
      config: configSchema.parse({
        listen: { port },
        gateway: { enabled: false },
        telemetry: { otlpUrl: collector.url, everyMs: 1_000 },
        outbound: { allow: ['127.0.0.1'] },
      }),
      folders: { data: join(home, 'data'), config: join(home, 'config'), runtime: join(home, 'run') },
      log,
      databaseUrl: database.url,
    })
    let isOpen = true
    const close = async () => {
      if (isOpen) await server.close()
      isOpen = false
    }
    ends.push(close)
    await server.listen()
    const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`
    const path = '/api/sessions/01920000-0000-7000-8000-0000000000ff'
    expect((await askAt({ port }, 'GET', `${path}?key=canary`, { headers: { traceparent } })).status).toBe(
      401,
    )
    await eventually(
      'figures came',
      async () => (await metric(collector, 'kalnet.connections')) !== undefined,
    )
    const status = await askAt(
      { socketPath: join(home, 'run/control.sock') },
      'GET',
      dashboardRoutes.status.path,
    )
    expect(status.status, status.text).toBeLessThan(500)
    // What was not sent yet goes when it stops.
    await close()
    const calls = async () =>
      (await metric(collector, 'http.server.request.duration'))?.histogram?.dataPoints ?? []
    await eventually('the last figures came', async () => (await calls()).length > 0)
    const span = (await spans(collector)).find((one) => one.traceId === 'c'.repeat(32))
    expect(span).toMatchObject({ name: 'GET /api/sessions/:id', parentSpanId: 'd'.repeat(16) })
    const text = JSON.stringify(await collector.taken())
    expect(text).not.toContain('canary')
    expect(text).not.toContain('0000000000ff')
    expect((await calls()).map((one) => flat(one.attributes))).toContainEqual({
      'http.request.method': 'GET',
      'http.route': '/api/sessions/:id',
      'http.response.status_code': 401,
      'url.scheme': 'http',
    })
    for (const name of ['process.memory.usage', 'process.cpu.time', 'kalnet.telemetry.dropped'])
      expect((await metric(collector, name))?.sum?.dataPoints.length, name).toBeGreaterThan(0)
    expect((await metric(collector, 'nodejs.eventloop.delay.p99'))?.gauge?.dataPoints).toHaveLength(1)
    expect(await metric(collector, 'kalnet.instances')).toBeDefined()
  })
})
