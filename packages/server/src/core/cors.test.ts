/** Pages of other origins: what their browsers are told, asked through the real pipeline. */
import { config as configSchema } from '@kalnet/contracts/config'
import { SCOPES } from '@kalnet/contracts/permission'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashOfSecret } from '../keys/secret.ts'
import { rowsOf } from '../testing/rows.ts'
import { askAt, freePort, type TestServer, testServer } from '../testing/server.ts'

const NAMED = 'https://tools.example'
const SECRET = 's'.repeat(43)
let named: TestServer
let closed: TestServer
let port: number
beforeAll(async () => {
  port = await freePort()
  const config = configSchema.parse({ listen: { port }, cors: { origins: [NAMED] } })
  named = await testServer({ http: { config } })
  closed = await testServer()
})
afterAll(async () => {
  await named.end()
  await closed.end()
})
/** A test server knows the port it was made with, not the one of another configuration. */
const ask = (
  server: TestServer,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
) => askAt({ port: server === named ? port : server.port }, method, path, { headers, body })
async function keyOn(server: TestServer): Promise<{ token: string; cookie: string }> {
  const person = await server.person('owner')
  const rows = await rowsOf(server.url)
  await rows.add('service_keys', {
    organisation_id: person.organisationId,
    user_id: person.userId,
    public_id: 'kkkkkkkkkkkk',
    scopes: SCOPES,
    secret_hash: hashOfSecret(SECRET),
  })
  await rows.end()
  return { token: `Bearer kal_kkkkkkkkkkkk_${SECRET}`, cookie: `kalnet=${person.secret}` }
}
const question = (more: Record<string, string>) => ({
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type',
  ...more,
})

describe('[SEC-7.keys] the question before the call', () => {
  const cases: [string, () => TestServer, Record<string, string>, number, boolean][] = [
    ['a named origin that will bring a key', () => named, question({ origin: NAMED }), 204, true],
    ['nobody is named', () => closed, question({ origin: NAMED }), 404, false],
    ['another origin', () => named, question({ origin: 'https://evil.example' }), 404, false],
    ['another scheme', () => named, question({ origin: 'http://tools.example' }), 404, false],
    ['another port', () => named, question({ origin: `${NAMED}:8443` }), 404, false],
    ['a longer name', () => named, question({ origin: `${NAMED}.evil.example` }), 404, false],
    ['a subdomain', () => named, question({ origin: 'https://x.tools.example' }), 404, false],
    ['null', () => named, question({ origin: 'null' }), 404, false],
    ['no origin', () => named, question({}), 404, false],
    [
      'without a key',
      () => named,
      question({ origin: NAMED, 'access-control-request-headers': 'content-type' }),
      404,
      false,
    ],
    [
      'no question',
      () => named,
      { origin: NAMED, 'access-control-request-headers': 'authorization' },
      404,
      false,
    ],
    ['a foreign host', () => named, question({ origin: NAMED, host: 'evil.example' }), 403, false],
  ]
  it.each(cases)('%s', async (_, server, headers, status, yes) => {
    const answer = await ask(server(), 'OPTIONS', '/api/sessions', headers)
    expect(answer.status).toBe(status)
    expect(answer.headers['access-control-allow-origin']).toBe(yes ? NAMED : undefined)
    // Never with cookies, never for everybody.
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined()
    if (yes) expect(answer.headers.vary).toContain('Origin')
  })
})

describe('[SEC-7.keys] the call itself', () => {
  it('with a key from a named origin it is done, and its page may read the answer', async () => {
    const { token } = await keyOn(named)
    for (const [method, path, body] of [
      ['GET', '/api/me', undefined],
      ['POST', '/api/sign-out', {}],
    ] as const) {
      const answer = await ask(
        named,
        method,
        path,
        { origin: NAMED, authorization: token, 'sec-fetch-site': 'cross-site' },
        body,
      )
      expect(answer.headers['access-control-allow-origin']).toBe(NAMED)
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined()
      // Signing out is nothing for a key: refused for that reason, not for the origin.
      expect(answer.body.error?.code ?? 'done').toBe(method === 'GET' ? 'done' : 'permission.denied')
    }
  })
  it('with a sign-in instead of a key it is a foreign site, and its page reads nothing', async () => {
    const person = await named.person('owner')
    const cookie = `kalnet=${person.secret}`
    const answer = await ask(named, 'POST', '/api/sign-out', { origin: NAMED, cookie }, {})
    expect(answer.body.error?.code).toBe('origin.foreign')
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    const read = await ask(named, 'GET', '/api/me', { origin: NAMED, cookie })
    expect(read.headers['access-control-allow-origin']).toBeUndefined()
  })
  it('with a key from another origin it is refused, and where nobody is named too', async () => {
    const { token } = await keyOn(closed)
    for (const [server, origin] of [
      [named, 'https://evil.example'],
      [closed, NAMED],
    ] as const) {
      const answer = await ask(server, 'POST', '/api/sign-out', { origin, authorization: token }, {})
      expect(answer.body.error?.code).toBe('origin.foreign')
      expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    }
  })
  it.each([
    '*',
    'https://a.example/',
    'https://a.example/path',
    'ftp://a.example',
    'a.example',
    'https://user@a.example',
  ])('%s is no origin to be named', (origin) => {
    expect(configSchema.safeParse({ cors: { origins: [origin] } }).success).toBe(false)
  })
})
