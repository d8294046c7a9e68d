/** Service keys through the real pipeline: made, used, changed, revoked, refused; and where their secret is not. */
import { LIVE_PATH } from '@kalnet/contracts/event'
import { KEY_FORM, SCOPE_PRESETS, SCOPE_WORDS } from '@kalnet/contracts/key'
import { can, type Role, SCOPES } from '@kalnet/contracts/permission'
import { createManualClock, until } from '@kalnet/wire/testing'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createLive } from '../core/live.ts'
import { sql } from '../core/store.ts'
import { watchSignIns } from '../identity/watch.ts'
import { type AskOptions, type TestServer, testServer } from '../testing/server.ts'
import { newSecret, parseToken, sameHash } from './secret.ts'

type Person = Awaited<ReturnType<TestServer['person']>>
const clock = createManualClock()
const lines: string[] = []
const stopping = new AbortController()
let server: TestServer
let owner: Person
let admin: Person

beforeAll(async () => {
  // Without the usual redaction: what must not be there is not even handed over.
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) })
  server = await testServer({ doors: true, clock, log })
  createLive({ http: server.http, events: server.events, log })
  watchSignIns({
    identity: server.doors,
    events: server.events,
    clock,
    log,
    connected: server.http.connectedSignIns,
    cut: (id) => void server.http.cut(id),
    signal: stopping.signal,
  })
  owner = await server.person('owner')
  admin = await server.person('admin', owner.organisationId)
})
afterAll(async () => {
  stopping.abort()
  await server.end()
})

interface MadeKey {
  id: string
  token: string
  begins: string
}
const DAY = 24 * 3600_000
/** The manual clock moves on; a sign-in must not end of it, and its proof must be fresh. */
const fresh = (person: Person) =>
  server.store.system.transaction((tx) =>
    sql`update sign_ins set proved_at = ${clock.now().toISOString()}, last_seen_at = ${clock.now().toISOString()},
      idle_until = ${new Date(clock.now().getTime() + 400 * DAY).toISOString()}::timestamptz,
      expires_at = ${new Date(clock.now().getTime() + 400 * DAY).toISOString()}::timestamptz where id = ${person.signInId}`.execute(
      tx,
    ),
  )
async function make(person: Person, body: object = {}, path = '/api/me/keys'): Promise<MadeKey> {
  await fresh(person)
  const answer = await server.ask('POST', path, {
    as: person.secret,
    body: { name: 'Backup', scopes: SCOPE_PRESETS.everything.scopes, ...body },
  })
  expect(answer.status, answer.text).toBe(200)
  const { key, token } = answer.body as unknown as { key: MadeKey; token: string }
  return { ...key, token }
}
const byKey = (token: string, method = 'GET', path = '/api/me', more: AskOptions = {}) =>
  server.ask(method, path, { ...more, headers: { authorization: `Bearer ${token}`, ...more.headers } })
const codeOf = (answer: Awaited<ReturnType<typeof byKey>>) => answer.body.error?.code ?? 'done'

describe('[IDN-4.key-form] what a key is', () => {
  it('has a short public part and 256 bits that are never the same', () => {
    const many = Array.from({ length: 200 }, () => newSecret().secret)
    expect(new Set(many).size).toBe(200)
    for (const secret of many) expect(secret).toMatch(/^[0-9A-Za-z]{43}$/)
  })
  it.each([
    ['', null],
    ['kal_', null],
    ['kal_abcdefghijkl_short', null],
    [`KAL_abcdefghijkl_${'a'.repeat(43)}`, null],
    [`kal_abcdefghijk_${'a'.repeat(43)}`, null],
    [`kal_abcdefghijkl_${'a'.repeat(43)}x`, null],
    [`kal_abcdefghijkl_${'a'.repeat(43)}`, 'abcdefghijkl'],
  ])('%s', (token, publicId) => {
    expect(parseToken(token)?.publicId ?? null).toBe(publicId)
  })
  it('compares whole hashes, also of different length and none', () => {
    expect(sameHash('ab', 'ab')).toBe(true)
    expect(sameHash('ab', 'ac')).toBe(false)
    expect(sameHash('ab', 'abab')).toBe(false)
    expect(sameHash(null, '')).toBe(false)
  })
  it('every scope has words for people, and no guard of the own door is one', () => {
    expect(Object.keys(SCOPE_WORDS).sort()).toEqual([...SCOPES].sort())
    for (const it of ['me.secure', 'me.change', 'key.own', 'key.manage', 'organisation.manage'])
      expect(SCOPES as readonly string[]).not.toContain(it)
    expect(SCOPE_PRESETS.read.scopes.every((it) => it.endsWith('.read'))).toBe(true)
  })
})

describe('[IDN-4.keys] a key acts as its person', () => {
  it('is shown once; of its secret only the hash is stored', async () => {
    const { token, begins } = await make(owner)
    expect(token).toMatch(KEY_FORM)
    expect(token.startsWith(begins)).toBe(true)
    const listed = await server.ask('GET', '/api/me/keys', { as: owner.secret })
    expect(listed.text).toContain(begins)
    expect(listed.text).not.toContain(token)
    const { rows } = await server.store.system.read((tx) =>
      sql`select service_keys::text from service_keys`.execute(tx),
    )
    expect(JSON.stringify(rows)).not.toContain(parseToken(token)?.secret)
    expect((await byKey(token)).body).toMatchObject({ id: owner.userId })
  })
  const roles: Role[] = ['owner', 'admin', 'member', 'child', 'guest']
  it('never more than its scopes and never more than the role of its person (every scope × every role)', () => {
    for (const role of roles)
      for (const held of SCOPES)
        for (const wanted of SCOPES) {
          const actor = { kind: 'service-key', userId: 'u', organisationId: 'o', role } as const
          const person = can({ ...actor, kind: 'user', scopes: null }, wanted)
          expect(can({ ...actor, scopes: [held] }, wanted)).toBe(person && held === wanted)
        }
  })
  it('cannot touch keys, passwords or the organisation, whatever it may', async () => {
    const { token, id } = await make(owner)
    for (const [method, path, body] of [
      ['GET', '/api/me/keys'],
      ['POST', '/api/me/keys', { name: 'x', scopes: ['me.read'] }],
      ['POST', `/api/me/keys/${id}/rotate`, {}],
      ['DELETE', `/api/me/keys/${id}`],
      ['GET', '/api/keys'],
      ['GET', '/api/service-accounts'],
      ['PATCH', '/api/me', { name: 'Mallory' }],
    ] as const)
      expect(codeOf(await byKey(token, method, path, { body })), `${method} ${path}`).toBe(
        'permission.denied',
      )
  })
  it.each([
    ['me.secure', 'request.invalid'],
    ['key.own', 'request.invalid'],
    ['organisation.manage', 'request.invalid'],
    ['nonsense', 'request.invalid'],
    ['me.read', 'done'],
  ])('a key may be given %s: %s', async (name, code) => {
    await fresh(owner)
    const answer = await server.ask('POST', '/api/me/keys', {
      as: owner.secret,
      body: { name: 'x', scopes: [name] },
    })
    expect(answer.body.error?.code ?? 'done').toBe(code)
  })
  it('only a role that may have keys has them, also afterwards', async () => {
    const person = await server.person('member', owner.organisationId)
    const { token } = await make(person)
    expect(codeOf(await byKey(token))).toBe('done')
    const lower = (role: string) =>
      server.store.system.transaction((tx) =>
        sql`update users set role = ${role} where id = ${person.userId}`.execute(tx),
      )
    await lower('child')
    expect(codeOf(await byKey(token))).toBe('key.invalid')
    await lower('member')
    expect(codeOf(await byKey(token))).toBe('done')
  })
  it('no cookie counts beside it, right or wrong', async () => {
    const { token } = await make(owner, { scopes: ['me.read'] })
    const headers = { cookie: `kalnet=${admin.secret}` }
    expect((await byKey(token, 'GET', '/api/me', { headers })).body).toMatchObject({ id: owner.userId })
    expect(
      codeOf(await byKey(token, 'GET', '/api/keys', { headers: { cookie: `kalnet=${owner.secret}` } })),
    ).toBe('permission.denied')
    const wrong = `kal_abcdefghijkl_${'z'.repeat(43)}`
    expect(codeOf(await byKey(wrong, 'GET', '/api/me', { headers }))).toBe('key.invalid')
  })
  it('a browser of another site is refused although it has a key', async () => {
    const { token } = await make(owner)
    const headers = { origin: 'https://elsewhere.example' }
    expect(codeOf(await byKey(token, 'POST', '/api/sign-out', { body: {}, headers }))).toBe('origin.foreign')
  })
  it('needs a fresh proof to be made, and a person', async () => {
    await fresh(owner)
    await clock.pass(11 * 60_000)
    const body = { name: 'x', scopes: ['me.read'] }
    const answer = await server.ask('POST', '/api/me/keys', { as: owner.secret, body })
    expect(answer.body.error?.code).toBe('step-up.required')
  })
})

describe('[IDN-4.key-life] how long a key lives', () => {
  it('ninety days unless said otherwise; a year at most; for ever only by an owner', async () => {
    const usual = await make(owner)
    const { body } = await server.ask('GET', '/api/me/keys', { as: owner.secret })
    const found = (body.items as { id: string; expiresAt: string; createdAt: string }[]).find(
      (it) => it.id === usual.id,
    )!
    expect(Date.parse(found.expiresAt) - Date.parse(found.createdAt)).toBe(90 * DAY)
    const refused = async (person: Person, expiresInDays: number | null) => {
      await fresh(person)
      const input = { name: 'x', scopes: ['me.read'], expiresInDays }
      const answer = await server.ask('POST', '/api/me/keys', { as: person.secret, body: input })
      return answer.body.error?.code ?? 'done'
    }
    expect(await refused(owner, 366)).toBe('request.invalid')
    expect(await refused(owner, 0)).toBe('request.invalid')
    expect(await refused(admin, null)).toBe('key.lifetime')
    expect(await refused(owner, null)).toBe('done')
  })
  it('is worth nothing afterwards', async () => {
    const { token } = await make(owner, { expiresInDays: 1 })
    expect(codeOf(await byKey(token))).toBe('done')
    await clock.pass(DAY)
    expect(codeOf(await byKey(token))).toBe('key.invalid')
  })
  it('last use is written, once a minute at most', async () => {
    const { token, id } = await make(owner)
    const last = async () => {
      const { rows } = await server.store.system.read((tx) =>
        sql<{ last_used_at: string | null; last_used_address: string }>`
          select last_used_at, last_used_address from service_keys where id = ${id}`.execute(tx),
      )
      return rows[0]
    }
    expect((await last())?.last_used_at).toBeNull()
    await byKey(token)
    const first = await last()
    expect(first?.last_used_address).toBe('127.0.0.1')
    await clock.pass(30_000)
    await byKey(token)
    expect(await last()).toEqual(first)
    await clock.pass(31_000)
    await byKey(token)
    expect((await last())?.last_used_at).not.toBe(first?.last_used_at)
  })
  it('a new secret: the old one works for the chosen while, one older still no more', async () => {
    const { token, id } = await make(owner)
    const rotate = async (overlapMinutes: number) => {
      await fresh(owner)
      const answer = await server.ask('POST', `/api/me/keys/${id}/rotate`, {
        as: owner.secret,
        body: { overlapMinutes },
      })
      expect(answer.status, answer.text).toBe(200)
      return answer.body.token as string
    }
    const second = await rotate(60)
    expect(second).not.toBe(token)
    expect([codeOf(await byKey(token)), codeOf(await byKey(second))]).toEqual(['done', 'done'])
    const third = await rotate(60)
    expect([codeOf(await byKey(token)), codeOf(await byKey(second)), codeOf(await byKey(third))]).toEqual([
      'key.invalid',
      'done',
      'done',
    ])
    await clock.pass(60 * 60_000)
    expect([codeOf(await byKey(second)), codeOf(await byKey(third))]).toEqual(['key.invalid', 'done'])
    const fourth = await rotate(0)
    expect([codeOf(await byKey(third)), codeOf(await byKey(fourth))]).toEqual(['key.invalid', 'done'])
    await fresh(owner)
    const tooLong = await server.ask('POST', `/api/me/keys/${id}/rotate`, {
      as: owner.secret,
      body: { overlapMinutes: 24 * 60 + 1 },
    })
    expect(tooLong.body.error?.code).toBe('request.invalid')
  })
  it('revoked, it is gone at once; twice says that there is none', async () => {
    const { token, id } = await make(owner)
    const revoke = () => server.ask('DELETE', `/api/me/keys/${id}`, { as: owner.secret })
    expect((await revoke()).status).toBe(200)
    expect(codeOf(await byKey(token))).toBe('key.invalid')
    expect((await revoke()).body.error?.code).toBe('thing.unknown')
  })
})

describe('[IDN-4.key-cut] what a key holds open ends with it, within five seconds', () => {
  const sockets: WebSocket[] = []
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.terminate()
  })
  async function open(token: string) {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${LIVE_PATH}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    sockets.push(socket)
    socket.on('error', () => undefined)
    await until(() => socket.readyState === socket.OPEN, 'the connection')
    socket.send(JSON.stringify({ type: 'hello', after: null }))
    return socket
  }
  const closed = (socket: WebSocket) => until(() => socket.readyState === socket.CLOSED, 'the cut')
  const off = (userId: string) =>
    server.store.system.transaction((tx) =>
      sql`update users set state = 'off' where id = ${userId}`.execute(tx),
    )

  it('revoked', async () => {
    const { token, id } = await make(owner)
    const socket = await open(token)
    await server.ask('DELETE', `/api/me/keys/${id}`, { as: owner.secret })
    await closed(socket)
  })
  it('expired', async () => {
    const { token } = await make(owner, { expiresInDays: 1 })
    const socket = await open(token)
    await clock.pass(DAY)
    await clock.pass(4_000)
    await closed(socket)
  })
  it('changed: what was opened with the old secret ends with it, the new stays', async () => {
    const { token, id } = await make(owner)
    const before = await open(token)
    await fresh(owner)
    const { body } = await server.ask('POST', `/api/me/keys/${id}/rotate`, {
      as: owner.secret,
      body: { overlapMinutes: 1 },
    })
    const after = await open(String(body.token))
    await clock.pass(60_000)
    await clock.pass(4_000)
    await closed(before)
    expect(after.readyState).toBe(after.OPEN)
  })
  it('its person was switched off', async () => {
    const person = await server.person('member', owner.organisationId)
    const { token } = await make(person)
    const socket = await open(token)
    await off(person.userId)
    await clock.pass(4_000)
    await closed(socket)
    expect(codeOf(await byKey(token))).toBe('key.invalid')
  })
  it('its person has another role now', async () => {
    const person = await server.person('admin', owner.organisationId)
    const { token } = await make(person)
    const socket = await open(token)
    await server.store.system.transaction((tx) =>
      sql`update users set role = 'member' where id = ${person.userId}`.execute(tx),
    )
    expect((await byKey(token)).body).toMatchObject({ role: 'member' })
    await clock.pass(4_000)
    await closed(socket)
  })
  it('a key without the scope does not get in, and a wrong one neither', async () => {
    const { token } = await make(owner, { scopes: ['me.read'] })
    for (const shown of [token, `kal_abcdefghijkl_${'q'.repeat(43)}`]) {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}${LIVE_PATH}`, {
        headers: { authorization: `Bearer ${shown}` },
      })
      sockets.push(socket)
      const status = await new Promise((resolve) => {
        socket.on('unexpected-response', (_, response) => resolve(response.statusCode))
        socket.on('open', () => resolve('open'))
        socket.on('error', () => undefined)
      })
      expect(status).toBe(shown === token ? 403 : 401)
    }
  })
  it('an Origin of elsewhere is refused at the live door too', async () => {
    const { token } = await make(owner)
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${LIVE_PATH}`, {
      headers: { authorization: `Bearer ${token}` },
      origin: 'https://elsewhere.example',
    })
    sockets.push(socket)
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode))
      socket.on('error', () => undefined)
    })
    expect(status).toBe(403)
  })
})

describe('[IDN-4.accounts] service accounts', () => {
  it('are made with a role, act by their keys, are switched off and removed', async () => {
    await fresh(admin)
    const made = await server.ask('POST', '/api/service-accounts', {
      as: admin.secret,
      body: { name: 'Directory', role: 'admin' },
    })
    expect(made.body).toMatchObject({ name: 'Directory', role: 'admin', state: 'active', keys: [] })
    const { token, id } = await make(admin, {}, `/api/service-accounts/${made.body.id}/keys`)
    expect((await byKey(token)).body).toMatchObject({ name: 'Directory', role: 'admin' })
    const listed = await server.ask('GET', '/api/service-accounts', { as: admin.secret })
    expect(listed.body.items).toMatchObject([{ name: 'Directory', keys: [{ id }] }])
    await fresh(admin)
    const change = (body: object) =>
      server.ask('PATCH', `/api/service-accounts/${made.body.id}`, { as: admin.secret, body })
    expect((await change({ state: 'off' })).body).toMatchObject({ state: 'off', name: 'Directory' })
    expect(codeOf(await byKey(token))).toBe('key.invalid')
    expect((await change({ state: 'active', role: 'guest' })).body).toMatchObject({ role: 'guest' })
    expect((await byKey(token)).body).toMatchObject({ role: 'guest' })
    expect((await change({ role: 'owner' })).body.error?.code).toBe('request.invalid')
    expect(
      (await server.ask('DELETE', `/api/service-accounts/${made.body.id}`, { as: admin.secret })).status,
    ).toBe(200)
    expect(codeOf(await byKey(token))).toBe('key.invalid')
  })
  it('a program never becomes an owner or a child, by no way', async () => {
    await fresh(owner)
    const body = { name: 'Program', role: 'member' }
    const made = await server.ask('POST', '/api/service-accounts', { as: owner.secret, body })
    for (const role of ['owner', 'child']) {
      const path = `/api/people/${made.body.id}/role`
      const answer = await server.ask('POST', path, { as: owner.secret, body: { role } })
      expect(answer.body.error?.code).toBe('request.invalid')
      await expect(
        server.store.system.transaction((tx) =>
          sql`update users set role = ${role} where id = ${String(made.body.id)}`.execute(tx),
        ),
      ).rejects.toThrow(/users_service_role/)
    }
  })
  it('a member cannot, and a person is none', async () => {
    const member = await server.person('member', owner.organisationId)
    expect((await server.ask('GET', '/api/service-accounts', { as: member.secret })).status).toBe(403)
    await fresh(admin)
    for (const [method, path] of [
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/keys'],
    ] as const) {
      const body =
        method === 'DELETE'
          ? undefined
          : method === 'PATCH'
            ? { name: 'x' }
            : { name: 'x', scopes: ['me.read'] }
      const answer = await server.ask(method, `/api/service-accounts/${member.userId}${path}`, {
        as: admin.secret,
        body,
      })
      expect(answer.body.error?.code).toBe('thing.unknown')
    }
  })
  it('stewards see and revoke every key; nobody gets the secret of another, no admin touches an owner', async () => {
    const member = await server.person('member', owner.organisationId)
    const theirs = await make(member)
    const owners = await make(owner)
    await fresh(admin)
    const all = await server.ask('GET', '/api/keys?limit=200', { as: admin.secret })
    const ids = (all.body.items as { id: string }[]).map((it) => it.id)
    expect(ids).toEqual(expect.arrayContaining([theirs.id, owners.id]))
    const asAdmin = (method: string, path: string, body?: object) =>
      server.ask(method, path, { as: admin.secret, body }).then((answer) => answer.body.error?.code ?? 'done')
    expect(await asAdmin('POST', `/api/keys/${theirs.id}/rotate`, {})).toBe('permission.denied')
    expect(await asAdmin('POST', `/api/me/keys/${theirs.id}/rotate`, {})).toBe('thing.unknown')
    expect(await asAdmin('DELETE', `/api/me/keys/${theirs.id}`)).toBe('thing.unknown')
    expect(await asAdmin('DELETE', `/api/keys/${owners.id}`)).toBe('permission.denied')
    expect(await asAdmin('DELETE', `/api/keys/${theirs.id}`)).toBe('done')
    expect(codeOf(await byKey(theirs.token))).toBe('key.invalid')
    const stranger = await server.person('owner')
    await fresh(stranger)
    const answer = await server.ask('DELETE', `/api/keys/${owners.id}`, { as: stranger.secret })
    expect(answer.body.error?.code).toBe('thing.unknown')
  })
})

describe('[IDN-4.key-tries] wrong keys', () => {
  it('slow down by address and key; a right one of a neighbour is let in; nothing is locked for good', async () => {
    const { token } = await make(owner)
    const guessed = await make(owner)
    const answers: string[] = []
    for (let i = 0; i < 12; i++)
      answers.push(codeOf(await byKey(`${guessed.begins}_${String(i).padStart(43, 'x')}`)))
    expect(answers.slice(0, 10)).toEqual(Array(10).fill('key.invalid'))
    expect(answers.slice(10)).toEqual(['request.too-many', 'request.too-many'])
    expect(codeOf(await byKey(guessed.token))).toBe('request.too-many')
    await byKey(token)
    for (let i = 0; i < 70; i++) await byKey(`kal_${String(i).padStart(12, 'x')}_${'y'.repeat(43)}`)
    expect(codeOf(await byKey(`kal_zzzzzzzzzzzz_${'y'.repeat(43)}`))).toBe('request.too-many')
    expect(codeOf(await byKey(token))).toBe('done')
    await clock.pass(60_000)
    expect(codeOf(await byKey(guessed.token))).toBe('done')
  })
})

describe('[IDN-4.key-secret] the secret of a key', () => {
  it('is in no log line, no audit row, no event and no error answer', async () => {
    const { token, id } = await make(owner)
    const secret = parseToken(token)?.secret ?? ''
    const texts: string[] = []
    await byKey(token)
    texts.push((await byKey(token, 'POST', `/api/keys/${token}`, { body: {} })).text)
    texts.push((await byKey(token, 'GET', `/api/keys?${token}`)).text)
    texts.push((await byKey(`${token}x`)).text)
    texts.push((await byKey(token, 'POST', '/api/me/keys', { raw: '{broken' })).text)
    await server.ask('DELETE', `/api/me/keys/${id}`, { as: owner.secret })
    texts.push((await byKey(token)).text)
    const { rows } = await server.store.system.read((tx) =>
      sql`select audit::text as line from audit union all select events::text from events
        union all select idempotency_keys::text from idempotency_keys`.execute(tx),
    )
    texts.push(JSON.stringify(rows), lines.join('\n'))
    for (const text of texts) expect(text).not.toContain(secret)
    expect(lines.length).toBeGreaterThan(20)
    expect(JSON.stringify(rows)).toContain(parseToken(token)?.publicId)
  })
  it('what was done by a key says so, and which one', async () => {
    const { token, begins } = await make(owner)
    await byKey(token, 'POST', '/api/me/keys', { body: { name: 'x', scopes: ['me.read'] } })
    const { rows } = await server.store.system.read((tx) =>
      sql<{ actor_kind: string; details: { key: string }; outcome: string }>`
        select actor_kind, details, outcome from audit where actor_kind = 'service-key' order by xid desc limit 1`.execute(
        tx,
      ),
    )
    expect(rows).toEqual([
      { actor_kind: 'service-key', details: { key: begins }, outcome: 'permission.denied' },
    ])
  })
})
