/** Claim, sign-in, sign-out, reset: through the real pipeline, with the clock in our hands. */
import { identityRoutes } from '@kalnet/contracts/identity'
import { signInRoutes } from '@kalnet/contracts/sign-in'
import type { Clock } from '@kalnet/io/clock'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { sql } from '../core/store.ts'
import { type Answer, type TestServer, testServer } from '../testing/server.ts'
import { cookieName, hashInCookie, hashOf, newSecret, setCookie } from './cookie.ts'
import { createPasswords } from './passwords.ts'
import { DEFAULT_POLICIES } from './policy.ts'

let offset = 0
const clock: Clock = {
  now: () => new Date(Date.now() + offset),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      signal?.addEventListener(
        'abort',
        () => {
          clearTimeout(timer)
          resolve()
        },
        { once: true },
      )
    }),
}
let server: TestServer
beforeAll(async () => {
  server = await testServer({ clock })
})
afterAll(() => server.end())

const PERSON = {
  name: 'Ada',
  email: 'Ada@Example.org',
  password: 'correct horse battery',
  organisationName: 'Home',
}
const secretOf = (answer: Answer) =>
  /kalnet=([\w-]{43})/.exec(answer.headers['set-cookie']?.[0] ?? '')?.[1] ?? ''
const linkFrom = async (path: string) => {
  const { body } = await server.ask('POST', path, { local: true })
  return (body.link as { url: string } | null)?.url ?? null
}
const tokenOf = (url: string | null) => new URL(url ?? '').hash.slice(1)
const claim = (token: string, more: object = {}) =>
  server.ask('POST', '/api/claim', { body: { ...PERSON, token, ...more } })
const signIn = (password = PERSON.password, email = PERSON.email, as?: string) =>
  server.ask('POST', '/api/sign-in', { body: { email, password }, as })
const me = (as: string) => server.ask('GET', '/api/me', { as })

describe('[IDN-1.claim] the claim link', () => {
  it('a token that was never issued is refused', async () => {
    expect((await claim(newSecret())).body.error?.code).toBe('claim.unknown')
    expect((await server.ask('GET', '/api/status')).body.claimed).toBe(false)
  })
  it('expires after a day', async () => {
    const token = tokenOf(await linkFrom('/api/local/claim-link'))
    offset = 25 * 3600_000
    expect((await claim(token)).body.error?.code).toBe('claim.unknown')
    offset = 0
  })
  it('two at the same moment make one owner; the token is stored nowhere in plain', async () => {
    const links = await Promise.all([linkFrom('/api/local/claim-link'), linkFrom('/api/local/claim-link')])
    const tokens = links.map(tokenOf)
    const rows = await server.store.system.read((tx) => sql`select claims::text from claims`.execute(tx))
    expect(JSON.stringify(rows.rows)).not.toContain(tokens[0])
    const answers = await Promise.all([...tokens, ...tokens].map((token) => claim(token)))
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 403, 403, 403])
    const winner = answers.find((answer) => answer.status === 200)!
    expect(winner.body.me).toMatchObject({
      name: 'Ada',
      email: 'ada@example.org',
      role: 'owner',
      organisationName: 'Home',
    })
    expect((await me(secretOf(winner))).status).toBe(200)
    const organisations = await server.store.system.read((tx) => sql`select * from organisations`.execute(tx))
    expect(organisations.rows.length).toBe(1)
  })
  it('afterwards there is none', async () => {
    expect(await linkFrom('/api/local/claim-link')).toBeNull()
    expect((await server.ask('GET', '/api/status')).body.claimed).toBe(true)
  })
  it('the claim is on record as the owner', async () => {
    const { rows } = await server.store.system.read((tx) =>
      sql<{ user_id: string; organisation_id: string }>`
      select user_id, organisation_id from audit where action = 'organisation.claimed' and outcome = 'done'`.execute(
        tx,
      ),
    )
    expect(rows.length).toBe(1)
    expect(rows[0]?.organisation_id).toMatch(/^[0-9a-f-]{36}$/)
  })
  it.each([
    ['a short password', { password: 'too short' }, /10 characters/],
    ['no name', { name: '  ' }, /name/],
    ['no address', { email: 'ada' }, /email/],
  ])('%s is refused with the reason', async (_, more, words) => {
    const answer = await claim(newSecret(), more)
    expect(answer.body.error?.code).toBe('request.invalid')
    expect(answer.body.error?.message).toMatch(words)
  })
})

describe('[IDN-1.sign-in] signing in and out', () => {
  it('sets a cookie that scripts and other sites cannot use; only its hash is stored', async () => {
    const answer = await signIn()
    expect(answer.status).toBe(200)
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(/^kalnet=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/),
    ])
    const { rows } = await server.store.system.read((tx) =>
      sql`select sign_ins::text from sign_ins`.execute(tx),
    )
    expect(JSON.stringify(rows)).not.toContain(secretOf(answer))
    expect(JSON.stringify(rows)).toContain(hashOf(secretOf(answer)))
  })
  it('the address is not case sensitive, the password is, and both wrong answers are alike', async () => {
    expect((await signIn(PERSON.password, 'ADA@EXAMPLE.ORG')).status).toBe(200)
    const [wrong, nobody] = [await signIn('Correct horse battery'), await signIn('x', 'nobody@example.org')]
    expect(wrong.body.error?.code).toBe('sign-in.wrong')
    expect({ ...nobody.body.error, requestId: '' }).toEqual({ ...wrong.body.error, requestId: '' })
  })
  it('signing in again on the same device ends the earlier sign-in', async () => {
    const first = secretOf(await signIn())
    const second = secretOf(await signIn(PERSON.password, PERSON.email, first))
    expect(second).not.toBe(first)
    expect([(await me(first)).status, (await me(second)).status]).toEqual([401, 200])
  })
  it('signing out ends it at once, tells it, and clears the cookie', async () => {
    const cursor = await server.events.cursor()
    const secret = secretOf(await signIn())
    const answer = await server.ask('POST', '/api/sign-out', { as: secret, body: {} })
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^kalnet=; Max-Age=0/)
    expect((await me(secret)).status).toBe(401)
    for await (const heard of server.events.subscribe({
      types: ['sign-in.ended'],
      after: cursor,
      signal: AbortSignal.timeout(10_000),
    })) {
      expect(heard.kind === 'event' && heard.event.data).toEqual({ signInId: expect.any(String) })
      break
    }
  })
  it('ends after the idle limit of the role, and after the absolute one however busy', async () => {
    const { idleMs: IDLE_MS, absoluteMs: ABSOLUTE_MS } = DEFAULT_POLICIES.owner
    const secret = secretOf(await signIn())
    offset = IDLE_MS - 60_000
    expect((await me(secret)).status).toBe(200)
    offset = IDLE_MS * 2 - 120_000
    expect((await me(secret)).status).toBe(200)
    offset = ABSOLUTE_MS + 1_000
    expect((await me(secret)).status).toBe(401)
    offset = 0
    const idle = secretOf(await signIn())
    offset = IDLE_MS + 1_000
    expect((await me(idle)).status).toBe(401)
    const { rows } = await server.store.system.read((tx) =>
      sql<{ id: string }>`select id from sign_ins where hash = ${hashOf(idle)}`.execute(tx),
    )
    const gone = [rows[0]?.id ?? '', '01920000-0000-7000-8000-000000000001']
    expect(await server.identity.ended(gone)).toEqual(gone)
    await server.identity.tidy()
    offset = 0
    expect((await me(idle)).status).toBe(401)
  })
})

describe('[IDN-1.throttle] wrong passwords', () => {
  it('slow down after five, also when tried at once, and stay slow after a restart', async () => {
    const other = await server.person('member')
    const email = `${other.userId}@example.org`
    const tries = await Promise.all(Array.from({ length: 12 }, () => signIn('wrong', email)))
    const codes = tries.map((answer) => answer.body.error?.code)
    expect(codes.filter((code) => code === 'sign-in.wrong').length).toBe(5)
    const answer = await signIn('wrong', email)
    expect(answer.body.error?.code).toBe('sign-in.throttled')
    expect(answer.body.error?.details.seconds).toBeGreaterThan(0)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    const { rows } = await server.store.system.read((tx) =>
      sql`select key from throttles where blocked_until is not null`.execute(tx),
    )
    expect(rows.length).toBe(1)
    expect(JSON.stringify(rows)).not.toContain(email)
  })
  it('others are not held up by it, and a right one clears it', async () => {
    expect((await signIn()).status).toBe(200)
    for (let round = 0; round < 4; round++) await signIn('wrong')
    expect((await signIn()).status).toBe(200)
    for (let round = 0; round < 4; round++) await signIn('wrong')
    expect((await signIn()).status).toBe(200)
  })
  it('an address that tries many accounts is slowed down too', async () => {
    let code = ''
    for (let round = 0; round < 40 && code !== 'sign-in.throttled'; round++)
      code = (await signIn('wrong', `n${round}@example.org`)).body.error?.code ?? ''
    expect(code).toBe('sign-in.throttled')
    offset = 3600_000
    expect((await signIn()).status).toBe(200)
    offset = 0
  })
})

describe('[IDN-1.reset] the owner who forgot the password', () => {
  it('gets a link on this machine that works once, for an hour, and ends every sign-in', async () => {
    offset = 3600_000
    const before = secretOf(await signIn())
    const replaced = tokenOf(await linkFrom('/api/local/reset-owner'))
    const token = tokenOf(await linkFrom('/api/local/reset-owner'))
    expect((await claim(replaced)).body.error?.code).toBe('claim.unknown')
    const answer = await claim(token, { password: 'a new password' })
    expect(answer.status).toBe(200)
    expect([(await me(before)).status, (await me(secretOf(answer))).status]).toEqual([401, 200])
    expect((await claim(token, { password: 'a new password' })).body.error?.code).toBe('claim.unknown')
    expect((await signIn()).body.error?.code).toBe('sign-in.wrong')
    expect((await signIn('a new password')).status).toBe(200)
    const late = tokenOf(await linkFrom('/api/local/reset-owner'))
    offset = 3 * 3600_000
    expect((await claim(late)).body.error?.code).toBe('claim.unknown')
  })
})

describe('[IDN-1.me] my name and password', () => {
  it('a new password needs a fresh proof, renews the secret, and ends the other sign-ins', async () => {
    const [here, there] = [secretOf(await signIn('a new password')), secretOf(await signIn('a new password'))]
    expect((await server.ask('PATCH', '/api/me', { as: here, body: { name: 'Ada L.' } })).body.name).toBe(
      'Ada L.',
    )
    const change = (
      as: string,
      password = 'another password',
      current: string | undefined = 'a new password',
    ) => server.ask('PUT', '/api/me/password', { as, body: { password, current } })
    const stepUp = (password: string) =>
      server.ask('POST', '/api/sign-in/step-up', {
        as: here,
        body: { proof: { method: 'password', password } },
      })
    offset += 11 * 60_000
    expect((await change(here)).body.error?.code).toBe('step-up.required')
    expect((await stepUp('no')).body.error?.code).toBe('step-up.wrong')
    const fresh = secretOf(await stepUp('a new password'))
    expect([(await me(here)).status, (await me(fresh)).status]).toEqual([401, 200])
    expect((await change(fresh, 'Ada Example Home')).body.error?.code).toBe('password.weak')
    // A fresh proof is not enough: it takes the old password too.
    expect((await change(fresh, 'another password', 'a guess')).body.error?.code).toBe('password.wrong')
    const without = await server.ask('PUT', '/api/me/password', {
      as: fresh,
      body: { password: 'another password' },
    })
    expect(without.body.error?.code).toBe('password.wrong')
    expect((await change(fresh)).status).toBe(200)
    expect([(await me(fresh)).status, (await me(there)).status]).toEqual([200, 401])
    expect((await signIn('another password')).status).toBe(200)
  })
})

describe('cookies', () => {
  it.each([
    [true, '__Host-kalnet', true],
    [false, 'kalnet', false],
  ])('secure %s: %s', (secure, name, marked) => {
    const secret = newSecret()
    expect(cookieName(secure)).toBe(name)
    expect(setCookie(secret, secure, 1000).endsWith('; Secure')).toBe(marked)
    expect(hashInCookie(`a=b; ${name}=${secret}`, secure)).toBe(hashOf(secret))
    expect(hashInCookie(`a=b; ${name}=${secret}`, !secure)).toBeNull()
  })
  it('what is not a secret of ours is nobody', () => {
    for (const header of [
      '',
      'kalnet=',
      'kalnet=short',
      `kalnet=${'A'.repeat(44)}`,
      `xkalnet=${newSecret()}`,
      `kalnet="${newSecret()}"`,
    ])
      expect(hashInCookie(header, false)).toBeNull()
  })
})

describe('[IDN-1.equal] who exists is told by nothing', () => {
  it('for a wrong password, somebody known, nobody, one without a password and one switched off cost the same', async () => {
    const alike = await testServer()
    const knock = (password: string, who: string) =>
      alike.ask('POST', '/api/sign-in', { body: { email: `${who}@example.org`, password } })
    const [known, silent, off] = [
      await alike.person('member'),
      await alike.person('member'),
      await alike.person('member'),
    ]
    const passwordHash = await alike.identity.passwords.hash('words apart')
    await alike.store.system.transaction((tx) =>
      sql`update users set password_hash = ${passwordHash} where id in (${known.userId}, ${off.userId})`.execute(
        tx,
      ),
    )
    await alike.store.system.transaction((tx) =>
      sql`update users set state = 'off' where id = ${off.userId}`.execute(tx),
    )
    const verify = vi.spyOn(alike.identity.passwords, 'verify')
    const answers: string[] = []
    for (const who of [known.userId, 'nobody3', silent.userId, off.userId]) {
      const answer = await knock('wrong words', who)
      answers.push(JSON.stringify({ ...answer.body.error, requestId: '' }))
    }
    expect(new Set(answers).size).toBe(1)
    // One hash is looked at each time, made by the same parameters (the default for those who have none).
    expect(verify.mock.calls.map(([stored]) => stored)).toEqual([passwordHash, null, null, passwordHash])
    verify.mockRestore()
    expect((await knock('words apart', off.userId)).body.error?.code).toBe('sign-in.wrong')
    await alike.end()
  })
})

describe('[IDN-1.flood] a crowd at the door', () => {
  it('is turned away without a row in the database, and those inside go on', async () => {
    const slow = createPasswords({ atOnce: 1, waiting: 1_000 })
    const crowded = await testServer({ passwords: slow })
    const count = async () =>
      (
        await crowded.store.system.read((tx) =>
          sql<{
            rows: number
          }>`select (select count(*) from audit) + (select count(*) from throttles) as rows`.execute(tx),
        )
      ).rows[0]?.rows
    const inside = await crowded.person('member')
    const tries = Array.from({ length: 120 }, (_, turn) =>
      crowded.ask('POST', '/api/sign-in', { body: { email: `a${turn}@example.org`, password: 'x' } }),
    )
    expect((await crowded.ask('GET', '/api/me', { as: inside.secret })).status).toBe(200)
    const answers = await Promise.all(tries)
    const away = answers.filter((it) => it.body.error?.code === 'request.too-many')
    expect(away.length).toBeGreaterThan(50)
    expect(away[0]?.headers['retry-after']).toMatch(/^\d+$/)
    // At most four rows for each who was let to the door.
    expect(Number(await count())).toBeLessThanOrEqual((answers.length - away.length) * 4)
    await crowded.end()
  })
})

describe('[IDN-1.passwords] the bounded pool', () => {
  it('is argon2id, works in turn, and sends a crowd away', async () => {
    const passwords = createPasswords({ atOnce: 1, waiting: 2 })
    const stored = await passwords.hash('x')
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    const crowd = await Promise.allSettled(Array.from({ length: 8 }, () => passwords.verify(stored, 'x')))
    expect(crowd.filter((it) => it.status === 'fulfilled').length).toBeGreaterThanOrEqual(2)
    expect(crowd.filter((it) => it.status === 'rejected').length).toBeGreaterThanOrEqual(4)
    expect([
      await passwords.verify(stored, 'x'),
      await passwords.verify(stored, 'y'),
      await passwords.verify(null, 'x'),
    ]).toEqual([true, false, false])
  })
})

it('every route of identity is bound', () => {
  const bound = server.http.routes().map((route) => route.path)
  for (const route of [...Object.values(identityRoutes), ...Object.values(signInRoutes)])
    expect(bound).toContain(route.path)
})
