/** Signing in by OpenID Connect against a real provider in this process: the way through, and everything that must not get through. */
import type { Provider } from '@kalnet/contracts/federation'
import { systemClock } from '@kalnet/io/clock'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { createDoor, secretOf } from '../testing/door.ts'
import { type Issuer, type Spoil, startIssuer, type TestPerson } from '../testing/issuer.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { createWalker } from '../testing/walker.ts'

let server: TestServer
let issuer: Issuer
let elsewhere: Issuer
let owner: Awaited<ReturnType<TestServer['person']>>
let provider: Provider
let second: Provider
let made = 0

const callbackOf = (id: string) => `${server.origin}/api/sign-in/providers/${id}/callback`
const startOf = (id: string) => `${server.origin}/api/sign-in/providers/${id}/start`

const add = async (given: Record<string, unknown>): Promise<Provider> => {
  const body = {
    kind: 'openid',
    name: 'School',
    clientId: 'kalnet',
    clientSecret: 'client-secret-of-the-test',
    scopes: ['openid', 'email', 'profile', 'groups'],
    createsPeople: true,
    enabled: true,
    ...given,
  }
  const answer = await server.ask('POST', '/api/providers', { as: owner.secret, body })
  expect(answer.status, answer.text).toBe(200)
  return answer.body as unknown as Provider
}
const change = async (it: Provider, body: Record<string, unknown>) => {
  const answer = await server.ask('PATCH', `/api/providers/${it.id}`, { as: owner.secret, body })
  expect(answer.status, answer.text).toBe(200)
}
const count = async (table: 'users' | 'identities' | 'sign_ins') =>
  (
    await server.store.system.read((tx) =>
      sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}`.execute(tx),
    )
  ).rows[0]?.n
const state = async () => [await count('users'), await count('identities'), await count('sign_ins')]
const somebody = (more: Partial<TestPerson> = {}): TestPerson => {
  made += 1
  return { sub: `sub-${made}`, email: `p${made}@example.net`, name: `Person ${made}`, groups: [], ...more }
}
const isHome = (url: URL) => url.origin === server.origin && !url.pathname.startsWith('/api/')
/** One browser's whole way; where it ended and whether it is signed in. */
async function signIn(who: TestPerson, it: Provider = provider, walker = createWalker()) {
  issuer.as(who)
  const page = await walker.go(startOf(it.id), { stop: isHome })
  return {
    back: page.url.pathname + page.url.search + page.url.hash,
    cookie: walker.cookie(server.origin, 'kalnet'),
    walker,
    page,
  }
}
const me = async (secret: string | null) =>
  (await server.ask('GET', '/api/me', { as: secret ?? 'none' })).body as Record<string, unknown>

beforeAll(async () => {
  server = await testServer({ doors: true })
  owner = await server.person('owner')
  const ids: string[] = []
  const uris = () => ids.map(callbackOf)
  // The provider must know our addresses, and these have the id in them: added first, with an issuer that is not up yet.
  const { freePort } = await import('../testing/server.ts')
  const [port, otherPort] = [await freePort(), await freePort()]
  provider = await add({ issuer: `http://127.0.0.1:${port}` })
  second = await add({ issuer: `http://127.0.0.1:${otherPort}`, name: 'Other school' })
  ids.push(provider.id, second.id)
  issuer = await startIssuer(uris, { port })
  elsewhere = await startIssuer(uris, { port: otherPort })
})
afterAll(async () => {
  await issuer?.stop()
  await elsewhere?.stop()
  await server?.end()
})
afterEach(async () => {
  issuer.spoil(null)
  issuer.spoilBack(null)
  issuer.withAcr(null)
  await change(provider, {
    rules: [],
    createsPeople: true,
    secondFactor: { when: 'never' },
    defaultRole: 'member',
  })
})

describe('[IDN-2.openid] signing in by an OpenID Connect provider', () => {
  it('finds it by its issuer address, and lets somebody in by code, PKCE, state and nonce', async () => {
    const asked: URL[] = []
    const walker = createWalker()
    issuer.as(somebody())
    const first = await walker.once(new URL(startOf(provider.id)), null)
    asked.push(new URL(first.headers.location ?? ''))
    const query = Object.fromEntries(asked[0]?.searchParams ?? [])
    expect(query).toMatchObject({ response_type: 'code', code_challenge_method: 'S256', client_id: 'kalnet' })
    expect(query.state?.length).toBeGreaterThan(40)
    expect(query.nonce?.length).toBeGreaterThan(40)
    expect(first.headers['set-cookie']?.[0]).toMatch(/kalnet-flow=.+; HttpOnly; SameSite=Lax/)

    const who = somebody({ name: 'Grace' })
    const { back, cookie, page } = await signIn(who)
    expect(back).toBe('/')
    expect(String(page.headers['set-cookie'])).toMatch(/kalnet=[\w-]{43};.*SameSite=Strict/)
    expect(await me(cookie)).toMatchObject({ name: 'Grace', email: who.email, role: 'member' })
  })
  it('the second time it is the same person, whatever the e-mail address is now', async () => {
    const who = somebody()
    const first = await me((await signIn(who)).cookie)
    const again = await me((await signIn({ ...who, email: 'moved@example.net' })).cookie)
    expect(again.id).toBe(first.id)
    expect(again.email).toBe(who.email)
  })
  it('goes back to where one was, and only within Kalnet', async () => {
    issuer.as(somebody())
    const walker = createWalker()
    const page = await walker.go(`${startOf(provider.id)}?back=/settings`, { stop: isHome })
    expect(page.url.pathname).toBe('/settings')
    for (const back of ['//evil.example', 'https://evil.example', '/\\evil.example']) {
      const refused = await walker.once(
        new URL(`${startOf(provider.id)}?back=${encodeURIComponent(back)}`),
        null,
      )
      expect(refused.headers.location).toBe('/?problem=request.invalid')
    }
  })
  it('who is refused there hears it here', async () => {
    issuer.spoilBack((url) => {
      url.searchParams.delete('code')
      url.searchParams.set('error', 'access_denied')
    })
    expect(await signIn(somebody())).toMatchObject({ back: '/?problem=provider.refused', cookie: null })
  })
})

const wrong: [string, Spoil][] = [
  [
    'another nonce',
    ({ header, claims }, sign) => sign({ header, claims: { ...claims, nonce: 'x'.repeat(43) } }),
  ],
  ['no nonce', ({ header, claims: { nonce: _, ...claims } }, sign) => sign({ header, claims })],
  [
    'another issuer',
    ({ header, claims }, sign) => sign({ header, claims: { ...claims, iss: 'https://evil.example' } }),
  ],
  [
    'another audience',
    ({ header, claims }, sign) => sign({ header, claims: { ...claims, aud: 'somebody-else' } }),
  ],
  [
    'several audiences and another party',
    ({ header, claims }, sign) => sign({ header, claims: { ...claims, aud: ['kalnet', 'x'], azp: 'x' } }),
  ],
  [
    'expired',
    ({ header, claims }, sign) =>
      sign({ header, claims: { ...claims, exp: Math.floor(Date.now() / 1000) - 300 } }),
  ],
  ['no expiry', ({ header, claims: { exp: _, ...claims } }, sign) => sign({ header, claims })],
  ['no subject', ({ header, claims: { sub: _, ...claims } }, sign) => sign({ header, claims })],
  ['algorithm none', (token, sign) => sign(token, 'none')],
  ['HS256 with the public key', (token, sign) => sign(token, 'hmac')],
  ['another key', (token, sign) => sign(token, 'other')],
  [
    'another key under a name of its own',
    ({ header, claims }, sign) => sign({ header: { ...header, kid: 'mine' }, claims }, 'other'),
  ],
  [
    'a key in the header',
    ({ header, claims }, sign) => sign({ header: { ...header, jwk: { kty: 'RSA' } }, claims }, 'other'),
  ],
  ['a changed signature', (token, sign) => `${sign(token).slice(0, -6)}AAAAAA`],
  [
    'claims changed after signing',
    (token, sign) => {
      const [head, , signature] = sign(token).split('.')
      return `${head}.${Buffer.from(JSON.stringify({ ...token.claims, sub: 'owner' })).toString('base64url')}.${signature}`
    },
  ],
  ['not a token', () => 'nothing'],
]
describe('[IDN-2.openid-attacks] what is not to be trusted lets nobody in and makes nothing', () => {
  it('the same with nothing spoilt gets in', async () => {
    issuer.spoil((token, sign) => sign(token))
    expect((await signIn(somebody())).cookie).not.toBeNull()
  })
  it.each(wrong)('an identity token: %s', async (_name, spoil) => {
    const before = await state()
    issuer.spoil(spoil)
    const { back, cookie } = await signIn(somebody())
    expect({ back, cookie }).toEqual({ back: '/?problem=provider.answer', cookie: null })
    expect(await state()).toEqual(before)
  })
  const ways: [string, (url: URL) => void][] = [
    ['another state', (url) => url.searchParams.set('state', 'x'.repeat(43))],
    ['no state', (url) => url.searchParams.delete('state')],
    ['two states', (url) => url.searchParams.append('state', 'x')],
    ['another issuer (mix-up)', (url) => url.searchParams.set('iss', elsewhere.issuer)],
    ['no issuer although it promises one', (url) => url.searchParams.delete('iss')],
    ['a token in the address', (url) => url.searchParams.set('id_token', 'x.y.z')],
  ]
  it.each(ways)('the way back: %s', async (_name, spoil) => {
    const before = await state()
    issuer.spoilBack(spoil)
    const { back, cookie } = await signIn(somebody())
    expect({ back: back.slice(0, 18), cookie }).toEqual({ back: '/?problem=provider', cookie: null })
    expect(await state()).toEqual(before)
  })
  it('an invented code', async () => {
    issuer.spoilBack((url) => url.searchParams.set('code', 'invented'))
    const { back, cookie } = await signIn(somebody())
    expect({ back, cookie }).toEqual({ back: '/?problem=provider.refused', cookie: null })
  })
  it('a code meant for another provider (its callback is another one)', async () => {
    issuer.as(somebody())
    const walker = createWalker()
    const stopped = await walker.go(startOf(provider.id), {
      stop: (url) => url.pathname.endsWith('/callback'),
    })
    const url = new URL(stopped.url)
    url.pathname = new URL(callbackOf(second.id)).pathname
    const page = await walker.go(url.href, { from: issuer.issuer, stop: isHome })
    expect(page.url.search).toBe('?problem=provider.flow')
    expect(walker.cookie(server.origin, 'kalnet')).toBeNull()
  })
})

describe('[IDN-2.flow] what was begun in one browser ends there, once, in time', () => {
  const begun = async () => {
    issuer.as(somebody())
    const walker = createWalker()
    const stopped = await walker.go(startOf(provider.id), {
      stop: (url) => url.pathname.endsWith('/callback'),
    })
    return { walker, back: stopped.url.href }
  }
  it('another browser gets nothing (login CSRF)', async () => {
    const { back } = await begun()
    const victim = createWalker()
    await victim.once(new URL(startOf(provider.id)), null)
    const page = await victim.go(back, { from: issuer.issuer, stop: isHome })
    expect(page.url.search).toMatch(/problem=provider\./)
    expect(victim.cookie(server.origin, 'kalnet')).toBeNull()
  })
  it('a browser without the cookie gets nothing', async () => {
    const { back } = await begun()
    const page = await createWalker().go(back, { from: issuer.issuer, stop: isHome })
    expect(page.url.search).toBe('?problem=provider.flow')
  })
  it('the same answer twice, and twenty times at once: one sign-in', async () => {
    const { walker, back } = await begun()
    const flow = walker.cookie(server.origin, 'kalnet-flow') ?? ''
    const before = await count('sign_ins')
    const all = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const twin = createWalker()
        twin.setCookie(server.origin, 'kalnet-flow', flow)
        const page = await twin.go(back, { from: issuer.issuer, stop: isHome })
        return page.url.search
      }),
    )
    expect(all.filter((it) => it === '')).toHaveLength(1)
    expect(await count('sign_ins')).toBe((before ?? 0) + 1)
  })
  it('after ten minutes it is over', async () => {
    const { walker, back } = await begun()
    await server.store.system.transaction((tx) =>
      sql`update provider_flows set expires_at = now() - interval '1 second'`.execute(tx),
    )
    const page = await walker.go(back, { from: issuer.issuer, stop: isHome })
    expect(page.url.search).toBe('?problem=provider.flow')
  })
  it('no secret of the way is stored', async () => {
    const { walker } = await begun()
    const { rows } = await server.store.system.read((tx) =>
      sql`select provider_flows::text as row from provider_flows`.execute(tx),
    )
    const text = JSON.stringify(rows)
    expect(text).not.toContain(walker.cookie(server.origin, 'kalnet-flow'))
  })
})

describe('[IDN-2.accounts] whose account it is', () => {
  it('the same e-mail address as somebody here joins nothing and says what to do', async () => {
    const email = `${owner.userId}@example.org`
    const before = await state()
    const { back, cookie } = await signIn(somebody({ email }))
    expect({ back, cookie }).toEqual({ back: '/?problem=provider.email-taken', cookie: null })
    expect(await state()).toEqual(before)
  })
  it('nobody is made when that is off, or without an address', async () => {
    expect((await signIn(somebody({ email: undefined }))).back).toBe('/?problem=provider.no-email')
    await change(provider, { createsPeople: false })
    expect((await signIn(somebody())).back).toBe('/?problem=provider.stranger')
  })
  it('who is switched off here stays out', async () => {
    const who = somebody()
    const { id } = await me((await signIn(who)).cookie)
    await server.store.system.transaction((tx) =>
      sql`update users set state = 'off' where id = ${id}`.execute(tx),
    )
    expect((await signIn(who)).back).toBe('/?problem=provider.off')
  })
  it('eight first sign-ins at once make one person', async () => {
    const who = somebody()
    issuer.as(who)
    const before = await count('users')
    const all = await Promise.all(Array.from({ length: 8 }, () => signIn(who)))
    const ids = new Set(await Promise.all(all.map(async (it) => (await me(it.cookie)).id)))
    expect(ids.size).toBe(1)
    expect(await count('users')).toBe((before ?? 0) + 1)
  })
  it('is linked from a live sign-in only, with a fresh proof; then it leads to that person', async () => {
    const person = await server.person('member', owner.organisationId)
    const who = somebody()
    issuer.as(who)
    const link = () =>
      server.ask('POST', '/api/me/linked-accounts', { as: person.secret, body: { providerId: provider.id } })
    await server.store.system.transaction((tx) =>
      sql`update sign_ins set proved_at = now() - interval '11 minutes' where id = ${person.signInId}`.execute(
        tx,
      ),
    )
    expect((await link()).body.error?.code).toBe('step-up.required')
    await server.store.system.transaction((tx) =>
      sql`update sign_ins set proved_at = now() where id = ${person.signInId}`.execute(tx),
    )
    const go = async () => {
      const answer = await link()
      expect(answer.status, answer.text).toBe(200)
      const walker = createWalker()
      walker.setCookie(
        server.origin,
        'kalnet-flow',
        /kalnet-flow=([\w-]+)/.exec(String(answer.headers['set-cookie']))?.[1] ?? '',
      )
      const page = await walker.go(String(answer.body.link), { stop: isHome })
      return page.url.pathname + page.url.search
    }
    expect(await go()).toBe('/settings')
    expect(await me((await signIn(who)).cookie)).toMatchObject({ id: person.userId })
    // Somebody else cannot take it as well.
    const other = await server.person('member', owner.organisationId)
    Object.assign(person, other)
    expect(await go()).toBe('/?problem=provider.link-taken')
    // And a sign-in that ended meanwhile links nothing.
    issuer.as(somebody())
    const answer = await link()
    await server.ask('POST', '/api/sign-out', { as: other.secret })
    const walker = createWalker()
    walker.setCookie(
      server.origin,
      'kalnet-flow',
      /kalnet-flow=([\w-]+)/.exec(String(answer.headers['set-cookie']))?.[1] ?? '',
    )
    expect((await walker.go(String(answer.body.link), { stop: isHome })).url.search).toBe(
      '?problem=provider.flow',
    )
  })
  it('the last way in stays; another one may be taken away and ends what came by it', async () => {
    const who = somebody()
    const { cookie } = await signIn(who)
    const list = async () =>
      (await server.ask('GET', '/api/me/linked-accounts', { as: cookie ?? '' })).body as never as {
        items: { id: string; removable: boolean }[]
      }
    const [only] = (await list()).items
    expect(only?.removable).toBe(false)
    const remove = () => server.ask('DELETE', `/api/me/linked-accounts/${only?.id}`, { as: cookie ?? '' })
    expect((await remove()).body.error?.code).toBe('provider.last-way')
    const { id } = await me(cookie)
    await server.store.system.transaction((tx) =>
      sql`update users set password_hash = 'x' where id = ${id}`.execute(tx),
    )
    const elsewhereIn = await signIn(who)
    expect((await remove()).status).toBe(200)
    expect((await list()).items).toEqual([])
    // This sign-in goes on, the other one that came by it is over.
    expect((await me(cookie)).id).toBe(id)
    expect((await me(elsewhereIn.cookie)).error).toMatchObject({ code: 'sign-in.required' })
  })
  it('proves anew at the provider, and only as the same account', async () => {
    const who = somebody()
    const { cookie, walker } = await signIn(who)
    const { items } = (await server.ask('GET', '/api/me/linked-accounts', { as: cookie ?? '' }))
      .body as never as { items: { id: string }[] }
    const { id } = await me(cookie)
    const stale = () =>
      server.store.system.transaction((tx) =>
        sql`update sign_ins set proved_at = now() - interval '1 hour' where user_id = ${id}`.execute(tx),
      )
    await stale()
    const secret = () => walker.cookie(server.origin, 'kalnet') ?? ''
    const dangerous = async () =>
      (await server.ask('POST', '/api/me/linked-accounts', { as: secret(), body: { providerId: second.id } }))
        .body.error?.code ?? 'done'
    expect(await dangerous()).toBe('step-up.required')
    const prove = async () => {
      const begun = await server.ask('POST', `/api/me/linked-accounts/${items[0]?.id}/prove`, {
        as: secret(),
        body: {},
      })
      walker.setCookie(
        server.origin,
        'kalnet-flow',
        /kalnet-flow=([\w-]+)/.exec(String(begun.headers['set-cookie']))?.[1] ?? '',
      )
      return (await walker.go(String(begun.body.link), { stop: isHome })).url.search
    }
    expect(await prove()).toBe('')
    expect(secret()).not.toBe(cookie)
    expect(await dangerous()).toBe('done')
    await stale()
    issuer.as(somebody())
    walker.forget(issuer.issuer)
    expect(await prove()).toMatch(/problem=provider\.(answer|refused)/)
    expect(await dangerous()).toBe('step-up.required')
  })
})

describe('[IDN-2.openid-groups] groups there, role and groups here', () => {
  it('the first rule that fits decides the role, every one puts into its group; it follows at the next sign-in', async () => {
    const made = await server.ask('POST', '/api/groups', { as: owner.secret, body: { name: 'Gamers' } })
    const groupId = String(made.body.id)
    await change(provider, {
      defaultRole: 'guest',
      rules: [
        { group: 'children', role: 'child' },
        { group: 'parents', role: 'admin' },
        { group: 'play', groupId },
      ],
    })
    const who = somebody({ groups: ['parents', 'children', 'play'] })
    const members = async () =>
      (await server.ask('GET', `/api/people?group=${groupId}`, { as: owner.secret })).body as never as {
        items: { id: string }[]
      }
    const { id, role } = await me((await signIn(who)).cookie)
    expect(role).toBe('child')
    expect((await members()).items.map((it) => it.id)).toEqual([id])
    expect((await me((await signIn({ ...who, groups: ['parents'] })).cookie)).role).toBe('admin')
    expect((await members()).items).toEqual([])
    expect((await me((await signIn({ ...who, groups: [] })).cookie)).role).toBe('guest')
  })
  it('nobody becomes an owner by a rule, and an owner stays one', async () => {
    const answer = await server.ask('PATCH', `/api/providers/${provider.id}`, {
      as: owner.secret,
      body: { rules: [{ group: 'x', role: 'owner' }] },
    })
    expect(answer.body.error?.code).toBe('request.invalid')
    const who = somebody()
    const { id } = await me((await signIn(who)).cookie)
    await server.store.system.transaction((tx) =>
      sql`update users set role = 'owner' where id = ${id}`.execute(tx),
    )
    await change(provider, { rules: [{ group: 'x', role: 'child' }], defaultRole: 'guest' })
    expect((await me((await signIn({ ...who, groups: ['x'] })).cookie)).role).toBe('owner')
  })
  it('counts as two factors when the rule says so', async () => {
    const assurance = async () => {
      const { cookie } = await signIn(somebody())
      const { rows } = await server.store.system.read((tx) =>
        sql<{
          assurance: number
        }>`select assurance from sign_ins order by created_at desc, id desc limit 1`.execute(tx),
      )
      expect(cookie).not.toBeNull()
      return rows[0]?.assurance
    }
    expect(await assurance()).toBe(1)
    await change(provider, { secondFactor: { when: 'always' } })
    expect(await assurance()).toBe(2)
    await change(provider, { secondFactor: { when: 'told', values: ['two'] } })
    expect(await assurance()).toBe(1)
  })
})

describe('[IDN-2.openid] one gate for all', () => {
  it('who has a second factor is asked for it, in the page, and only then is in', async () => {
    const door = createDoor(server, systemClock)
    const who = somebody()
    const first = await signIn(who)
    const { secret } = await door.addTotp(first.cookie ?? '')
    const { back, cookie } = await signIn(who)
    expect(cookie).toBeNull()
    const [, told = ''] = /^\/#second-factor=([\w-]+)$/.exec(back) ?? []
    const { attempt, methods } = JSON.parse(Buffer.from(told, 'base64url').toString()) as Record<
      string,
      string
    >
    expect(methods).toContain('totp')
    const entered = await door.secondFactor(attempt ?? '', { method: 'totp', code: door.code(secret) })
    expect(entered.body).toMatchObject({ state: 'signed-in' })
    // It still hangs on the provider: switched off, it ends.
    await server.doors.federation.sessions.tidy()
    await change(provider, { enabled: false })
    expect((await me(secretOf(entered))).error).toMatchObject({ code: 'sign-in.required' })
    await change(provider, { enabled: true, secondFactor: { when: 'always' } })
    expect((await signIn(who)).cookie).not.toBeNull()
  })
})

describe('what goes on after signing in', () => {
  const old = () =>
    server.store.system.transaction(async (tx) => {
      await sql`update provider_sessions set checked_at = now() - interval '11 minutes'`.execute(tx)
      await sql`update sign_ins set last_seen_at = now() where provider_id is not null`.execute(tx)
    })
  it('[IDN-2.openid-refresh] asks again while it is used: groups follow, who is gone there is out here', async () => {
    await change(provider, { rules: [{ group: 'parents', role: 'admin' }], defaultRole: 'guest' })
    const who = somebody()
    const { cookie } = await signIn(who)
    expect((await me(cookie)).role).toBe('guest')
    // Not due yet.
    issuer.as({ ...who, groups: ['parents'] })
    await server.doors.federation.sessions.refreshDue()
    expect((await me(cookie)).role).toBe('guest')
    await old()
    await server.doors.federation.sessions.refreshDue()
    const { rows } = await server.store.system.read((tx) =>
      sql<{
        action: string
      }>`select action from audit where object = ${provider.id} order by id desc limit 1`.execute(tx),
    )
    expect(rows[0]?.action).toBe('person.changed-elsewhere')
    // Another role: what was open in the old one is over.
    expect((await me(cookie)).error).toMatchObject({ code: 'sign-in.required' })
    const again = await signIn({ ...who, groups: ['parents'] })
    expect((await me(again.cookie)).role).toBe('admin')
    await old()
    await server.doors.federation.sessions.refreshDue()
    expect((await me(again.cookie)).role).toBe('admin')
    issuer.remove(who.sub)
    await old()
    await server.doors.federation.sessions.refreshDue()
    expect((await me(again.cookie)).error).toMatchObject({ code: 'sign-in.required' })
  })
  it('[IDN-2.openid-refresh] a provider that cannot be asked now ends nothing', async () => {
    const { cookie } = await signIn(somebody())
    await old()
    issuer.spoil(() => 'nothing')
    await server.doors.federation.sessions.refreshDue()
    expect((await me(cookie)).error).toBeUndefined()
  })
  it('[IDN-2.openid-logout] signing out goes on to the provider', async () => {
    const { cookie } = await signIn(somebody())
    const answer = await server.ask('POST', '/api/me/sign-out-there', { as: cookie ?? '', body: {} })
    const link = new URL(String(answer.body.link))
    expect(link.origin).toBe(issuer.issuer)
    expect(link.searchParams.get('id_token_hint')).toMatch(/^ey/)
    expect((await me(cookie)).error).toMatchObject({ code: 'sign-in.required' })
  })

  const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
  const logoutToken = (
    claims: Record<string, unknown>,
    header: Record<string, unknown> = {},
    how?: 'own' | 'other' | 'none' | 'hmac',
  ) => {
    const now = Math.floor(Date.now() / 1000)
    return issuer.sign(
      {
        header: { alg: 'RS256', kid: issuer.kid, typ: 'logout+jwt', ...header },
        claims: {
          iss: issuer.issuer,
          aud: 'kalnet',
          iat: now,
          exp: now + 120,
          jti: `jti-${Math.random()}`,
          events: { [EVENT]: {} },
          ...claims,
        },
      },
      how,
    )
  }
  const tell = (token: string, id = provider.id) =>
    server.ask('POST', `/api/sign-in/providers/${id}/logout`, {
      raw: new URLSearchParams({ logout_token: token }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
  const cases: [string, (sub: string) => string][] = [
    ['another key', (sub) => logoutToken({ sub }, {}, 'other')],
    ['algorithm none', (sub) => logoutToken({ sub }, {}, 'none')],
    ['HS256 with the public key', (sub) => logoutToken({ sub }, {}, 'hmac')],
    ['another issuer', (sub) => logoutToken({ sub, iss: 'https://evil.example' })],
    ['another audience', (sub) => logoutToken({ sub, aud: 'x' })],
    ['old', (sub) => logoutToken({ sub, iat: Math.floor(Date.now() / 1000) - 3600 })],
    ['from the future', (sub) => logoutToken({ sub, iat: Math.floor(Date.now() / 1000) + 3600 })],
    ['no event', (sub) => logoutToken({ sub, events: {} })],
    ['with a nonce', (sub) => logoutToken({ sub, nonce: 'x' })],
    ['nobody', () => logoutToken({})],
    ['no id', (sub) => logoutToken({ sub, jti: undefined })],
    ['another type of token', (sub) => logoutToken({ sub }, { typ: 'at+jwt' })],
    ['the type of an identity token', (sub) => logoutToken({ sub }, { typ: 'JWT' })],
    ['no type', (sub) => logoutToken({ sub }, { typ: undefined })],
    ['not a token', () => 'x'],
  ]
  it.each(cases)(
    '[IDN-2.openid-backchannel] a sign-out that is not to be trusted: %s',
    async (_name, token) => {
      const who = somebody()
      const { cookie } = await signIn(who)
      const answer = await tell(token(who.sub))
      expect(answer.body.error?.code).toBe('provider.answer')
      expect((await me(cookie)).error).toBeUndefined()
    },
  )
  it('[IDN-2.openid-backchannel] ends every sign-in of that person at once, and counts once', async () => {
    const who = somebody()
    const [one, two, other] = [await signIn(who), await signIn(who), await signIn(somebody())]
    const token = logoutToken({ sub: who.sub })
    expect((await tell(token)).status).toBe(200)
    expect((await me(one.cookie)).error).toMatchObject({ code: 'sign-in.required' })
    expect((await me(two.cookie)).error).toMatchObject({ code: 'sign-in.required' })
    expect((await me(other.cookie)).error).toBeUndefined()
    const again = await signIn(who)
    expect((await tell(token)).body.error?.code).toBe('provider.answer')
    expect((await me(again.cookie)).error).toBeUndefined()
  })
})

describe('[IDN-2.providers] providers are looked after', () => {
  it('the sign-in page hears names only', async () => {
    const answer = await server.ask('GET', '/api/sign-in/providers')
    expect(answer.body.items).toContainEqual({ id: provider.id, name: 'School', icon: 'key' })
    expect(Object.keys((answer.body.items as object[])[0] ?? {}).sort()).toEqual(['icon', 'id', 'name'])
  })
  it('the client secret is sealed and never told', async () => {
    const answer = await server.ask('GET', `/api/providers/${provider.id}`, { as: owner.secret })
    expect(answer.body).toMatchObject({ hasSecret: true, callbackUrl: callbackOf(provider.id) })
    expect(answer.text).not.toContain('client-secret-of-the-test')
    const { rows } = await server.store.system.read((tx) =>
      sql<{
        t: string
      }>`select identity_providers::text || (select string_agg(envelope, '') from secrets) as t from identity_providers`.execute(
        tx,
      ),
    )
    expect(JSON.stringify(rows)).not.toContain('client-secret-of-the-test')
  })
  it('a test looks at the real thing', async () => {
    const good = await server.ask('POST', `/api/providers/${provider.id}/test`, {
      as: owner.secret,
      body: {},
    })
    expect(good.body).toMatchObject({ good: true })
    const nothing = await server.ask('POST', '/api/providers/look', {
      as: owner.secret,
      body: { kind: 'openid', issuer: 'http://127.0.0.1:9' },
    })
    expect(nothing.body).toMatchObject({ check: { good: false } })
    const lan = await server.ask('POST', '/api/providers/look', {
      as: owner.secret,
      body: { kind: 'openid', issuer: 'https://10.1.2.3' },
    })
    expect(JSON.stringify(lan.body)).toContain('not allowed')
  })
  it('another organisation sees, changes and links nothing of it', async () => {
    const stranger = await server.person('owner')
    for (const [method, path, body] of [
      ['GET', `/api/providers/${provider.id}`, undefined],
      ['PATCH', `/api/providers/${provider.id}`, { enabled: false }],
      ['DELETE', `/api/providers/${provider.id}`, undefined],
      ['POST', `/api/providers/${provider.id}/test`, {}],
      ['POST', '/api/me/linked-accounts', { providerId: provider.id }],
    ] as const)
      expect((await server.ask(method, path, { as: stranger.secret, body })).body.error?.code, path).toBe(
        'thing.unknown',
      )
    const foreign = await server.ask('POST', '/api/groups', { as: stranger.secret, body: { name: 'Theirs' } })
    const rules = [{ group: 'x', groupId: foreign.body.id }]
    expect(
      (await server.ask('PATCH', `/api/providers/${provider.id}`, { as: owner.secret, body: { rules } })).body
        .error?.code,
    ).toBe('thing.unknown')
  })
  it('switched off it lets nobody in and ends what came by it; removed it is gone, people stay', async () => {
    const who = somebody()
    const { cookie } = await signIn(who)
    const { id } = await me(cookie)
    await change(provider, { enabled: false })
    expect((await me(cookie)).error).toMatchObject({ code: 'sign-in.required' })
    expect((await signIn(who)).back).toBe('/?problem=thing.unknown')
    await change(provider, { enabled: true })
    expect((await signIn(who)).back).toBe('/')
    expect((await server.ask('DELETE', `/api/providers/${second.id}`, { as: owner.secret })).status).toBe(200)
    expect((await server.ask('GET', `/api/people/${id}`, { as: owner.secret })).status).toBe(200)
  })
})
