/** The one pipeline, asked as the world asks: wrong, large, half, foreign and twice. */
import { connect } from 'node:net'
import { Writable } from 'node:stream'
import { fail } from '@kalnet/contracts/errors'
import { route } from '@kalnet/contracts/route'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type TestServer, testServer } from '../testing/server.ts'
import { createHttp, handle, isLoopback } from './http.ts'
import { networkOf } from './origin.ts'
import { sql } from './store.ts'

const nothing = z.strictObject({})
const make = route({
  method: 'POST',
  path: '/api/things/:name',
  permission: 'session.launch',
  summary: 'Make a thing',
  params: z.strictObject({ name: z.string().max(20) }),
  query: nothing,
  body: z.strictObject({
    size: z.number().int().min(1),
    mode: z.enum(['ok', 'refuse', 'break', 'late-refuse']).default('ok'),
  }),
  answer: z.strictObject({ name: z.string(), count: z.number() }),
  audit: 'thing.made',
  limits: { bodyBytes: 2_000 },
})
const look = route({
  method: 'GET',
  path: '/api/things',
  permission: 'public',
  summary: 'Look',
  params: nothing,
  query: z.strictObject({ limit: z.coerce.number().max(5).optional() }),
  body: nothing,
  answer: z.strictObject({ ok: z.boolean() }),
  audit: null,
  limits: { perMinute: 40 },
})
const leak = route({ ...look, path: '/api/leak', limits: undefined })
const manage = route({
  ...look,
  path: '/api/manage',
  permission: 'controller.manage',
  method: 'POST',
  audit: 'thing.managed',
})
const later = route({ ...manage, path: '/api/later', audit: 'thing.later' })
const away = route({ ...look, path: '/api/away', limits: undefined })

let server: TestServer
let owner: { userId: string; organisationId: string; secret: string }
let guest: { userId: string; organisationId: string; secret: string }
const logged: string[] = []
const sink = new Writable({
  write(chunk, _encoding, done) {
    logged.push(String(chunk))
    done()
  },
})
beforeAll(async () => {
  server = await testServer({
    log: pino({ level: 'debug' }, sink),
    http: { limits: { headersMs: 400, requestMs: 700 } },
    handlers: [
      handle(make, async ({ params, body, actor, audit }) => {
        const count = await server.store.as(actor.organisationId).transaction(async (tx) => {
          await sql`insert into secrets (id, organisation_id, name, envelope, created_at, changed_at)
            values (gen_random_uuid(), ${actor.organisationId}, ${`${params.name}-${Math.random()}`}, '', now(), now())`.execute(
            tx,
          )
          audit({ size: body.size }, params.name)
          if (body.mode === 'refuse') throw fail('session.limit', { count: 3 })
          if (body.mode === 'break') throw new Error('a bug with hunter2-canary in it')
          const { rows } = await sql<{
            count: number
          }>`select count(*)::int as count from secrets where name like ${`${params.name}-%`}`.execute(tx)
          return rows[0]?.count ?? 0
        })
        audit({ late: true })
        return { name: params.name, count }
      }),
      handle(later, async () => {
        setTimeout(() => void server.store.system.transaction((tx) => sql`select 1`.execute(tx)), 30)
        return { ok: true }
      }),
      handle(look, async () => ({ ok: true })),
      handle(leak, async () => ({ ok: true, passwordHash: 'hunter2-canary' }) as { ok: boolean }),
      handle(manage, async () => ({ ok: true })),
      handle(away, async () => {
        throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
      }),
    ],
  })
  owner = await server.person('owner')
  guest = await server.person('guest', owner.organisationId)
})
afterAll(() => server.end())

const thing = (
  name: string,
  body: unknown = { size: 1 },
  headers: Record<string, string> = {},
  as = owner.secret,
) => server.ask('POST', `/api/things/${name}`, { as, body, headers })
const audited = async (name: string) =>
  (
    await server.store.system.read((tx) =>
      sql<{ action: string; outcome: string; details: object; user_id: string }>`
    select action, outcome, details, user_id from audit where object = ${name} order by seq`.execute(tx),
    )
  ).rows

describe('[CTL-1.pipeline] bad requests get clear typed errors', () => {
  it.each<[string, string, string, Parameters<TestServer['ask']>[2], number, string, RegExp?]>([
    ['an unknown address', 'GET', '/api/nothing', {}, 404, 'route.unknown'],
    ['an unknown page without a dashboard', 'GET', '/sessions', {}, 404, 'route.unknown'],
    ['another method', 'DELETE', '/api/things', {}, 404, 'route.unknown'],
    [
      'an unknown key',
      'POST',
      '/api/sign-in',
      { body: { email: 'a@b.co', password: 'x', extra: 1 } },
      400,
      'request.invalid',
      /extra/,
    ],
    [
      'a wrong type',
      'POST',
      '/api/sign-in',
      { body: { email: 7, password: 'x' } },
      400,
      'request.invalid',
      /body: email: /,
    ],
    ['no body', 'POST', '/api/sign-in', {}, 400, 'request.invalid', /email/],
    ['a list for a body', 'POST', '/api/sign-in', { body: [] }, 400, 'request.invalid'],
    ['half of a JSON text', 'POST', '/api/sign-in', { raw: '{"email":' }, 400, 'request.invalid', /not JSON/],
    [
      'a poisoned prototype',
      'POST',
      '/api/sign-in',
      { raw: '{"__proto__":{"a":1}}' },
      400,
      'request.invalid',
    ],
    [
      'another content type',
      'POST',
      '/api/sign-in',
      { raw: 'a=b', headers: { 'content-type': 'text/plain' } },
      415,
      'request.unsupported',
    ],
    [
      'a form',
      'POST',
      '/api/sign-in',
      { raw: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'request.unsupported',
    ],
    [
      'a body over its limit',
      'POST',
      '/api/sign-in',
      { raw: `{"a":"${'x'.repeat(9_000)}"}` },
      413,
      'request.too-large',
    ],
    ['a query out of range', 'GET', '/api/things?limit=9', {}, 400, 'request.invalid', /query: limit/],
    ['an unknown query', 'GET', '/api/things?drop=1', {}, 400, 'request.invalid', /drop/],
    ['an address that cannot be decoded', 'GET', '/api/%E0%A4%A', {}, 400, 'request.invalid'],
    ['nobody where somebody is needed', 'GET', '/api/me', {}, 401, 'sign-in.required'],
    ['a secret of the wrong form', 'GET', '/api/me', { as: 'short' }, 401, 'sign-in.required'],
    ['a secret nobody has', 'GET', '/api/me', { as: 'A'.repeat(43) }, 401, 'sign-in.required'],
    ['the database away', 'GET', '/api/away', {}, 503, 'store.unavailable'],
  ])('%s', async (_, method, path, options, status, code, words) => {
    const answer = await server.ask(method, path, options)
    expect([answer.status, answer.body.error?.code]).toEqual([status, code])
    if (words) expect(answer.body.error?.message).toMatch(words)
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })
  it('a body of 10 MB is refused before it is read, and the server goes on', async () => {
    const answer = await server
      .ask('POST', '/api/sign-in', { raw: Buffer.alloc(10_000_000, 120) })
      .catch(() => null)
    // The server may close the line while we still push; either way it answers the next.
    if (answer) expect(answer.body.error?.code).toBe('request.too-large')
    expect((await server.ask('GET', '/api/status')).status).toBe(200)
  })
  it('[CTL-1.pipeline] an answer against its contract is a fault, never a leak', async () => {
    const answer = await server.ask('GET', '/api/leak')
    expect([answer.status, answer.body.error?.code]).toEqual([500, 'internal'])
    expect(answer.text).not.toContain('canary')
  })
  it('a limit per minute', async () => {
    const codes = await Promise.all(
      Array.from({ length: 60 }, async () => (await server.ask('GET', '/api/things')).status),
    )
    expect(new Set(codes)).toEqual(new Set([200, 429]))
    const answer = await server.ask('GET', '/api/things')
    expect(answer.body.error?.code).toBe('request.too-many')
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  })
})

/** Sends bytes and gives everything that comes back until the line is closed. */
const bytes = (text: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(server.port, '127.0.0.1')
    let back = ''
    socket.on('data', (piece) => {
      back += piece
    })
    socket.on('error', () => undefined)
    socket.once('close', () => resolve(back))
    socket.write(text)
  })

describe('[CTL-1.pipeline] half requests do not hold the server', () => {
  it.each([
    ['a header that never ends', 'GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ', '408', 'request.time-out'],
    [
      'a body that never comes',
      'POST /api/sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{',
      '408',
      'request.time-out',
    ],
    ['no HTTP at all', 'what is this\r\n\r\n', '400', 'request.invalid'],
    [
      'headers too large',
      `GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      '413',
      'request.too-large',
    ],
  ])('%s', async (_, text, status, code) => {
    const back = await bytes(text)
    expect(back).toContain(status)
    expect(back).toContain(code)
  })
})

describe('[SEC-7.origin] other sites', () => {
  it.each<[string, Record<string, string>, number]>([
    ['our own origin', { origin: 'OWN', 'sec-fetch-site': 'same-origin' }, 200],
    ['a program', {}, 200],
    ['another site', { origin: 'https://evil.example' }, 403],
    ['the same host on another port', { origin: 'http://127.0.0.1:1' }, 403],
    ['a sandboxed frame', { origin: 'null' }, 403],
    ['a browser without Origin', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a sister subdomain', { origin: 'OWN', 'sec-fetch-site': 'same-site' }, 403],
    ['a name pointed at our address', { host: 'evil.example', origin: 'http://evil.example' }, 403],
  ])('%s: %s → %i', async (_, headers, status) => {
    const own = { ...headers, ...(headers.origin === 'OWN' ? { origin: server.origin } : {}) }
    expect((await thing('origin', { size: 1 }, own)).status).toBe(status)
  })
  it('reading by a rebound name is refused too', async () => {
    expect(
      (await server.ask('GET', '/api/status', { headers: { host: 'evil.example' } })).body.error?.code,
    ).toBe('origin.foreign')
    expect((await server.ask('GET', '/api/status', { headers: { host: 'localhost:1' } })).status).toBe(200)
  })
  it('plain http never leaves loopback', () => {
    expect(
      ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '0.0.0.0', '::', '192.168.1.2', 'example.org'].map(
        isLoopback,
      ),
    ).toEqual([true, true, true, true, false, false, false, false])
    const options = {
      config: { listen: { host: '0.0.0.0', port: 7400 }, tls: { enabled: false, names: [] } },
    }
    expect(() => createHttp(options as unknown as Parameters<typeof createHttp>[0])).toThrow(/up --lan/)
  })
  it.each([
    ['10.0.0.7', '10.0.0.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s shares its limit with %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})

describe('[GOV-1.audit] every change and every refusal is on record', () => {
  it('a change, in its own transaction, with what was said later', async () => {
    expect((await thing('desk', { size: 3 })).status).toBe(200)
    expect(await audited('desk')).toEqual([
      { action: 'thing.made', outcome: 'done', details: { size: 3, late: true }, user_id: owner.userId },
    ])
  })
  it.each([
    ['refuse', 'session.limit', 429],
    ['break', 'internal', 500],
  ])('%s: nothing was changed, and the refusal is on record', async (mode, code, status) => {
    expect((await thing(`no-${mode}`, { size: 3, mode })).status).toBe(status)
    expect((await audited(`no-${mode}`)).map((row) => row.outcome)).toEqual([code])
    expect((await thing(`no-${mode}`)).body.count).toBe(1)
  })
  it('work left behind an answer is not taken for the change', async () => {
    await server.ask('POST', '/api/later', { as: owner.secret, body: {} })
    await new Promise((resolve) => setTimeout(resolve, 150))
    const { rows } = await server.store.system.read((tx) =>
      sql`select outcome from audit where action = 'thing.later'`.execute(tx),
    )
    expect(rows).toEqual([{ outcome: 'done' }])
  })
  it('somebody without the right', async () => {
    expect((await server.ask('POST', '/api/manage', { as: guest.secret, body: {} })).status).toBe(403)
    const { rows } = await server.store.system.read((tx) =>
      sql`select outcome, user_id from audit where action = 'thing.managed'`.execute(tx),
    )
    expect(rows).toEqual([{ outcome: 'permission.denied', user_id: guest.userId }])
  })
})

describe('[CTL-1.idempotency] the same key', () => {
  const key = (text: string) => ({ 'idempotency-key': text })
  it('twice: done once, answered alike', async () => {
    const [one, two] = [
      await thing('once', { size: 1 }, key('k1')),
      await thing('once', { size: 1 }, key('k1')),
    ]
    expect([one.body, two.body]).toEqual([
      { name: 'once', count: 1 },
      { name: 'once', count: 1 },
    ])
    expect((await audited('once')).length).toBe(1)
  })
  it('ten at the same moment: done once, answered alike', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => thing('race', { size: 1 }, key('k2'))))
    expect(new Set(answers.map((answer) => answer.text))).toEqual(new Set(['{"name":"race","count":1}']))
    expect((await thing('race')).body.count).toBe(2)
  })
  it('for something else is refused; of somebody else is another key; after a refusal it is free', async () => {
    await thing('a', { size: 1 }, key('k3'))
    expect((await thing('a', { size: 2 }, key('k3'))).body.error?.code).toBe('request.conflict')
    const other = await server.person('owner')
    expect((await thing('a', { size: 2 }, key('k3'), other.secret)).status).toBe(200)
    await thing('b', { size: 1, mode: 'refuse' }, key('k4'))
    expect((await thing('b', { size: 1, mode: 'ok' }, key('k4'))).status).toBe(200)
    expect((await thing('b', { size: 1 }, key('x'.repeat(300)))).body.error?.code).toBe('request.invalid')
  })
})

describe('the control socket and the description', () => {
  it('[SEC-4.local] the CLI acts as the owner, and its routes are nowhere else', async () => {
    expect((await server.ask('GET', '/api/me', { local: true })).body.role).toBe('owner')
    for (const path of ['/api/local/claim-link', '/api/local/reset-owner']) {
      expect((await server.ask('POST', path, { as: owner.secret })).body.error?.code).toBe('route.unknown')
      expect((await server.ask('POST', path, { local: true })).status).toBe(200)
    }
    const { rows } = await server.store.system.read((tx) =>
      sql`select actor_kind, user_id from audit where action = 'owner.reset-issued' and outcome = 'done'`.execute(
        tx,
      ),
    )
    expect(rows).toEqual([{ actor_kind: 'local-cli', user_id: owner.userId }])
  })
  it('[CTL-1.openapi] describes every route with the very schemas, but not the local ones', async () => {
    const { body } = await server.ask('GET', '/api/openapi.json')
    const paths = body.paths as Record<
      string,
      Record<string, { requestBody?: unknown; parameters: { name: string }[] }>
    >
    expect(body.openapi).toBe('3.1.0')
    expect(Object.keys(paths)).toContain('/api/things/{name}')
    expect(Object.keys(paths).filter((path) => path.includes('local'))).toEqual([])
    expect(paths['/api/things/{name}']?.post?.parameters[0]?.name).toBe('name')
    expect(JSON.stringify(paths['/api/claim']?.post?.requestBody)).toContain('organisationName')
  })
  it('every answer has its safety headers', async () => {
    const { headers } = await server.ask('GET', '/api/status')
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'content-security-policy': expect.stringContaining("default-src 'none'; object-src 'none'"),
    })
  })
  it('[SEC-3.log] nothing that was sent is in the log', async () => {
    await server.ask('POST', '/api/sign-in?token=hunter2-canary', {
      body: { email: 'hunter2-canary@example.org', password: 'hunter2-canary' },
    })
    await server.ask('POST', '/api/sign-in', { raw: '{"hunter2-canary' })
    await server.ask('POST', '/api/claim', {
      body: {
        token: 'hunter2-canary',
        name: 'A',
        email: 'a@b.co',
        password: 'hunter2-canary',
        organisationName: 'B',
      },
    })
    await thing('hunter2-canary')
    const about = logged.filter((line) => line.includes('hunter2-canary') && !line.includes('a bug with'))
    expect(about).toEqual([])
    expect(logged.join('')).not.toContain(owner.secret)
    expect(logged.length).toBeGreaterThan(20)
  })
})
