/** The whole path through the engine: hosts and paths, bodies and WebSockets, verdicts, changes while it serves. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { endpointOf, idOf, routeOf, snapshotOf, startEngine, type TestEngine } from './testing/bench.ts'
import { asking, echo, startUpstream } from './testing/upstream.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
const upstream = async (...given: Parameters<typeof startUpstream>) => {
  const started = await startUpstream(...given)
  ends.push(started.close)
  return started
}
const engine = async (...given: Parameters<typeof startEngine>): Promise<TestEngine> => {
  const started = await startEngine(...given)
  ends.push(started.close)
  return started
}

describe('a request through the gateway', () => {
  it('[NET-1.host] reaches the service of its host and path, in turn, and comes back whole', async () => {
    const [one, other] = [
      await upstream((_, it) => it.end('one')),
      await upstream((_, it) => it.end('other')),
    ]
    const api = await upstream(echo)
    const gateway = await engine(
      snapshotOf(
        [
          routeOf(),
          routeOf({
            id: idOf(101),
            serviceId: idOf(2),
            match: { kind: 'http', host: 'photos.localhost', pathPrefix: '/api', strip: true },
          }),
        ],
        [endpointOf(one.port), endpointOf(other.port), endpointOf(api.port, { serviceId: idOf(2) })],
      ),
    )
    const got = []
    for (let turn = 0; turn < 4; turn += 1) got.push((await asking({ port: gateway.port })).text)
    expect(got.sort()).toEqual(['one', 'one', 'other', 'other'])
    const body = JSON.parse(
      (await asking({ port: gateway.port, path: '/api/list?x=1', method: 'POST', body: 'hello' })).text,
    )
    expect(body).toMatchObject({ method: 'POST', url: '/list?x=1', body: 'hello' })
    expect(body.rawHeaders).toContain('X-Forwarded-Prefix')
    expect((await asking({ port: gateway.port, host: 'kalnet.localhost' })).text).toBe('the dashboard')
  })
  it('[NET-3.bodies] passes WebSockets both ways, and ends them with their sign-in [NET-3.cut]', async () => {
    const service = await upstream(echo)
    const sockets = new WebSocketServer({ server: service.server })
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`heard ${data}`)))
    const gateway = await engine(snapshotOf([routeOf({ access: 'people' })], [endpointOf(service.port)]), {
      judge: async () => ({ pass: true, headers: {}, drop: [], signInId: 'sign-in', userId: null }),
    })
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/live`, {
      headers: { host: 'photos.localhost' },
    })
    await once(socket, 'open')
    socket.send('hello')
    expect(String((await once(socket, 'message'))[0])).toBe('heard hello')
    expect(gateway.figures()[0]).toMatchObject({ requests: 1, open: 1, failures: 0 })
    const closed = once(socket, 'close')
    expect(gateway.cut('sign-in')).toBe(1)
    await closed
    expect(gateway.figures()[0]?.open).toBe(0)
    expect(gateway.cut('sign-in')).toBe(0)
  })
  it('[MSH-3.changed] changes while a connection is open', async () => {
    const [old, fresh] = [await upstream((_, it) => it.end('old')), await upstream((_, it) => it.end('new'))]
    const gateway = await engine(snapshotOf([routeOf()], [endpointOf(old.port)]))
    const socket = connect(gateway.port, '127.0.0.1')
    ends.push(() => socket.destroy())
    const ask = async () => {
      socket.write('GET / HTTP/1.1\r\nhost: photos.localhost\r\n\r\n')
      return String((await once(socket, 'data'))[0]).slice(-3)
    }
    expect(await ask()).toBe('old')
    await gateway.apply(snapshotOf([routeOf()], [endpointOf(fresh.port)]))
    expect(await ask()).toBe('new')
    await gateway.apply(snapshotOf([], []))
    expect((await asking({ port: gateway.port })).status).toBe(404)
  })
  it('[NET-1.pages] says kindly when there is nothing, or it may not pass', async () => {
    const gateway = await engine(
      snapshotOf([routeOf(), routeOf({ id: idOf(101), host: 'door.localhost', access: 'people' })], []),
      {
        judge: async () => ({
          pass: false,
          status: 302,
          headers: { location: 'https://home/enter' },
          body: '',
        }),
      },
    )
    const page = await asking({ port: gateway.port, headers: { accept: 'text/html' } })
    expect(page.status).toBe(503)
    expect(page.text).toContain('photos is not there at the moment.')
    expect(page.headers['content-type']).toContain('text/html')
    const nobody = await asking({ port: gateway.port, host: 'nobody.localhost' })
    expect([nobody.status, JSON.parse(nobody.text).error.code]).toEqual([404, 'gateway-route.unknown'])
    const sent = await asking({ port: gateway.port, host: 'door.localhost' })
    expect([sent.status, sent.headers.location]).toEqual([302, 'https://home/enter'])
  })
  it('[NET-3.bodies] goes through the tunnel where the instance is on another machine', async () => {
    const service = await upstream(echo)
    const tunnel = { controllerId: idOf(8), instanceId: idOf(9) }
    const dialled: unknown[] = []
    const gateway = await engine(
      snapshotOf(
        [routeOf()],
        [endpointOf(service.port, { direct: { host: '127.0.0.1', port: 1, machine: 'elsewhere' }, tunnel })],
      ),
      {
        machine: 'here',
        dialTunnel: async (to, port) => {
          dialled.push([to, port])
          const socket = connect(service.port, '127.0.0.1')
          await once(socket, 'connect')
          return socket
        },
      },
    )
    expect(JSON.parse((await asking({ port: gateway.port, path: '/x' })).text).url).toBe('/x')
    expect(dialled).toEqual([[tunnel, 'http']])
  })
  it('[MSH-3.retries] what is still being connected when its instance goes is tried elsewhere at once', async () => {
    const service = await upstream((_, it) => it.end('elsewhere'))
    const dialled = Promise.withResolvers<void>()
    const silent = endpointOf(1, { direct: null, tunnel: { controllerId: idOf(8), instanceId: idOf(9) } })
    const gateway = await engine(snapshotOf([routeOf()], [silent]), {
      // Its address went with it: nobody refuses.
      dialTunnel: (_, __, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
          dialled.resolve()
        }),
    })
    const asked = asking({ port: gateway.port, method: 'POST', body: 'once' })
    await dialled.promise
    await gateway.apply(snapshotOf([routeOf()], [endpointOf(service.port)]))
    expect(await asked).toMatchObject({ status: 200, text: 'elsewhere' })
    expect(gateway.figures()[0]).toMatchObject({ requests: 1, retries: 1, failures: 0 })
  })
  it('[NET-5.finishing] knows where something is open, also where nothing new goes', async () => {
    const [old, fresh] = [await upstream(echo), await upstream(echo)]
    const sockets = new WebSocketServer({ server: old.server })
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`heard ${data}`)))
    const [one, other] = [endpointOf(old.port), endpointOf(fresh.port, { release: 2 })]
    const gateway = await engine(snapshotOf([routeOf()], [one]))
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/`, { headers: { host: 'photos.localhost' } })
    await once(socket, 'open')
    await expect.poll(() => [...gateway.open()]).toEqual([[one.id, 1]])
    expect(gateway.finishing()).toEqual([])
    await gateway.apply(snapshotOf([routeOf()], [other]))
    expect([[...gateway.open()], gateway.finishing()]).toEqual([[[one.id, 1]], [one.id]])
    socket.send('still here')
    expect(String((await once(socket, 'message'))[0])).toBe('heard still here')
    expect((await asking({ port: gateway.port })).status).toBe(200)
    socket.close()
    await expect.poll(() => [...gateway.open()]).toEqual([])
    expect(gateway.finishing()).toEqual([])
  })
})
