/** Requests that could be read in two ways: each is refused, or reaches the service in one plain reading, checked byte by byte. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectHttp2, constants } from 'node:http2'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ensureTls } from '../../core/tls.ts'
import { endpointOf, routeOf, snapshotOf, startEngine, type TestEngine } from './testing/bench.ts'
import { asking, echo, type Recorder, rawly, startRecorder, startUpstream } from './testing/upstream.ts'

let recorder: Recorder
let gateway: TestEngine
const limits = { headersMs: 400, bodyMs: 300, stallMs: 300 }
beforeEach(async () => {
  recorder = await startRecorder()
  gateway = await startEngine(snapshotOf([routeOf()], [endpointOf(recorder.port)]), { limits })
})
afterEach(async () => {
  await gateway.close()
  await recorder.close()
})

const HOST = 'Host: photos.localhost\r\n'
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: photos.localhost\r\n\r\n'
/** What was said about the request itself, in what reached the service. */
const heard = () =>
  recorder.connections
    .filter((it) => it.length > 0)
    .map((bytes) => {
      const text = bytes.toString('latin1')
      const [head = '', ...rest] = text.split('\r\n\r\n')
      const [line = '', ...headers] = head.split('\r\n')
      const framing = headers.filter((it) =>
        /^(content.length|transfer.encoding|host|expect|upgrade)\b/i.test(it),
      )
      return { line, framing, body: rest.join('\r\n\r\n') }
    })
const post = (headers: string, body: string) => `POST /a HTTP/1.1\r\n${HOST}${headers}\r\n${body}`
const get = (headers: string, line = 'GET /a HTTP/1.1') => `${line}\r\n${headers}\r\n`

const REFUSED: [string, string][] = [
  [
    'content-length and transfer-encoding',
    post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  ],
  [
    'transfer-encoding and content-length',
    post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `0\r\n\r\n${SMUGGLED}`),
  ],
  ['two lengths that differ', post('Content-Length: 0\r\nContent-Length: 60\r\n', SMUGGLED)],
  ['two lengths in one', post('Content-Length: 0, 60\r\n', SMUGGLED)],
  ['two lengths that agree', post('Content-Length: 2\r\nContent-Length: 2\r\n', 'ab')],
  ['a length with a sign', post('Content-Length: +2\r\n', 'ab')],
  ['a negative length', post('Content-Length: -2\r\n', 'ab')],
  ['a length in hex', post('Content-Length: 0x2\r\n', 'ab')],
  ['a length that overflows', post('Content-Length: 18446744073709551618\r\n', 'ab')],
  ['an empty length', post('Content-Length: \r\n', SMUGGLED)],
  ['a space before the colon', post('Content-Length : 2\r\n', 'ab')],
  ['a tab before the colon', post('Transfer-Encoding\t: chunked\r\n', `0\r\n\r\n${SMUGGLED}`)],
  ['a name that begins with a space', get(`${HOST} X: 1\r\n`)],
  ['a header on the first line after a space', get(` ${HOST}`)],
  ['a folded header', get(`${HOST}X-A: 1\r\n  Transfer-Encoding: chunked\r\n`)],
  ['a folded coding', post('Transfer-Encoding:\r\n chunked\r\n', `0\r\n\r\n${SMUGGLED}`)],
  ['a bare line feed after a header', `GET /a HTTP/1.1\r\n${HOST}X: 1\nY: 2\r\n\r\n`],
  ['bare line feeds only', 'GET /a HTTP/1.1\nHost: photos.localhost\n\n'],
  ['a bare carriage return in a header', get(`${HOST}X: 1\rY: 2\r\n`)],
  ['a zero byte in a header', get(`${HOST}X: 1\0Y\r\n`)],
  ['a coding that is not chunked', post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${SMUGGLED}`)],
  ['chunked, then another coding', post('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${SMUGGLED}`)],
  [
    'two codings in two lines',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', `0\r\n\r\n${SMUGGLED}`),
  ],
  ['identity', post('Transfer-Encoding: identity\r\n', SMUGGLED)],
  ['a quoted coding', post('Transfer-Encoding: "chunked"\r\n', `0\r\n\r\n${SMUGGLED}`)],
  ['a coding with a vertical tab', post('Transfer-Encoding: \x0bchunked\r\n', `0\r\n\r\n${SMUGGLED}`)],
  ['two hosts', get(`${HOST}Host: other.localhost\r\n`)],
  ['its host twice', get(`${HOST}${HOST}`)],
  ['no host', get('')],
  ['an empty host', get('Host:\r\n')],
  ['a host with a path', get('Host: photos.localhost/x\r\n')],
  ['a host with a user', get('Host: x@photos.localhost\r\n')],
  ['a host with a space', get('Host: photos.localhost evil\r\n')],
  ['a host with two ports', get('Host: photos.localhost:80:80\r\n')],
  ['an absolute address of another host', get(HOST, 'GET http://other.localhost/a HTTP/1.1')],
  ['an absolute address with a user', get(HOST, 'GET http://x@photos.localhost/a HTTP/1.1')],
  ['a name as an address', get(HOST, 'GET photos.localhost/a HTTP/1.1')],
  ['a star', get(HOST, 'OPTIONS * HTTP/1.1')],
  ['CONNECT', get(HOST, 'CONNECT photos.localhost:80 HTTP/1.1')],
  ['TRACE', get(HOST, 'TRACE /a HTTP/1.1')],
  ['a space in the address', get(HOST, 'GET /a b HTTP/1.1')],
  ['a tab in the address', get(HOST, 'GET /a\tb HTTP/1.1')],
  ['a fragment', get(HOST, 'GET /a#b HTTP/1.1')],
  ['an unknown version', get(HOST, 'GET /a HTTP/1.9')],
  ['HTTP/2 in the clear', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['an old request', 'GET /a\r\n'],
  ['a method that is none', get(HOST, 'G@T /a HTTP/1.1')],
  ['TLS on the port for http', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['200 headers and more', get(`${HOST}${'a: b\r\n'.repeat(201)}`)],
  ['100,000 headers', get(`${HOST}${'a: b\r\n'.repeat(100_000)}`)],
  ['one endless header', get(`${HOST}a: ${'b'.repeat(100_000)}\r\n`)],
  ['an endless address', get(HOST, `GET /${'a'.repeat(100_000)} HTTP/1.1`)],
]
/** Refused when the body shows it; what came before may have reached the service, and its connection is closed. */
const BROKEN_BODIES: [string, string][] = [
  ['a chunk size that is none', 'zz\r\nab\r\n0\r\n\r\n'],
  ['a negative chunk', '-1\r\nab\r\n0\r\n\r\n'],
  ['a chunk size that overflows', 'ffffffffffffffff1\r\nab\r\n0\r\n\r\n'],
  ['a chunk size with a prefix', '0x2\r\nab\r\n0\r\n\r\n'],
  ['a chunk that is longer than it says', '2\r\nabcd\r\n0\r\n\r\n'],
  ['a bare line feed after a chunk size', '2\nab\n0\n\n'],
  ['a bare carriage return in an extension', `2;a\rb\r\nab\r\n0\r\n\r\n`],
  ['a line feed in an extension', `2;a\nGET /smuggled HTTP/1.1\r\nab\r\n0\r\n\r\n`],
  ['a space in the size', '2 2\r\nab\r\n0\r\n\r\n'],
]

describe('[NET-3.hostile] what could be read in two ways', () => {
  it.each(REFUSED)('is refused: %s', async (_, bytes) => {
    const answer = await rawly(gateway.port, bytes)
    expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d |$)/)
    // Nothing behind it is answered, and nothing of it reached anybody.
    expect(answer.split('HTTP/1.1 ').length).toBeLessThanOrEqual(2)
    expect(recorder.connections.filter((it) => it.length > 0)).toEqual([])
  })
  it.each(BROKEN_BODIES)('ends with its connection: %s', async (_, body) => {
    const answer = await rawly(gateway.port, post('Transfer-Encoding: chunked\r\n', body) + SMUGGLED)
    expect(answer.split('HTTP/1.1 ').length).toBeLessThanOrEqual(2)
    const all = heard()
    expect(all.length).toBeLessThanOrEqual(1)
    for (const { body: got, line } of all) {
      expect(line).toBe('POST /a HTTP/1.1')
      expect(got).not.toContain('smuggled')
      // Its end was never told.
      expect(got).not.toMatch(/(^|\r\n)0\r\n/)
    }
  })
  it.each<[string, string, string, string[], string]>([
    ['a plain request', get(HOST), 'GET /a HTTP/1.1', ['Host: photos.localhost'], ''],
    [
      'an absolute address of its host',
      get(HOST, 'GET http://photos.localhost/a?b HTTP/1.1'),
      'GET /a?b HTTP/1.1',
      ['Host: photos.localhost'],
      '',
    ],
    [
      'an absolute address without a path',
      get(HOST, 'GET http://photos.localhost HTTP/1.1'),
      'GET / HTTP/1.1',
      ['Host: photos.localhost'],
      '',
    ],
    [
      'a body with a length',
      post('Content-Length: 2\r\n', 'ab'),
      'POST /a HTTP/1.1',
      ['Host: photos.localhost', 'Content-Length: 2'],
      'ab',
    ],
    [
      'chunks with extensions',
      post('Transfer-Encoding: chunked\r\n', '2;x="y"\r\nab\r\n0\r\n\r\n'),
      'POST /a HTTP/1.1',
      ['Host: photos.localhost', 'Transfer-Encoding: chunked'],
      '2\r\nab\r\n0\r\n\r\n',
    ],
    [
      'a coding in capitals',
      post('Transfer-Encoding: CHUNKED\r\n', '1\r\na\r\n0\r\n\r\n'),
      'POST /a HTTP/1.1',
      ['Host: photos.localhost', 'Transfer-Encoding: chunked'],
      '1\r\na\r\n0\r\n\r\n',
    ],
    [
      'a body of a GET',
      `GET /a HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nab`,
      'GET /a HTTP/1.1',
      ['Host: photos.localhost', 'Content-Length: 2'],
      'ab',
    ],
    [
      'headers with underscores',
      get(`${HOST}Content_Length: 9\r\nTransfer_Encoding: chunked\r\n`),
      'GET /a HTTP/1.1',
      ['Host: photos.localhost'],
      '',
    ],
    [
      'another upgrade',
      get(
        `${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n`,
      ),
      'GET /a HTTP/1.1',
      ['Host: photos.localhost'],
      '',
    ],
    [
      'Connection that names the host and the length',
      post('Connection: Host, Content-Length\r\nContent-Length: 2\r\n', 'ab'),
      'POST /a HTTP/1.1',
      ['Host: photos.localhost', 'Content-Length: 2'],
      'ab',
    ],
    [
      'an expectation that nobody knows',
      get(`${HOST}Expect: magic\r\n`),
      'GET /a HTTP/1.1',
      ['Host: photos.localhost'],
      '',
    ],
    ['empty lines in front', `\r\n\r\n${get(HOST)}`, 'GET /a HTTP/1.1', ['Host: photos.localhost'], ''],
    ['HTTP/1.0', get(HOST, 'GET /a HTTP/1.0'), 'GET /a HTTP/1.1', ['Host: photos.localhost'], ''],
    [
      'a host in capitals with a final dot',
      get('HOST: Photos.LocalHost.\r\n'),
      'GET /a HTTP/1.1',
      ['Host: photos.localhost.'],
      '',
    ],
  ])('passes in one reading: %s', async (_, bytes, line, framing, body) => {
    const answer = await rawly(gateway.port, bytes)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(heard()).toEqual([{ line, framing, body }])
  })
  it('two requests in one go are two', async () => {
    const answer = await rawly(gateway.port, get(HOST) + get(HOST, 'GET /b HTTP/1.1'))
    expect(answer.split('HTTP/1.1 200').length).toBe(3)
  })
  it('nothing is heard behind a body that was never asked for', async () => {
    await recorder.close()
    recorder = await startRecorder('HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n')
    for (const host of ['photos.localhost', 'nobody.localhost']) {
      await gateway.apply(snapshotOf([routeOf()], [endpointOf(recorder.port)]))
      const asks = `POST /a HTTP/1.1\r\nHost: ${host}\r\nExpect: 100-continue\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n`
      const answer = await rawly(gateway.port, asks + SMUGGLED)
      expect(answer).toMatch(/^HTTP\/1\.1 4/)
      expect(answer.toLowerCase()).toContain('connection: close')
      expect(answer.split('HTTP/1.1 ').length).toBe(2)
      expect(heard().filter(({ line }) => line.includes('smuggled'))).toEqual([])
    }
  })
  it('an answer that could be read in two ways is none', async () => {
    await recorder.close()
    for (const bad of [
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nab',
      'HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: kalnet=1\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
      'nonsense\r\n\r\n',
    ]) {
      recorder = await startRecorder(bad)
      await gateway.apply(snapshotOf([routeOf()], [endpointOf(recorder.port)]))
      expect((await asking({ port: gateway.port })).status, bad).toBe(502)
      await recorder.close()
    }
  })
})

describe('[NET-3.hostile] whoever dawdles', () => {
  it('is ended while saying its headers or its body', async () => {
    const service = await startUpstream(echo)
    await gateway.apply(snapshotOf([routeOf()], [endpointOf(service.port)]))
    const ended = async (bytes: string) => {
      const socket = connect(gateway.port, '127.0.0.1')
      socket.write(bytes)
      let text = ''
      socket.on('data', (chunk) => {
        text += String(chunk)
      })
      await once(socket, 'close')
      return text
    }
    const [head, body] = await Promise.all([
      ended(`GET / HTTP/1.1\r\n${HOST}X-Slow: `),
      ended(post('Content-Length: 10\r\n', 'ab')),
    ])
    expect(head).toMatch(/^HTTP\/1\.1 408 /)
    expect(body).toMatch(/^HTTP\/1\.1 408 /)
    expect(gateway.figures()[0]?.open).toBe(0)
    await service.close()
  })
  it('one client has no more than its share of connections', async () => {
    const few = await startEngine(snapshotOf([routeOf()], [endpointOf(recorder.port)]), {
      limits: { connectionsByClient: 5 },
    })
    const open = Array.from({ length: 5 }, () => connect(few.port, '127.0.0.1'))
    await Promise.all(open.map((socket) => once(socket, 'connect')))
    const more = connect(few.port, '127.0.0.1')
    more.on('error', () => undefined)
    await once(more, 'close')
    const [one] = open
    const closed = one && once(one, 'close')
    one?.destroy()
    await closed
    await expect.poll(() => rawly(few.port, get(HOST))).toContain('200 OK')
    for (const socket of open) socket.destroy()
    await few.close()
  })
  it('a client that never reads holds a little memory for a little while', async () => {
    let sent = 0
    const endless = await startUpstream((_, response) => {
      const more = () => {
        while (!response.destroyed) {
          sent += 65_536
          if (!response.write(Buffer.alloc(65_536))) return
        }
      }
      response.on('drain', more)
      response.on('error', () => undefined)
      more()
    })
    await gateway.apply(snapshotOf([routeOf()], [endpointOf(endless.port)]))
    const socket = connect(gateway.port, '127.0.0.1')
    socket.pause()
    socket.write(get(HOST))
    socket.on('error', () => undefined)
    await expect.poll(() => gateway.figures()[0]?.open, { timeout: 30_000 }).toBe(1)
    await expect.poll(() => gateway.figures()[0]?.open, { timeout: 30_000 }).toBe(0)
    // What the kernel's buffers take on loopback, and little more.
    expect(sent).toBeLessThan(30 * 2 ** 20)
    socket.destroy()
    await endless.close()
  })
})

describe('[NET-3.hostile] HTTP/2', () => {
  let folder: string
  let secure: TestEngine
  let ca: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kn-hostile-'))
    const tls = await ensureTls(folder, ['photos.localhost'])
    ca = tls.authority
    secure = await startEngine(snapshotOf([], []), {
      listen: { httpsPort: 0 },
      certificateFor: () => createSecureContext({ key: tls.key, cert: tls.certificate }),
    })
  })
  afterAll(async () => {
    await secure.close()
    await rm(folder, { recursive: true, force: true })
  })
  const ask = async (headers: Record<string, string>, body?: string) => {
    await secure.apply(snapshotOf([routeOf()], [endpointOf(recorder.port)]))
    const session = connectHttp2(`https://127.0.0.1:${secure.securePort}`, {
      servername: 'photos.localhost',
      ca,
    })
    session.on('error', () => undefined)
    const outcome = await new Promise<string>((resolve) => {
      try {
        const stream = session.request({ ':authority': 'photos.localhost', ':path': '/a', ...headers })
        stream.on('response', (answer) => resolve(String(answer[constants.HTTP2_HEADER_STATUS])))
        stream.on('error', (error: Error & { code?: string }) => resolve(error.code ?? 'error'))
        stream.on('close', () => resolve('closed'))
        stream.resume()
        stream.end(body)
      } catch (error) {
        resolve(`not even sent: ${(error as { code?: string }).code}`)
      }
    })
    session.destroy()
    return outcome
  }
  it.each<[string, Record<string, string>]>([
    ['a path with a space', { ':path': '/a b HTTP/1.1' }],
    ['a path that begins with none', { ':path': 'a' }],
    ['a fragment', { ':path': '/a#b' }],
    ['a star', { ':method': 'OPTIONS', ':path': '*' }],
    ['another host beside it', { host: 'other.localhost' }],
    ['an authority with a user', { ':authority': 'x@photos.localhost' }],
    ['an authority with a path', { ':authority': 'photos.localhost/x' }],
    ['TRACE', { ':method': 'TRACE' }],
    ['a length that is not the body', { ':method': 'POST', 'content-length': '50' }],
  ])('is refused: %s', async (_, headers) => {
    expect(await ask(headers, headers[':method'] === 'POST' ? SMUGGLED.slice(0, 20) : undefined)).not.toBe(
      '200',
    )
    expect(heard().filter(({ line }) => line !== '' && line !== 'POST /a HTTP/1.1')).toEqual([])
    expect(heard().some(({ body }) => body.includes('smuggled'))).toBe(false)
  })
  it('streams that are reset by the hundred end nothing but themselves', async () => {
    await secure.apply(snapshotOf([routeOf()], [endpointOf(recorder.port)]))
    const session = connectHttp2(`https://127.0.0.1:${secure.securePort}`, {
      servername: 'photos.localhost',
      ca,
    })
    session.on('error', () => undefined)
    for (let turn = 0; turn < 300; turn += 1) {
      const stream = session.request({
        ':authority': 'photos.localhost',
        ':path': '/a',
        ':method': turn % 2 ? 'GET' : 'POST',
      })
      stream.on('error', () => undefined)
      if (turn % 3 === 0) stream.write('body')
      stream.close(
        [constants.NGHTTP2_CANCEL, constants.NGHTTP2_INTERNAL_ERROR, constants.NGHTTP2_PROTOCOL_ERROR][
          turn % 3
        ],
      )
      if (turn % 50 === 0) await new Promise(setImmediate)
    }
    session.destroy()
    await expect.poll(() => secure.figures()[0]?.open, { timeout: 30_000 }).toBe(0)
    expect(await ask({})).toBe('200')
  })
  it('goes down to HTTP/1.1 in one reading', async () => {
    expect(await ask({ ':method': 'POST', 'x-a': 'b', te: 'trailers' }, SMUGGLED)).toBe('200')
    const [one] = heard()
    expect(one).toEqual({
      line: 'POST /a HTTP/1.1',
      framing: ['Host: photos.localhost', 'Transfer-Encoding: chunked'],
      body: `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    })
    expect(heard().length).toBe(1)
  })
})
