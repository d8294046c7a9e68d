/** The way from the gateway to a service made slow, broken and dead by a real toxiproxy: whoever asks gets an answer, and gets well again. */
import { once } from 'node:events'
import {
  endpointOf,
  idOf,
  routeOf,
  snapshotOf,
  startEngine,
  type TestEngine,
} from '@kalnet/server/gateway/engine/testing/bench'
import { asking, echo, type Heard, startUpstream } from '@kalnet/server/gateway/engine/testing/upstream'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { startToxiproxy, type Toxiproxy } from '../peers/70-toxiproxy.ts'
import { lacking } from '../support/parts.ts'

const skip = await lacking(['toxiproxy'], 'the gateway with a slow, broken and dead way to a service')

describe.skipIf(skip)('a bad way to a service', () => {
  let toxiproxy: Toxiproxy
  let service: Heard
  let other: Heard
  let bad: number
  let gateway: TestEngine
  beforeAll(async () => {
    toxiproxy = await startToxiproxy()
    service = await startUpstream((request, response) => {
      if (request.url === '/large')
        response.writeHead(200, { 'content-length': '100000' }).end('x'.repeat(100_000))
      else echo(request, response)
    })
    new WebSocketServer({ server: service.server }).on('connection', (socket) =>
      socket.on('message', (data) => socket.send(data)),
    )
    other = await startUpstream(echo)
    bad = await toxiproxy.between('bad', service.port)
    gateway = await startEngine(snapshotOf([], []))
  })
  afterAll(async () => {
    await gateway?.close()
    await service?.close()
    await other?.close()
    await toxiproxy?.stop()
  })
  let poisons: string[] = []
  const poison = async (type: string, attributes: object) => {
    poisons.push(type)
    await toxiproxy.poison('bad', type, attributes)
  }
  const heal = async () => {
    await toxiproxy.heal('bad', poisons)
    poisons = []
    await toxiproxy.enable('bad', true)
  }
  afterEach(heal)
  let last = 100
  /** A route of its own for each test: what is counted begins at nothing. */
  const over = async (policy: object, ...ports: number[]) => {
    last += 1
    await gateway.apply(
      snapshotOf(
        [routeOf({ id: idOf(last), policy })],
        ports.map((port) => endpointOf(port)),
      ),
    )
  }
  const statuses = async (count: number, method = 'GET') => {
    const all = []
    for (let turn = 0; turn < count; turn += 1)
      all.push((await asking({ port: gateway.port, method })).status)
    return all
  }

  it('[MSH-3.timeouts] too slow: says so, and well again it answers', async () => {
    await over({ timeouts: { answerMs: 300, connectMs: 300 } }, bad)
    await poison('latency', { latency: 3_000 })
    const late = await asking({ port: gateway.port, headers: { accept: 'text/html' } })
    expect(late.status).toBe(504)
    expect(late.text).toContain('photos took too long to answer.')
    await heal()
    expect(await statuses(3)).toEqual([200, 200, 200])
  })
  it('[MSH-3.retries] reset in the middle: asked elsewhere, but a change is never made twice', async () => {
    await over({ outlier: null }, bad, other.port)
    await poison('reset_peer', { timeout: 0 })
    expect(await statuses(8)).toEqual(Array(8).fill(200))
    expect((await statuses(4, 'POST')).sort()).toEqual([200, 200, 502, 502])
    expect(gateway.figures()[0]?.failures).toBe(2)
  })
  it('[MSH-3.retries] [MSH-3.outlier] cut: everything goes elsewhere, and one that fails is left out', async () => {
    await over({ outlier: { failures: 2 } }, bad, other.port)
    await toxiproxy.enable('bad', false)
    expect(await statuses(6, 'POST')).toEqual(Array(6).fill(200))
    const before = gateway.figures()[0]?.retries
    expect(before).toBe(2)
    expect(await statuses(6)).toEqual(Array(6).fill(200))
    expect(gateway.figures()[0]?.retries).toBe(before)
  })
  it('[NET-3.bodies] closes slowly: what came whole is whole', async () => {
    await over({}, bad)
    await poison('slow_close', { delay: 1_000 })
    expect(await statuses(4)).toEqual([200, 200, 200, 200])
    expect((await asking({ port: gateway.port, path: '/large' })).text.length).toBe(100_000)
  })
  it('[NET-3.bodies] ends in the middle of a body: nobody takes it for whole', async () => {
    await over({}, bad)
    await poison('limit_data', { bytes: 20_000 })
    await expect(asking({ port: gateway.port, path: '/large' })).rejects.toThrow(/aborted|hang up|ECONNRESET/)
    await expect.poll(() => gateway.figures()[0]?.open).toBe(0)
  })
  it('[MSH-3.breaker] dead: the breaker opens, and closes when it is there again', async () => {
    await over({ breaker: { requests: 4, openMs: 200 }, retries: { attempts: 0 } }, bad)
    await toxiproxy.enable('bad', false)
    expect(await statuses(5)).toEqual([502, 502, 502, 502, 503])
    expect(gateway.figures()[0]?.breaker).toBe('open')
    await toxiproxy.enable('bad', true)
    await expect.poll(async () => (await asking({ port: gateway.port })).status).toBe(200)
    expect(gateway.figures()[0]?.breaker).toBe('closed')
  })
  it('[NET-3.bodies] an open WebSocket that is cut is closed for its client', async () => {
    await over({}, bad)
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/`, { headers: { host: 'photos.localhost' } })
    await once(socket, 'open')
    socket.send('here')
    expect(String((await once(socket, 'message'))[0])).toBe('here')
    const closed = once(socket, 'close')
    await toxiproxy.enable('bad', false)
    await closed
    await expect.poll(() => gateway.figures()[0]?.open).toBe(0)
  })
})
