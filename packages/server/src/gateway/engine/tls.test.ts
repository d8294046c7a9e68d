/** TLS at the gateway: a certificate for each name, HTTP/2 and HTTP/1.1, redirects, sessions that are resumed, services with certificates. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectHttp2, constants } from 'node:http2'
import { request as askSecure, createServer as createHttps } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createSecureContext, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { ensureTls, type Tls } from '../../core/tls.ts'
import {
  endpointOf,
  idOf,
  portOf,
  routeOf,
  snapshotOf,
  startEngine,
  type TestEngine,
} from './testing/bench.ts'
import { asking, echo, type Heard, startUpstream } from './testing/upstream.ts'

let folder: string
let tls: Tls
let service: Heard
let gateway: TestEngine
const asked: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kn-gateway-tls-'))
  tls = await ensureTls(folder, ['photos.home.arpa', 'secret', 'kalnet.home.arpa'])
  service = await startUpstream(echo)
  gateway = await startEngine(
    snapshotOf([routeOf({ host: 'photos.home.arpa' })], [endpointOf(service.port)]),
    {
      listen: { httpsPort: 0 },
      certificateFor: (name) => {
        asked.push(name)
        return createSecureContext({ key: tls.key, cert: tls.certificate })
      },
      challenge: (host, token) => (host === 'photos.home.arpa' && token === 'abc' ? 'abc.key' : null),
      own: {
        hosts: () => ['kalnet.home.arpa'],
        request: (request, response) =>
          void response.end(`${request.headers.host} ${request.method} ${request.httpVersion}`),
        upgrade: (_, socket) => void socket.destroy(),
      },
    },
  )
})
afterAll(async () => {
  await gateway?.close()
  await service?.close()
  await rm(folder, { recursive: true, force: true })
})

const secure = (host: string, path = '/') =>
  new Promise<{ status: number; text: string; headers: Record<string, unknown> }>((resolve, reject) => {
    const out = askSecure(
      {
        host: '127.0.0.1',
        port: gateway.securePort,
        servername: host,
        path,
        headers: { host },
        ca: tls.authority,
        agent: false,
      },
      (answer) => {
        let text = ''
        answer.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }))
      },
    )
    out.on('error', reject)
    out.end()
  })

describe('[NET-1.tls] TLS', () => {
  it('HTTP/1.1 with the certificate of the name, and says so to the service', async () => {
    const { status, text, headers } = await secure('photos.home.arpa', '/a')
    expect(status).toBe(200)
    const heard = JSON.parse(text)
    expect(heard.rawHeaders[heard.rawHeaders.indexOf('X-Forwarded-Proto') + 1]).toBe('https')
    expect(headers['strict-transport-security']).toBe('max-age=31536000')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(asked).toContain('photos.home.arpa')
  })
  it('HTTP/2: many at once, bodies, trailers and the dashboard', async () => {
    const session = connectHttp2(`https://127.0.0.1:${gateway.securePort}`, {
      servername: 'photos.home.arpa',
      ca: tls.authority,
    })
    const ask = (headers: Record<string, string>, body?: string) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        const stream = session.request({ ':authority': 'photos.home.arpa', ...headers })
        let status = 0
        let text = ''
        stream.on('response', (answer) => {
          status = Number(answer[':status'])
        })
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        stream.on('end', () => resolve({ status, text }))
        stream.on('error', reject)
        stream.end(body)
      })
    const all = await Promise.all([
      ask({ ':path': '/one' }),
      ask({ ':path': '/two', ':method': 'POST', cookie: 'a=1; kalnet-at=x' }, 'body'),
      ask({ ':path': '/three', ':authority': 'kalnet.home.arpa' }),
    ])
    const [one, two] = all.slice(0, 2).map(({ text }) => JSON.parse(text))
    expect([one.method, one.url, two.method, two.body]).toEqual(['GET', '/one', 'POST', 'body'])
    expect(two.rawHeaders[two.rawHeaders.indexOf('Cookie') + 1]).toBe('a=1')
    expect(two.rawHeaders[two.rawHeaders.indexOf('Host') + 1]).toBe('photos.home.arpa')
    expect(all[2]?.text).toBe('kalnet.home.arpa GET 2.0')
    session.close()
  })
  it('a WebSocket, and another upgrade as the plain request it is', async () => {
    const sockets = new WebSocketServer({ server: service.server })
    sockets.on('connection', (socket) => socket.send('secure'))
    const socket = new WebSocket(`wss://127.0.0.1:${gateway.securePort}/`, {
      headers: { host: 'photos.home.arpa' },
      ca: tls.authority,
      // The types of ws know only what node:http takes.
      ...{ servername: 'photos.home.arpa' },
    })
    expect(String((await once(socket, 'message'))[0])).toBe('secure')
    socket.terminate()
    const plain = connect({
      host: '127.0.0.1',
      port: gateway.securePort,
      servername: 'photos.home.arpa',
      ca: tls.authority,
    })
    plain.write('GET / HTTP/1.1\r\nHost: photos.home.arpa\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
    expect(String((await once(plain, 'data'))[0])).toContain('HTTP/1.1 200 OK')
    plain.destroy()
  })
  it('resumes a session without another full handshake', async () => {
    const shake = (session?: Buffer) =>
      new Promise<{ socket: TLSSocket; ticket: Buffer }>((resolve, reject) => {
        const socket = connect({
          host: '127.0.0.1',
          port: gateway.securePort,
          servername: 'photos.home.arpa',
          ca: tls.authority,
          ALPNProtocols: ['http/1.1'],
          session,
        })
        socket.once('error', reject)
        let ticket = Buffer.alloc(0)
        socket.on('session', (given) => {
          ticket = given
        })
        socket.once('data', () => resolve({ socket, ticket }))
        socket.once('secureConnect', () => socket.write('GET / HTTP/1.1\r\nhost: photos.home.arpa\r\n\r\n'))
      })
    const first = await shake()
    expect([first.socket.isSessionReused(), first.socket.alpnProtocol]).toEqual([false, 'http/1.1'])
    first.socket.destroy()
    const second = await shake(first.ticket)
    expect(second.socket.isSessionReused()).toBe(true)
    second.socket.destroy()
  })
  it('nothing is shown under a name that leads nowhere', async () => {
    await expect(secure('nobody.home.arpa')).rejects.toThrow()
    expect(asked).not.toContain('nobody.home.arpa')
  })
  it('a name that its certificate does not cover leads where it always does', async () => {
    const session = connectHttp2(`https://127.0.0.1:${gateway.securePort}`, {
      servername: 'photos.home.arpa',
      ca: tls.authority,
    })
    const stream = session.request({ ':authority': 'nobody.home.arpa', ':path': '/' })
    stream.resume()
    const [answer] = await once(stream, 'response')
    expect(answer[constants.HTTP2_HEADER_STATUS]).toBe(404)
    session.destroy()
  })
})

describe('[NET-1.redirect] plain http', () => {
  it.each([
    ['a page', 'photos.home.arpa', '/a?b=1', 308, '/a?b=1'],
    ['the dashboard', 'kalnet.home.arpa', '/', 308, '/'],
    ['an unknown name', 'nobody.home.arpa', '/', 404, null],
    ['a challenge of an authority', 'photos.home.arpa', '/.well-known/acme-challenge/abc', 200, null],
    [
      'a challenge of nobody',
      'photos.home.arpa',
      '/.well-known/acme-challenge/x',
      308,
      '/.well-known/acme-challenge/x',
    ],
  ])('%s', async (_, host, path, status, to) => {
    const answer = await asking({ port: gateway.port, host, path })
    expect(answer.status).toBe(status)
    if (to) expect(answer.headers.location).toBe(`https://${host}:${gateway.securePort}${to}`)
    if (status === 200) expect(answer.text).toBe('abc.key')
  })
})

it('[MSH-3.timeouts] a service with a certificate is asked by ours, and only believed with its own', async () => {
  const context = createSecureContext({ key: tls.key, cert: tls.certificate, ca: tls.authority })
  const server = createHttps(
    { key: tls.key, cert: tls.certificate, ca: tls.authority, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate()
      response.end(`asked by ${subject?.CN ?? 'nobody'}`)
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const route = (name: string, id: number) =>
    routeOf({ id: idOf(id), host: `${name}.localhost`, serviceName: name, upstreamTls: 'mutual' })
  const engine = await startEngine(
    snapshotOf([route('secret', 1), route('other', 2)], [endpointOf(portOf(server))]),
    { upstreamIdentity: () => context },
  )
  expect((await asking({ port: engine.port, host: 'secret.localhost' })).text).toBe('asked by Kalnet')
  // Its certificate is of another name.
  expect((await asking({ port: engine.port, host: 'other.localhost' })).status).toBe(502)
  await engine.close()
  server.closeAllConnections()
  server.close()
})
