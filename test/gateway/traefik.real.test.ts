/**
 * A real Traefik given what we render for it, beside our own gateway with the same snapshot: every request is asked of both, and
 * both must lead it to the same service, in the same form, as the same person. Forward-auth is a small server that answers as ours does;
 * that ours answers so is proved with the dashboard's own address in `apps/`.
 */

import { createSocket } from 'node:dgram'
import { createServer, type IncomingHttpHeaders, type Server, request as send } from 'node:http'
import { connect, createServer as createTcp } from 'node:net'
import { FORWARD_HEADERS } from '@kalnet/contracts/forward'
import type { Snapshot } from '@kalnet/contracts/gateway'
import {
  endpointOf,
  idOf,
  portOf,
  routeOf,
  snapshotOf,
  startEngine,
  type TestEngine,
} from '@kalnet/server/gateway/engine/testing/bench'
import { renderTraefik, tcpEntry, udpEntry } from '@kalnet/server/gateway/render/traefik'
import { freePort } from '@kalnet/server/testing/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTraefik, type Traefik } from '../peers/60-traefik.ts'
import { eventually } from '../support/eventually.ts'
import { lacking } from '../support/parts.ts'

const skip = await lacking(['traefik'], 'a real Traefik routes by what we render, as our own gateway does')

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: { service?: string; url?: string; headers?: IncomingHttpHeaders; bytes?: number }
}
interface Asking {
  path?: string
  method?: string
  headers?: Record<string, string>
  body?: string
}

const listen = (server: Server) =>
  new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve(portOf(server))))
function ask(
  port: number,
  host: string,
  { path = '/', method = 'GET', headers = {}, body }: Asking = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = send({ host: '127.0.0.1', port, path, method, headers: { host, ...headers } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      answer.on('end', () => {
        const parsed = answer.headers['content-type'] === 'application/json' ? JSON.parse(text) : {}
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: parsed.error ? {} : parsed })
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}

describe.skipIf(skip)('[NET-2.routed] a real Traefik and our own gateway, given one snapshot', () => {
  const servers: Server[] = []
  const at: Record<string, number> = {}
  let traefik: Traefik
  let engine: TestEngine
  let provider: Server
  let given: Snapshot
  let tcpPort: number
  let udpPort: number
  const echoTcp = createTcp((socket) => void socket.on('data', (data) => socket.end(`tcp ${data}`)))
  const echoUdp = createSocket('udp4')

  /** Tells who it is and what it heard. */
  async function service(name: string) {
    const server = createServer((request, response) => {
      let bytes = 0
      request.on('data', (piece: Buffer) => {
        bytes += piece.length
      })
      request.on('end', () => {
        if (request.url === '/broken') return void response.writeHead(503).end()
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ service: name, url: request.url, headers: request.headers, bytes }))
      })
    })
    servers.push(server)
    at[name] = await listen(server)
  }
  /** As /api/forward-auth answers, for one person whose pass is `ada`. */
  const judged = (headers: IncomingHttpHeaders) => {
    const cookie = headers.cookie ?? ''
    if (cookie.includes('kalnet-pass=ada'))
      return {
        status: 200,
        headers: { 'X-Kalnet-User': 'ada', Cookie: 'theirs=1' } as Record<string, string>,
      }
    return { status: 401, headers: {} as Record<string, string> }
  }

  beforeAll(async () => {
    for (const name of ['photos', 'deep', 'star', 'old', 'new']) await service(name)
    await new Promise<void>((resolve) => echoTcp.listen(0, '127.0.0.1', resolve))
    await new Promise<void>((resolve) => echoUdp.bind(0, '127.0.0.1', resolve))
    echoUdp.on('message', (message, from) => echoUdp.send(`udp ${message}`, from.port, from.address))
    ;[tcpPort, udpPort] = [await freePort(), await freePort()]
    const to = (number: number, name: string, rest: object = {}) =>
      endpointOf(at[name] ?? 0, { serviceId: idOf(number), ...rest })
    const { port: tcpAt } = echoTcp.address() as { port: number }
    given = snapshotOf(
      [
        routeOf({ id: idOf(101), serviceId: idOf(1) }),
        routeOf({
          id: idOf(102),
          serviceId: idOf(2),
          match: { kind: 'http', host: 'photos.localhost', pathPrefix: '/deep', strip: true },
        }),
        routeOf({ id: idOf(103), serviceId: idOf(3), host: '*.wild.localhost' }),
        routeOf({ id: idOf(104), serviceId: idOf(1), host: 'mine.localhost', access: 'people' }),
        routeOf({
          id: idOf(105),
          serviceId: idOf(4),
          host: 'canary.localhost',
          policy: { canary: [{ release: 2, percent: 25 }] },
        }),
        routeOf({
          id: idOf(106),
          serviceId: idOf(1),
          host: 'few.localhost',
          policy: { rate: { perSecond: 0.02, burst: 3, by: 'client' } },
        }),
        routeOf({ id: idOf(107), serviceId: idOf(1), host: 'small.localhost', policy: { bodyBytes: 10 } }),
        routeOf({ id: idOf(108), serviceId: idOf(1), host: 'stay.localhost', policy: { sticky: true } }),
        routeOf({ id: idOf(109), serviceId: idOf(5), host: 'nobody.localhost' }),
        routeOf({ id: idOf(110), serviceId: idOf(6), match: { kind: 'tcp', listen: tcpPort } }),
        routeOf({ id: idOf(111), serviceId: idOf(7), match: { kind: 'udp', listen: udpPort } }),
      ],
      [
        to(1, 'photos'),
        to(2, 'deep'),
        to(3, 'star'),
        to(4, 'old', { id: idOf(900), release: 1 }),
        to(4, 'new', { id: idOf(901), release: 2 }),
        endpointOf(tcpAt, { serviceId: idOf(6), kind: 'tcp' }),
        endpointOf(echoUdp.address().port, { serviceId: idOf(7), kind: 'udp' }),
      ],
    )
    provider = createServer((request, response) => {
      if (request.url?.startsWith('/ask')) {
        const { status, headers } = judged(request.headers)
        // Routes that are open to everybody are asked about, too: that is how our cookies never go on.
        const open = request.headers['x-forwarded-host'] !== 'mine.localhost'
        return void response.writeHead(open ? 200 : status, open ? {} : headers).end()
      }
      if (request.headers.authorization !== 'Bearer key') return void response.writeHead(401).end()
      const { config } = renderTraefik(given, {
        entryPoints: { web: 'web', secure: null },
        resolver: null,
        forwardAuth: `http://127.0.0.1:${portOf(provider)}/ask`,
        own: { hosts: ['kalnet.localhost'], url: `http://127.0.0.1:${at.star}` },
        trust: null,
        reach: ({ direct }) => direct,
      })
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(config))
    })
    servers.push(provider)
    await listen(provider)
    const [traefikTcp, traefikUdp] = [await freePort(), await freePort()]
    traefik = await startTraefik({
      endpoint: `http://127.0.0.1:${portOf(provider)}/config`,
      headers: { authorization: 'Bearer key' },
      entries: {
        [tcpEntry(tcpPort)]: { kind: 'tcp', port: traefikTcp },
        [udpEntry(udpPort)]: { kind: 'udp', port: traefikUdp },
      },
    })
    engine = await startEngine(given, {
      async judge(asked) {
        const { status, headers } = judged(asked.headers)
        return status === 200
          ? { pass: true, headers, drop: [...FORWARD_HEADERS], signInId: null, userId: 'ada' }
          : { pass: false, status, headers, body: '' }
      },
    })
  })
  afterAll(async () => {
    await traefik?.stop()
    await engine?.close()
    echoTcp.close()
    echoUdp.close()
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
  })

  it('understands every route, and none is broken', async () => {
    for (const kind of ['http', 'tcp', 'udp'] as const) {
      const ours = (await traefik.routers(kind)).filter((it) => it.name.endsWith('@http'))
      const wanted = given.routes.filter((it) => it.match.kind === kind).length + (kind === 'http' ? 1 : 0)
      expect(ours.length).toBe(wanted)
      expect(ours.filter((it) => it.status !== 'enabled')).toEqual([])
    }
  })

  const cases: [
    name: string,
    host: string,
    asking: Asking,
    expected: { status: number; service?: string; url?: string },
  ][] = [
    ['a host', 'photos.localhost', {}, { status: 200, service: 'photos', url: '/' }],
    [
      'with a query',
      'photos.localhost',
      { path: '/a?b=c%20d' },
      { status: 200, service: 'photos', url: '/a?b=c%20d' },
    ],
    [
      'a path below, stripped',
      'photos.localhost',
      { path: '/deep/x?y=1' },
      { status: 200, service: 'deep', url: '/x?y=1' },
    ],
    [
      'a path that only begins so',
      'photos.localhost',
      { path: '/deeper' },
      { status: 200, service: 'photos', url: '/deeper' },
    ],
    ['a name below a star', 'a.wild.localhost', {}, { status: 200, service: 'star' }],
    ['two names below a star', 'a.b.wild.localhost', {}, { status: 404 }],
    ['nobody knows it', 'unknown.localhost', {}, { status: 404 }],
    ['no instance', 'nobody.localhost', {}, { status: 503 }],
    ['not signed in', 'mine.localhost', {}, { status: 401 }],
    [
      'signed in',
      'mine.localhost',
      { headers: { cookie: 'kalnet-pass=ada; theirs=1' } },
      { status: 200, service: 'photos' },
    ],
    [
      'a body',
      'photos.localhost',
      { method: 'POST', body: 'x'.repeat(5_000) },
      { status: 200, service: 'photos' },
    ],
    ['too large a body', 'small.localhost', { method: 'POST', body: 'x'.repeat(5_000) }, { status: 413 }],
    ['small enough', 'small.localhost', { method: 'POST', body: 'x' }, { status: 200, service: 'photos' }],
    ['a failure of the service', 'photos.localhost', { path: '/broken' }, { status: 503 }],
  ]
  it.each(cases)('%s', async (_name, host, asking, expected) => {
    for (const [who, port] of [
      ['Traefik', traefik.port],
      ['ours', engine.port],
    ] as const) {
      const { status, body } = await ask(port, host, asking)
      expect({ who, status }).toEqual({ who, status: expected.status })
      if (expected.service) expect({ who, service: body.service }).toEqual({ who, service: expected.service })
      if (expected.url) expect({ who, url: body.url }).toEqual({ who, url: expected.url })
      if (asking.body && status === 200)
        expect({ who, bytes: body.bytes }).toEqual({ who, bytes: asking.body.length })
    }
  })

  it('nobody names himself, at either: what the client claims is gone, what was judged is there', async () => {
    for (const port of [traefik.port, engine.port]) {
      const open = await ask(port, 'photos.localhost', {
        headers: { 'X-Kalnet-User': 'eve', 'x-kalnet-role': 'owner' },
      })
      expect(open.body.headers?.['x-kalnet-user']).toBeUndefined()
      expect(open.body.headers?.['x-kalnet-role']).toBeUndefined()
      const mine = await ask(port, 'mine.localhost', {
        headers: { 'X-Kalnet-User': 'eve', 'X-Kalnet-Groups': 'all', cookie: 'kalnet-pass=ada; theirs=1' },
      })
      expect(mine.body.headers).toMatchObject({ 'x-kalnet-user': 'ada', cookie: 'theirs=1' })
      expect(mine.body.headers?.['x-kalnet-groups']).toBeUndefined()
    }
  })

  it('a quarter goes to the canary, at both', async () => {
    for (const port of [traefik.port, engine.port]) {
      let canary = 0
      for (let count = 0; count < 200; count++)
        canary += Number((await ask(port, 'canary.localhost')).body.service === 'new')
      // Traefik deals the cards in turn, ours by chance with a kept share: within a tenth of all.
      expect(canary).toBeGreaterThan(30)
      expect(canary).toBeLessThan(70)
    }
  })

  it('three at once and no more, at both', async () => {
    for (const port of [traefik.port, engine.port]) {
      const statuses = []
      for (let count = 0; count < 6; count++) statuses.push((await ask(port, 'few.localhost')).status)
      expect(statuses).toEqual([200, 200, 200, 429, 429, 429])
    }
  })

  it('a visitor stays, at both, by a cookie', async () => {
    for (const port of [traefik.port, engine.port]) {
      const { headers } = await ask(port, 'stay.localhost')
      expect(headers['set-cookie']?.length).toBe(1)
    }
  })

  it('TCP and UDP pass, at both', async () => {
    const overTcp = (port: number) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write('hello'))
        socket.on('error', reject)
        socket.on('data', (data) => resolve(String(data)))
      })
    const overUdp = async (port: number) => {
      const socket = createSocket('udp4')
      let heard = ''
      socket.on('message', (message) => {
        heard = String(message)
      })
      socket.send('hello', port, '127.0.0.1')
      await eventually('an answer by UDP', async () => heard !== '', 5_000)
      socket.close()
      return heard
    }
    for (const port of [traefik.ports[tcpEntry(tcpPort)] ?? 0, tcpPort])
      expect(await overTcp(port)).toBe('tcp hello')
    for (const port of [traefik.ports[udpEntry(udpPort)] ?? 0, udpPort])
      expect(await overUdp(port)).toBe('udp hello')
  })

  it('a change of routes is taken over by both without a restart', async () => {
    const added = routeOf({ id: idOf(120), serviceId: idOf(2), host: 'later.localhost' })
    given = { ...given, version: 'later', routes: [...given.routes, added] }
    await engine.apply(given)
    expect((await ask(engine.port, 'later.localhost')).body.service).toBe('deep')
    await eventually(
      'Traefik has it',
      async () => (await ask(traefik.port, 'later.localhost')).status === 200,
      10_000,
    )
    expect((await ask(traefik.port, 'later.localhost')).body.service).toBe('deep')
  })
})
