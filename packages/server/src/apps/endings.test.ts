/** What apps were given ends with the sign-in it was given by: tokens, grants, passes; and the apps hear of it. */
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { openidMount } from '@kalnet/contracts/app'
import { forwardMount } from '@kalnet/contracts/forward'
import type { Mounted } from '@kalnet/contracts/mount'
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MOUNTS } from '../access/matrix.ts'
import { sql } from '../core/store.ts'
import {
  type AppServer,
  appServer,
  askAndSee,
  begin,
  cookiesOf,
  createBrowser,
  registerApp,
  signInTo,
} from '../testing/apps.ts'

let server: AppServer
let owner: Awaited<ReturnType<AppServer['person']>>
/** What was told to services of ours; `apps`: which of them are one, and the address its template names. */
const inside = { apps: new Map<string, string>(), words: [] as { appId: string; body: string }[] }
beforeAll(async () => {
  server = await appServer({
    async toService(appId, { url, body }) {
      if (inside.apps.get(appId) !== url) return null
      inside.words.push({ appId, body })
      return 200
    },
  })
  owner = await server.person('owner')
})
afterAll(() => server.end())

/** By the published key that its header names; throws when the signature is not good. */
async function verified(token: string): Promise<{ kid: string; payload: Record<string, unknown> }> {
  const [head = '', body = '', signature = ''] = token.split('.')
  const open = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  const { kid, alg } = open(head) as { kid: string; alg: string }
  const keys = (await server.ask('GET', '/oidc/jwks')).body.keys as (JsonWebKey & { kid: string })[]
  const jwk = keys.find((key) => key.kid === kid)
  if (!jwk || alg !== 'RS256') throw new Error('signed by no key of ours')
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  if (!verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url')))
    throw new Error('the signature is not good')
  return { kid, payload: open(body) as Record<string, unknown> }
}

const refused = async (work: Promise<unknown>) =>
  work.then(
    () => 'given',
    (error: { error?: string; status?: number }) => error.error ?? 'refused',
  )
const alive = async (
  app: Awaited<ReturnType<typeof registerApp>>,
  tokens: client.TokenEndpointResponse,
  userId: string,
) => [
  await refused(client.fetchUserInfo(app.config, tokens.access_token, userId)),
  await refused(client.refreshTokenGrant(app.config, tokens.refresh_token ?? '')),
]

describe('[IDN-2.provider-ends] with the sign-in ends what apps have by it', () => {
  const endings: [
    string,
    (member: { userId: string; signInId: string; secret: string }) => Promise<unknown>,
  ][] = [
    ['signing out', ({ secret }) => server.ask('POST', '/api/sign-out', { as: secret, body: {} })],
    [
      'switching the person off',
      ({ userId }) =>
        server.store.system.transaction((tx) =>
          sql`update users set state = 'off' where id = ${userId}`.execute(tx),
        ),
    ],
    [
      'its time',
      ({ signInId }) =>
        server.store.system.transaction((tx) =>
          sql`update sign_ins set expires_at = now() where id = ${signInId}`.execute(tx),
        ),
    ],
    [
      'a policy that asks for more',
      () =>
        server.store.system.transaction((tx) =>
          sql`insert into sign_in_policies values (${owner.organisationId}, 'guest', 2, 1000, 1000)`.execute(
            tx,
          ),
        ),
    ],
    [
      'taking the consent back',
      async ({ secret }) => {
        const { body } = await server.ask('GET', '/api/my-apps', { as: secret })
        for (const { id } of body.items as { id: string }[])
          await server.ask('DELETE', `/api/my-apps/${id}`, { as: secret })
      },
    ],
  ]
  it.each(endings)('by %s', async (name, end) => {
    const role = name.startsWith('a policy') ? 'guest' : 'member'
    const member = await server.person(role, owner.organisationId)
    const app = await registerApp(server, owner)
    const { tokens, browser } = await signInTo(server, app, member.secret)
    const renewed = await client.refreshTokenGrant(app.config, tokens.refresh_token ?? '')
    await end(member)
    expect(await alive(app, renewed, member.userId)).toEqual(['refused', 'invalid_grant'])
    // The browser that had been in is asked again.
    expect((await browser.go((await begin(app)).url.href, { crossSite: true })).location).toContain(
      '/consent/',
    )
  })

  it('another sign-in of the same person is not touched', async () => {
    const member = await server.person('member', owner.organisationId)
    const app = await registerApp(server, owner)
    const { tokens } = await signInTo(server, app, member.secret)
    await server.apps.endings.end(owner.signInId)
    expect((await alive(app, tokens, member.userId))[0]).toBe('given')
    owner = await server.person('owner', owner.organisationId)
  })
})

describe('[IDN-2.provider-back-channel] apps are told', () => {
  const heard: { body: string; at: string }[] = []
  let listener: Server
  let port = 0
  let answers: number[] = []
  beforeAll(async () => {
    listener = createServer((request, response) => {
      let body = ''
      request.on('data', (piece: Buffer) => {
        body += piece
      })
      request.on('end', () => {
        heard.push({ body, at: request.url ?? '' })
        response.writeHead(answers.shift() ?? 200).end()
      })
    })
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    port = (listener.address() as { port: number }).port
  })
  afterAll(() => new Promise((resolve) => listener.close(resolve)))

  it('a logout token that verifies against our keys names the person and the session', async () => {
    const member = await server.person('member', owner.organisationId)
    const app = await registerApp(server, owner, { logoutUri: `http://127.0.0.1:${port}/logout` })
    const { tokens } = await signInTo(server, app, member.secret)
    await server.ask('POST', '/api/sign-out', { as: member.secret, body: {} })
    await server.apps.endings.end(member.signInId)
    // Twice changes nothing.
    await server.apps.endings.end(member.signInId)
    expect(await server.apps.endings.tell()).toBe(1)
    expect(await server.apps.endings.tell()).toBe(0)
    const token = new URLSearchParams(heard.at(-1)?.body).get('logout_token') ?? ''
    const { payload } = await verified(token)
    expect(payload).toMatchObject({
      iss: `${server.origin}/oidc`,
      aud: app.clientId,
      sub: member.userId,
      sid: tokens.claims()?.sid,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
    expect(payload.nonce).toBeUndefined()
  })

  it('an app that is away is told later; a sign-in that ran out by itself is noticed', async () => {
    const member = await server.person('member', owner.organisationId)
    const app = await registerApp(server, owner, { logoutUri: `http://127.0.0.1:${port}/away` })
    await signInTo(server, app, member.secret)
    answers = [503]
    await server.store.system.transaction((tx) =>
      sql`update sign_ins set expires_at = now() - interval '1 second' where id = ${member.signInId}`.execute(
        tx,
      ),
    )
    await server.apps.endings.sweep()
    expect(await server.apps.endings.tell()).toBe(0)
    await server.store.system.transaction((tx) =>
      sql`update app_logouts set next_at = now() - interval '1 second'`.execute(tx),
    )
    expect(await server.apps.endings.tell()).toBe(1)
    expect(heard.filter((it) => it.at === '/away')).toHaveLength(2)
  })
})

describe('[IDN-2.provider-back-channel] an app that is a service of ours', () => {
  it('is told at its own door, and by no name; another address of it leaves as everybody’s does', async () => {
    const logoutUri = 'https://chat.invalid/signed-out'
    const member = await server.person('member', owner.organisationId)
    const [chat, other, moved] = await Promise.all([
      registerApp(server, owner, { logoutUri }),
      // Says the same address, and is no service.
      registerApp(server, owner, { logoutUri }),
      registerApp(server, owner, { logoutUri: 'https://chat.invalid/elsewhere' }),
    ])
    inside.apps.set(chat.id, logoutUri).set(moved.id, logoutUri)
    const browser = createBrowser(member.secret)
    for (const app of [chat, other, moved]) await signInTo(server, app, member.secret, browser)
    await server.ask('POST', '/api/sign-out', { as: member.secret, body: {} })
    await server.apps.endings.end(member.signInId)
    expect(await server.apps.endings.tell()).toBe(1)
    expect(inside.words.map((it) => it.appId)).toEqual([chat.id])
    const { payload } = await verified(new URLSearchParams(inside.words[0]?.body).get('logout_token') ?? '')
    expect(payload).toMatchObject({ aud: chat.clientId, sub: member.userId })
    await server.store.system.transaction((tx) => sql`delete from app_logouts`.execute(tx))
  })
})

describe('[IDN-2.provider-leave] an app signs a person out', () => {
  async function leaving(everywhere: boolean) {
    const member = await server.person('member', owner.organisationId)
    const leaveUri = 'http://127.0.0.1:9/bye'
    const app = await registerApp(server, owner, { leaveUris: [leaveUri] })
    const other = await registerApp(server, owner)
    const { tokens, browser } = await signInTo(server, app, member.secret)
    const beside = await signInTo(server, other, member.secret, browser)
    const url = client.buildEndSessionUrl(app.config, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: leaveUri,
      state: 'there',
    })
    const page = new URL((await browser.go(url.href, { crossSite: true })).location)
    expect(page.pathname).toBe('/leave')
    const answer = await server.ask('POST', '/api/leave', {
      headers: { cookie: `kalnet=${member.secret}; ${cookiesOf(browser, server)}` },
      body: { ask: page.searchParams.get('ask'), everywhere },
    })
    expect(answer.body.to).toBe(`${leaveUri}?state=there`)
    const still = (await server.ask('GET', '/api/me', { as: member.secret })).status
    return {
      app: await alive(app, tokens, member.userId),
      other: await alive(other, beside.tokens, member.userId),
      still,
    }
  }
  it('of itself alone', async () => {
    const { app, other, still } = await leaving(false)
    expect(app).toEqual(['refused', 'invalid_grant'])
    expect(other).toEqual(['given', 'given'])
    expect(still).toBe(200)
  })
  it('of Kalnet too, when the person says so', async () => {
    const { app, other, still } = await leaving(true)
    expect([...app, ...other]).toEqual(['refused', 'invalid_grant', 'refused', 'invalid_grant'])
    expect(still).toBe(401)
  })
  it('never to an address that the app did not name, nor by a word of another browser', async () => {
    const member = await server.person('member', owner.organisationId)
    const app = await registerApp(server, owner, { leaveUris: ['http://127.0.0.1:9/bye'] })
    const { tokens, browser } = await signInTo(server, app, member.secret)
    const url = client.buildEndSessionUrl(app.config, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: 'http://evil.example/',
    })
    const page = new URL((await browser.go(url.href, { crossSite: true })).location)
    expect(page.pathname + page.search).toBe('/consent/problem?code=invalid_request')
    const answer = await server.ask('POST', '/api/leave', {
      headers: { cookie: `kalnet=${member.secret}; ${cookiesOf(browser, server)}` },
      body: { ask: 'guessed', everywhere: true },
    })
    expect(answer.body.error?.code).toBe('consent.unknown')
  })
})

describe('[IDN-2.provider-keys] signing keys', () => {
  it('are sealed, published ahead of their use, and rotate without breaking what was signed', async () => {
    const app = await registerApp(server, owner, { trusted: true })
    const first = (await signInTo(server, app, owner.secret)).tokens.id_token ?? ''
    const published = async () => {
      const { body } = await server.ask('GET', '/oidc/jwks')
      return body.keys as { kid: string; n: string; d?: string }[]
    }
    const before = await published()
    expect(before).toHaveLength(2)
    expect(before.every((key) => key.d === undefined)).toBe(true)
    for (const { n } of before) expect(Buffer.from(n, 'base64url').length * 8).toBe(3072)
    expect((await verified(first)).kid).toBe(before[0]?.kid)
    const rotated = await server.ask('POST', '/api/local/signing-keys', { local: true, body: {} })
    expect(rotated.status).toBe(200)
    const after = await published()
    expect(after[0]?.kid).toBe(before[1]?.kid)
    expect(after.map((key) => key.kid)).toContain(before[0]?.kid)
    expect((await verified(first)).kid).toBe(before[0]?.kid)
    const second = (await signInTo(server, app, owner.secret)).tokens.id_token ?? ''
    expect((await verified(second)).kid).toBe(before[1]?.kid)
    const { rows } = await server.store.system.read((tx) =>
      sql<{ envelope: string }>`select envelope from secrets where name = 'openid signing keys'`.execute(tx),
    )
    expect(rows).toHaveLength(1)
    // With its quotes: three letters alone turn up in what is sealed, too.
    const sealed = rows[0]?.envelope ?? ''
    for (const text of [sealed, Buffer.from(sealed, 'base64').toString()]) expect(text).not.toContain('"kty"')
  })
  it('nothing a browser or an app keeps stands readable in the database', async () => {
    const app = await registerApp(server, owner, { trusted: true })
    const browser = createBrowser(owner.secret)
    await askAndSee(browser, await begin(app))
    const { tokens } = await signInTo(server, app, owner.secret, browser)
    const { rows } = await server.store.system.read((tx) =>
      sql<{
        all: string
      }>`select coalesce(string_agg(r::text, ' '), '') || (select string_agg(a::text, ' ') from apps a) as all from app_records r`.execute(
        tx,
      ),
    )
    for (const secret of [
      tokens.access_token,
      tokens.refresh_token ?? '',
      app.secret ?? '',
      ...browser.jar(new URL(server.origin).host).values(),
    ])
      expect(rows[0]?.all.includes(secret)).toBe(false)
  })
})

describe('[IDN-2.provider-mount] the addresses of other protocols', () => {
  const nameOf = (it: Mounted) => `${it.methods.join(',')} ${it.path}`
  it('are the declared ones, and each is in the matrix with who is judged there', () => {
    const declared = [...openidMount, ...forwardMount].map(nameOf).sort()
    expect(server.http.mounted().map(nameOf).sort()).toEqual(declared)
    expect(Object.keys(MOUNTS).sort()).toEqual(declared)
  })
  it('nothing else of the provider answers', async () => {
    for (const path of [
      '/oidc',
      '/oidc/',
      '/oidc/reg',
      '/oidc/request',
      '/oidc/device',
      '/oidc/token/introspection',
    ])
      expect((await server.ask('GET', path)).status).toBe(404)
    expect((await server.ask('POST', '/oidc/reg', { body: {} })).status).toBe(404)
  })
  it('keep the law of hosts, of sizes and of origins', async () => {
    const at = (path: string, headers: Record<string, string>, method = 'GET', raw?: string) =>
      server.ask(method, path, { headers, raw })
    const foreign = await at('/oidc/.well-known/openid-configuration', { host: 'evil.example' })
    expect(foreign.body.error?.code).toBe('origin.foreign')
    const big = await at(
      '/oidc/token',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'POST',
      'x'.repeat(20_000),
    )
    expect(big.body.error?.code).toBe('request.too-large')
    const other = await at(
      '/oidc/session/end/confirm',
      { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
      'POST',
      'xsrf=1&logout=yes',
    )
    expect(other.body.error?.code).toBe('origin.foreign')
  })
  it('say our address whatever a client claims', async () => {
    const { body } = await server.ask('GET', '/oidc/.well-known/openid-configuration', {
      headers: { host: 'localhost', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    })
    expect(body.issuer).toBe(`${server.origin}/oidc`)
    for (const name of [
      'authorization_endpoint',
      'token_endpoint',
      'jwks_uri',
      'userinfo_endpoint',
      'end_session_endpoint',
    ])
      expect(String(body[name]).startsWith(`${server.origin}/oidc/`)).toBe(true)
    expect(body.code_challenge_methods_supported).toEqual(['S256'])
    expect(body.grant_types_supported).toEqual(['authorization_code', 'refresh_token'])
  })
  it('an app that runs in a browser reads answers at its own origin only; our own cookies never go along', async () => {
    const app = await registerApp(server, owner, { kind: 'public', redirectUri: 'https://spa.example/back' })
    const at = async (origin: string) => {
      const answer = await server.ask('POST', '/oidc/token', {
        headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
        raw: `grant_type=authorization_code&client_id=${app.clientId}&code=x&redirect_uri=https://spa.example/back`,
      })
      return [
        answer.status,
        answer.headers['access-control-allow-origin'],
        answer.headers['access-control-allow-credentials'],
      ]
    }
    expect(await at('https://spa.example')).toEqual([400, 'https://spa.example', undefined])
    expect((await at('https://evil.example'))[1]).not.toBe('https://evil.example')
    const early = await server.ask('OPTIONS', '/oidc/token', {
      headers: { origin: 'https://spa.example', 'access-control-request-method': 'POST' },
    })
    expect([204, 200]).toContain(early.status)
    expect(early.headers['access-control-allow-origin']).toBe('https://spa.example')
  })
  it('what is given to apps is on record, without its secrets', async () => {
    const member = await server.person('member')
    const mine = await server.person('owner', member.organisationId)
    const app = await registerApp(server, mine, { trusted: true })
    const { tokens } = await signInTo(server, app, member.secret)
    const { rows } = await server.store.system.read((tx) =>
      sql<{ action: string; outcome: string; user_id: string | null }>`
        select action, outcome, user_id, details from audit where organisation_id = ${member.organisationId}`.execute(
        tx,
      ),
    )
    expect(rows.map((it) => `${it.action} ${it.outcome}`)).toEqual(
      expect.arrayContaining([
        'app.registered done',
        'app.consent-decided done',
        'app.signed-in done',
        'app.token-issued done',
      ]),
    )
    expect(rows.filter((it) => it.action === 'app.token-issued')[0]?.user_id).toBe(member.userId)
    expect(JSON.stringify(rows)).not.toContain(tokens.access_token)
  })
})
