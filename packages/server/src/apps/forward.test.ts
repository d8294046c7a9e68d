/** Forward-auth as a real proxy uses it: a small Node proxy that asks us about each request, before an app that says what reached it. */
import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { type AppServer, appServer, createBrowser } from '../testing/apps.ts'
import { type Proxied, portOf, startProxied } from '../testing/proxied.ts'
import { askedAddress, ruleFor } from './asked-address.ts'
import type { ForwardRow } from './forward.store.ts'

let server: AppServer
let owner: Awaited<ReturnType<AppServer['person']>>
let proxied: Proxied
let host = ''

beforeAll(async () => {
  server = await appServer()
  owner = await server.person('owner')
  proxied = await startProxied(server.port)
  host = proxied.host
})
afterAll(async () => {
  proxied.stop()
  await server.end()
})

/** A browser whose name for the proxy is one of ours; *.localhost is this machine. */
function visit(secret?: string) {
  const browser = createBrowser()
  return {
    browser,
    go: (
      path: string,
      options: { method?: string; body?: string; headers?: Record<string, string> } = {},
      at = host,
    ) => browser.go(`http://${at}${path}`, options),
    enter: async (location: string) => {
      const url = new URL(location)
      return server.ask('POST', '/api/enter', {
        as: secret,
        body: { to: url.searchParams.get('to'), state: url.searchParams.get('state') },
      })
    },
  }
}
async function guarded(body: Record<string, unknown> = {}, by = owner) {
  const answer = await server.ask('POST', '/api/forward-routes', {
    as: by.secret,
    body: { name: 'Photos', host, ...body },
  })
  if (answer.status !== 200) throw new Error(answer.text)
  return String(answer.body.id)
}
const drop = (id: string) => server.ask('DELETE', `/api/forward-routes/${id}`, { as: owner.secret })
/** In: after the way over the dashboard and back. */
async function entered(secret: string, path = '/albums?year=1') {
  const it = visit(secret)
  const sent = await it.go(path)
  const answer = await it.enter(sent.location)
  if (answer.status !== 200) throw new Error(answer.text)
  const back = await it.browser.go(String(answer.body.to))
  return { ...it, sent, callback: String(answer.body.to), back }
}
type Echo = { url: string; headers: Record<string, string> }
const echo = (it: { text: string }) => JSON.parse(it.text) as Echo

describe('[IDN-2.forward] who may pass', () => {
  let routeId = ''
  beforeAll(async () => {
    routeId = await guarded()
  })
  afterAll(() => drop(routeId))

  it('a page goes to the sign-in and comes back to where it wanted to, with a cookie of that host', async () => {
    const { sent, callback, back, go } = await entered(owner.secret)
    expect(sent.status).toBe(302)
    expect(new URL(sent.location).origin).toBe(server.origin)
    expect(new URL(sent.location).pathname).toBe('/enter')
    expect(new URL(callback).host).toBe(host)
    expect(new URL(callback).pathname).toBe('/.kalnet/callback')
    expect(back.location).toBe(`http://${host}/albums?year=1`)
    expect(String(back.headers['set-cookie'])).toContain('HttpOnly; SameSite=Lax')
    const seen = echo(await go('/albums?year=1'))
    expect(seen.url).toBe('/albums?year=1')
    expect(seen.headers).toMatchObject({
      'x-kalnet-user': owner.userId,
      'x-kalnet-name': 'Ada',
      'x-kalnet-role': 'owner',
    })
  })

  it('[IDN-2.forward-headers] nobody says who he is by himself; our cookie stays here, others go on', async () => {
    const { go, browser } = await entered(owner.secret)
    browser.jar(host).set('theme', 'dark')
    const lies = {
      'x-kalnet-user': 'somebody-else',
      'x-kalnet-groups': 'admins',
      'X-Kalnet-Email': 'root@example.org',
      authorization: 'Bearer of-the-app',
    }
    const { headers } = echo(await go('/', { headers: lies }))
    expect(headers['x-kalnet-user']).toBe(owner.userId)
    expect(headers['x-kalnet-email']).toBe(`${owner.userId}@example.org`)
    expect(headers['x-kalnet-groups']).toBeUndefined()
    expect(headers.cookie).toBe('theme=dark')
    expect(headers.authorization).toBe('Bearer of-the-app')
  })

  it('[IDN-2.forward-ends] signing out, switching off and its time end the pass at once, for WebSockets too', async () => {
    const socket = (cookie: string, origin = `http://${host}`) =>
      new Promise<number>((resolve, reject) => {
        const call = httpRequest({
          host: '127.0.0.1',
          port: portOf(proxied.proxy),
          path: '/live',
          headers: { host, connection: 'upgrade', upgrade: 'websocket', cookie, origin },
        })
        call.on('upgrade', (_answer, it) => {
          it.destroy()
          resolve(101)
        })
        call.on('response', (answer) => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        })
        call.on('error', reject)
        call.end()
      })
    const ends: ((it: { secret: string; userId: string; signInId: string }) => Promise<unknown>)[] = [
      ({ secret }) => server.ask('POST', '/api/sign-out', { as: secret, body: {} }),
      ({ userId }) =>
        server.store.system.transaction((tx) =>
          sql`update users set state = 'off' where id = ${userId}`.execute(tx),
        ),
      ({ signInId }) =>
        server.store.system.transaction((tx) =>
          sql`update sign_ins set idle_until = now() where id = ${signInId}`.execute(tx),
        ),
    ]
    for (const end of ends) {
      const member = await server.person('member', owner.organisationId)
      const { go, browser } = await entered(member.secret)
      const cookie = [...browser.jar(host)].map(([name, value]) => `${name}=${value}`).join('; ')
      expect((await go('/')).status).toBe(200)
      expect(await socket(cookie)).toBe(101)
      // A page of another name under the same domain brings the cookie along.
      expect(await socket(cookie, 'http://evil.localhost')).toBe(403)
      await end(member)
      expect((await go('/')).status).toBe(302)
      expect(await socket(cookie)).toBe(401)
    }
  })

  it('signing out of the host alone', async () => {
    const { go } = await entered(owner.secret)
    const out = await go('/.kalnet/sign-out')
    expect(out.location).toBe(`${server.origin}/`)
    expect((await go('/')).status).toBe(302)
  })

  it('what is no page is told 401 and not sent anywhere; changing from another site is refused', async () => {
    const it = visit()
    const script = await it.go('/data', { headers: { accept: 'application/json', 'sec-fetch-mode': 'cors' } })
    expect([script.status, script.headers['www-authenticate']]).toEqual([401, undefined])
    expect((await it.go('/data', { method: 'POST', body: 'x=1' })).status).toBe(401)
    const { go } = await entered(owner.secret)
    expect(
      (await go('/data', { method: 'POST', body: 'x=1', headers: { origin: 'http://evil.localhost' } }))
        .status,
    ).toBe(403)
    expect(
      (await go('/data', { method: 'POST', body: 'x=1', headers: { origin: `http://${host}` } })).status,
    ).toBe(200)
  })
})

describe('[IDN-2.forward-refused] what does not pass', () => {
  let routeId = ''
  beforeAll(async () => {
    routeId = await guarded({ allowed: { roles: ['owner', 'admin'] } })
  })
  afterAll(() => drop(routeId))

  it('a code of another browser, a code twice, a code for another host', async () => {
    const mine = visit(owner.secret)
    const sent = await mine.go('/')
    const answer = await mine.enter(sent.location)
    const other = visit()
    await other.go('/')
    const stolen = await other.browser.go(String(answer.body.to))
    expect(stolen.location).toBe(`${server.origin}/enter?problem=code`)
    expect((await other.go('/')).status).toBe(302)
    // It was used, if in vain: not even the right one has it any more.
    expect((await mine.browser.go(String(answer.body.to))).location).toBe(
      `${server.origin}/enter?problem=code`,
    )
  })
  it('addresses that are not guarded here: no redirect leads to them', async () => {
    const state = 'a'.repeat(64)
    for (const to of [
      'https://evil.example/',
      `http://${host}@evil.example/`,
      'http://evil.localhost/',
      'javascript:alert(1)',
      `http://photos.localhost:${portOf(proxied.app)}/`,
      `http://user:word@${host}/`,
      '//evil.example',
    ]) {
      const answer = await server.ask('POST', '/api/enter', { as: owner.secret, body: { to, state } })
      expect(answer.body.error?.code, to).toBe('forward-route.unknown')
    }
    const { status } = await visit().go('/', {}, `unknown.localhost:${portOf(proxied.proxy)}`)
    expect(status).toBe(404)
    expect(
      (await server.ask('GET', '/api/forward-auth', { headers: { accept: 'text/html' } })).body.error?.code,
    ).toBe('forward-route.unknown')
  })
  it('people whom the rule does not name, those of another organisation, service keys and the CLI', async () => {
    const member = await server.person('member', owner.organisationId)
    const stranger = await server.person('owner')
    const sent = await visit().go('/')
    expect((await visit(member.secret).enter(sent.location)).body.error?.code).toBe('app.closed')
    expect((await visit(stranger.secret).enter(sent.location)).body.error?.code).toBe('forward-route.unknown')
    const { searchParams } = new URL(sent.location)
    const byCli = await server.ask('POST', '/api/enter', {
      local: true,
      body: { to: searchParams.get('to'), state: searchParams.get('state') },
    })
    expect(byCli.body.error?.code).toBe('permission.denied')
  })
  it('who is no longer in the rule', async () => {
    const admin = await server.person('admin', owner.organisationId)
    const { go } = await entered(admin.secret)
    expect((await go('/')).status).toBe(200)
    await server.store.system.transaction((tx) =>
      sql`update users set role = 'guest' where id = ${admin.userId}`.execute(tx),
    )
    expect((await go('/')).status).toBe(302)
    expect((await go('/', { headers: { accept: 'application/json' } })).status).toBe(403)
  })
  it('a host that another organisation has, or Kalnet itself, cannot be guarded', async () => {
    const stranger = await server.person('owner')
    const add = (body: object) => server.ask('POST', '/api/forward-routes', { as: stranger.secret, body })
    expect((await add({ name: 'Mine', host })).body.error?.code).toBe('forward-route.taken')
    expect((await add({ name: 'Mine', host, pathPrefix: '/api' })).body.error?.code).toBe(
      'forward-route.taken',
    )
    expect((await add({ name: 'Mine', host: new URL(server.origin).host })).status).toBe(400)
    for (const bad of ['*.localhost', 'a b', 'http://x', 'x/../y'])
      expect((await add({ name: 'x', host: bad })).status).toBe(400)
    // Nor seen or changed.
    const foreign = await server.ask('PATCH', `/api/forward-routes/${routeId}`, {
      as: stranger.secret,
      body: { who: 'public' },
    })
    expect(foreign.status).toBe(404)
  })

  const rule = (id: string, path_prefix: string, who: 'public' | 'people') =>
    ({ id, path_prefix, who }) as ForwardRow
  const rules = [rule('hook', '/hook', 'public'), rule('rest', '/', 'people')]
  const paths: [string, string][] = [
    ['/', 'rest'],
    ['/hook', 'hook'],
    ['/hook/a%20b', 'hook'],
    ['/hooks', 'rest'],
    ['/hook/../admin', 'unclear'],
    ['/hook/%2e%2e/admin', 'unclear'],
    ['/hook/%252e%252e/admin', 'unclear'],
    ['/hook/..%2fadmin', 'unclear'],
    ['/hook\\..\\admin', 'rest'],
    ['/hook/..;/admin', 'unclear'],
    ['/hook/x/../y', 'hook'],
    ['//hook', 'unclear'],
    ['/admin/..%2fhook', 'unclear'],
    ['/%68ook', 'unclear'],
    ['/HOOK', 'rest'],
    ['/hook/%', 'hook'],
  ]
  it.each(paths)('the path %s meets the rule %s', (path, expected) => {
    const found = ruleFor(rules, path)
    expect(typeof found === 'string' ? found : found?.id).toBe(expected)
  })
  const asked: [Record<string, string>, string | null][] = [
    [{ 'x-forwarded-proto': 'https', 'x-forwarded-host': 'Photos.Example.org:443' }, 'photos.example.org'],
    [
      { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'photos.example.org:8443' },
      'photos.example.org:8443',
    ],
    [{ 'x-forwarded-proto': 'wss', 'x-forwarded-host': 'photos.example.org' }, 'photos.example.org'],
    [{ 'x-forwarded-proto': 'http', 'x-forwarded-host': 'photos.example.org' }, null],
    [{ 'x-forwarded-proto': 'http', 'x-forwarded-host': '192.168.1.7' }, null],
    [{ 'x-forwarded-proto': 'https', 'x-forwarded-host': 'photos.example.org/evil' }, null],
    [{ 'x-forwarded-proto': 'gopher', 'x-forwarded-host': 'photos.example.org' }, null],
    [{ 'x-forwarded-proto': 'https' }, null],
  ]
  it.each(asked)('%o is %s', (headers, expected) => {
    const it = askedAddress({ 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/', ...headers })
    expect(it?.host ?? null).toBe(expected)
  })
})

describe('[IDN-2.app-passwords] programs', () => {
  const basic = (name: string, word: string) => ({
    accept: '*/*',
    authorization: `Basic ${Buffer.from(`${name}:${word}`).toString('base64')}`,
  })
  it('pass by a password of their own, for one address, until it is taken away', async () => {
    const member = await server.person('member', owner.organisationId)
    const open = await guarded({ appPasswords: true })
    const closed = await guarded({ pathPrefix: '/private' })
    try {
      const asked = await visit().go('/dav', { headers: { accept: '*/*' } })
      expect([asked.status, asked.headers['www-authenticate']]).toEqual([
        401,
        `Basic realm="${host}", charset="UTF-8"`,
      ])
      const places = await server.ask('GET', '/api/app-passwords/places', { as: member.secret })
      expect(places.body.items).toEqual([{ id: open, name: 'Photos', host }])
      const made = await server.ask('POST', '/api/app-passwords', {
        as: member.secret,
        body: { routeId: open, name: 'Calendar on my phone' },
      })
      const { secret, username } = made.body as { secret: string; username: string }
      expect(secret).toMatch(/^([a-z2-9]{4}-){7}[a-z2-9]{4}$/)
      for (const name of [username, `${member.userId}@example.org`]) {
        const seen = echo(await visit().go('/dav', { headers: basic(name, secret) }))
        expect(seen.headers['x-kalnet-user']).toBe(member.userId)
        // The app behind never sees it.
        expect(seen.headers.authorization).toBeUndefined()
      }
      expect((await visit().go('/dav', { headers: basic('another', secret) })).status).toBe(401)
      expect((await visit().go('/private', { headers: basic(username, secret) })).status).toBe(401)
      const list = await server.ask('GET', '/api/app-passwords', { as: member.secret })
      expect(list.body.items).toMatchObject([{ name: 'Calendar on my phone', host, routeName: 'Photos' }])
      expect((list.body.items as { lastUsedAt: string }[])[0]?.lastUsedAt).toBeTruthy()
      const { rows } = await server.store.system.read((tx) =>
        sql<{ all: string }>`select string_agg(p::text, ' ') as all from app_passwords p`.execute(tx),
      )
      expect(rows[0]?.all).not.toContain(secret.replaceAll('-', ''))
      // Of another person it is not there.
      const id = (list.body.items as { id: string }[])[0]?.id
      expect((await server.ask('DELETE', `/api/app-passwords/${id}`, { as: owner.secret })).status).toBe(404)
      expect((await server.ask('DELETE', `/api/app-passwords/${id}`, { as: member.secret })).status).toBe(200)
      expect((await visit().go('/dav', { headers: basic(username, secret) })).status).toBe(401)
    } finally {
      await drop(open)
      await drop(closed)
    }
  })
  it('wrong ones are slowed down, and who is switched off does not pass', async () => {
    const member = await server.person('member', owner.organisationId)
    const open = await guarded({ appPasswords: true })
    try {
      const made = await server.ask('POST', '/api/app-passwords', {
        as: member.secret,
        body: { routeId: open, name: 'Sync' },
      })
      const { secret, username } = made.body as { secret: string; username: string }
      const tries = []
      for (let count = 0; count < 8; count++)
        tries.push((await visit().go('/', { headers: basic(username, 'wrong') })).status)
      expect(tries.slice(0, 5)).toEqual([401, 401, 401, 401, 401])
      expect(tries.at(-1)).toBe(429)
      // The right one is not locked out by others' guesses.
      expect((await visit().go('/', { headers: basic(username, secret) })).status).toBe(200)
      await server.store.system.transaction((tx) =>
        sql`update users set state = 'off' where id = ${member.userId}`.execute(tx),
      )
      expect((await visit().go('/', { headers: basic(username, secret) })).status).not.toBe(200)
    } finally {
      await drop(open)
    }
  })
})
