/** Where a request ends is told in one way only: else a proxy before us and we could see two requests in one, or one in two. */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestServer, testServer } from '../testing/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.end())

/** All that comes back until the server ends the connection. */
const exchange = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: server.port }, () =>
      socket.write(text.replaceAll('\n', '\r\n')),
    )
    let said = ''
    socket.setTimeout(15_000, () => socket.destroy(new Error(`no end: ${said}`)))
    socket.on('data', (piece) => {
      said += String(piece)
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(said))
  })
const body = '{"email":"a@b.co","password":"x"}'
const hidden = `GET /api/status HTTP/1.1\nhost: 127.0.0.1\nconnection: close\n\n`
const post = (headers: string, rest = '') =>
  `POST /api/sign-in HTTP/1.1\nhost: 127.0.0.1\ncontent-type: application/json\n${headers}\n${rest}`
const answersIn = (said: string) => said.match(/HTTP\/1\.1 \d{3}/g) ?? []

describe('[CTL-1.framing] a request whose end is told', () => {
  it.each([
    ['by a length and by chunks', post(`content-length: 5\ntransfer-encoding: chunked\n`, `0\n\n${hidden}`)],
    ['by chunks and by a length', post(`transfer-encoding: chunked\ncontent-length: 5\n`, `0\n\n${hidden}`)],
    ['by two lengths', post(`content-length: ${body.length}\ncontent-length: 3\n`, `${body}${hidden}`)],
    ['by a list of lengths', post(`content-length: ${body.length}, 3\n`, `${body}${hidden}`)],
    ['by a length that is none', post(`content-length: +${body.length}\n`, `${body}${hidden}`)],
    ['by a hexadecimal length', post(`content-length: 0x5\n`, `${body}${hidden}`)],
    ['by chunks under another name', post(`transfer-encoding: xchunked\n`, `0\n\n${hidden}`)],
    [
      'by chunks that are not the last coding',
      post(`transfer-encoding: chunked, identity\n`, `0\n\n${hidden}`),
    ],
    ['by a name with a blank behind it', post(`content-length : 3\n`, `${body}${hidden}`)],
    ['by a chunk of a wrong size', post(`transfer-encoding: chunked\n`, `zz\nabc\n0\n\n${hidden}`)],
    ['by a folded header', post(`content-length: 3\n transfer-encoding: chunked\n`, `${body}${hidden}`)],
  ])('%s is refused, and nothing behind it is heard', async (_name, text) => {
    const said = await exchange(text)
    expect(answersIn(said)).toEqual(['HTTP/1.1 400'])
    expect(said).toContain('"code":"request.invalid"')
  })
  it('rightly is answered, and so is the next one', async () => {
    const said = await exchange(post(`content-length: ${body.length}\n`, `${body}${hidden}`))
    expect(answersIn(said)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200'])
  })
})
