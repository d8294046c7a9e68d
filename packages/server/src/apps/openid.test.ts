/** Our OpenID provider against openid-client, an independent relying party: code and PKCE, refresh, consent, who is let in, how it ends. */
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import {
  type AppServer,
  appServer,
  askAndSee,
  begin,
  cookiesOf,
  createBrowser,
  decide,
  redeem,
  registerApp,
  signInTo,
} from '../testing/apps.ts'

let server: AppServer
let owner: Awaited<ReturnType<AppServer['person']>>
beforeAll(async () => {
  server = await appServer()
  owner = await server.person('owner')
})
afterAll(() => server.end())

const failure = async (
  work: Promise<unknown>,
): Promise<{ error?: string; status?: number; code?: string }> => {
  try {
    await work
    return {}
  } catch (error) {
    const { error: name, status, code } = error as { error?: string; status?: number; code?: string }
    return { error: name, status, code }
  }
}

describe('[IDN-2.provider] [IDN-2.provider-openid-client] signing in to an app through us', () => {
  it('[IDN-2.provider-claims] code and PKCE end with who it is: name, address, user name, groups, role', async () => {
    const app = await registerApp(server, owner)
    const groupId = '01920000-0000-7000-8000-0000000000f1'
    await server.store.system.transaction(async (tx) => {
      await sql`insert into groups values (${groupId}, ${owner.organisationId}, 'Grown-ups', now(), now())`.execute(
        tx,
      )
      await sql`insert into group_members values (${owner.organisationId}, ${groupId}, ${owner.userId})`.execute(
        tx,
      )
    })
    const { tokens } = await signInTo(server, app, owner.secret)
    const claims = tokens.claims()
    expect(claims).toMatchObject({
      iss: `${server.origin}/oidc`,
      sub: owner.userId,
      aud: app.clientId,
      name: 'Ada',
      email: `${owner.userId}@example.org`,
      email_verified: false,
      groups: ['Grown-ups'],
      role: 'owner',
      roles: ['owner'],
      acr: 'urn:kalnet:factors:1',
      amr: ['pwd'],
    })
    expect(claims?.preferred_username).toMatch(/^[a-z0-9._-]{3,}$/)
    const info = await client.fetchUserInfo(app.config, tokens.access_token, owner.userId)
    expect(info).toMatchObject({ sub: owner.userId, groups: ['Grown-ups'], role: 'owner' })
  })

  it('[IDN-2.provider-names] two people with one name before the @ get two user names, each for ever', async () => {
    const app = await registerApp(server, owner, { trusted: true })
    const names = []
    for (const at of ['one.example', 'two.example']) {
      const member = await server.person('member', owner.organisationId)
      await server.store.system.transaction((tx) =>
        sql`update users set email = ${`Grace.Hopper+kalnet@${at}`} where id = ${member.userId}`.execute(tx),
      )
      for (const _ of [1, 2]) {
        const { tokens } = await signInTo(server, app, member.secret)
        names.push(tokens.claims()?.preferred_username)
      }
    }
    expect(names).toEqual(['grace.hopper', 'grace.hopper', 'grace.hopper2', 'grace.hopper2'])
  })

  it('[IDN-2.provider-consent] a person is asked once, told what it is about, and asked again after taking it back', async () => {
    const member = await server.person('member', owner.organisationId)
    const app = await registerApp(server, owner, { name: 'Recipes' })
    const browser = createBrowser(member.secret)
    const first = await begin(app)
    const uid = await askAndSee(browser, first)
    const asked = await server.ask('GET', `/api/consents/${uid}`, {
      headers: { cookie: `kalnet=${member.secret}; ${cookiesOf(browser, server)}` },
    })
    expect(asked.body).toMatchObject({
      app: { name: 'Recipes', host: '127.0.0.1:9' },
      me: { name: 'Ada' },
      scopes: ['openid', 'profile', 'email', 'groups'],
      state: 'ask',
    })
    const back = await decide(server, browser, uid, member.secret)
    await redeem(app, first, back)
    // The same browser: straight back, without our page.
    const second = await begin(app)
    const again = await browser.go(second.url.href, { crossSite: true })
    expect(again.location.startsWith(app.redirectUri)).toBe(true)
    await redeem(app, second, new URL(again.location))
    // Another browser: our page, but nothing to decide.
    const other = createBrowser(member.secret)
    const ready = await askAndSee(other, await begin(app))
    const state = async (it: typeof other, question: string) =>
      (
        await server.ask('GET', `/api/consents/${question}`, {
          headers: { cookie: `kalnet=${member.secret}; ${cookiesOf(it, server)}` },
        })
      ).body.state
    expect(await state(other, ready)).toBe('ready')

    const mine = await server.ask('GET', '/api/my-apps', { as: member.secret })
    expect(mine.body.items).toMatchObject([{ id: app.id, name: 'Recipes' }])
    expect((await server.ask('DELETE', `/api/my-apps/${app.id}`, { as: member.secret })).status).toBe(200)
    const after = createBrowser(member.secret)
    expect(await state(after, await askAndSee(after, await begin(app)))).toBe('ask')
    expect((await server.ask('DELETE', `/api/my-apps/${app.id}`, { as: member.secret })).status).toBe(404)
  })

  it('[IDN-2.provider-consent] who refuses goes back with nothing', async () => {
    const member = await server.person('member', owner.organisationId)
    const app = await registerApp(server, owner)
    const browser = createBrowser(member.secret)
    const begun = await begin(app)
    const back = await decide(server, browser, await askAndSee(browser, begun), member.secret, 'refuse')
    expect(back.searchParams.get('error')).toBe('access_denied')
    expect(back.searchParams.get('code')).toBeNull()
  })

  it('[IDN-2.provider-question] the question of another browser cannot be answered, nor one twice', async () => {
    const app = await registerApp(server, owner)
    const attacker = createBrowser()
    const uid = await askAndSee(attacker, await begin(app))
    const answer = await server.ask('POST', `/api/consents/${uid}`, {
      as: owner.secret,
      body: { decision: 'allow' },
    })
    expect(answer.body.error?.code).toBe('consent.unknown')
    const mine = createBrowser(owner.secret)
    const own = await askAndSee(mine, await begin(app))
    const cookies = cookiesOf(mine, server)
    await decide(server, mine, own, owner.secret)
    const twice = await server.ask('POST', `/api/consents/${own}`, {
      headers: { cookie: `kalnet=${owner.secret}; ${cookies}` },
      body: { decision: 'allow' },
    })
    expect(twice.body.error?.code).toBe('consent.unknown')
  })

  it('[IDN-2.provider-trusted] nobody is asked for an app that stewards trust', async () => {
    const member = await server.person('child', owner.organisationId)
    const app = await registerApp(server, owner, { trusted: true })
    const browser = createBrowser(member.secret)
    const uid = await askAndSee(browser, await begin(app))
    const asked = await server.ask('GET', `/api/consents/${uid}`, {
      headers: { cookie: `kalnet=${member.secret}; ${cookiesOf(browser, server)}` },
    })
    expect(asked.body.state).toBe('ready')
  })
})

describe('[IDN-2.provider-refused] what is refused', () => {
  it('another address to go back to, no PKCE, plain PKCE, an unknown app, another answer type', async () => {
    const app = await registerApp(server, owner)
    const browser = createBrowser(owner.secret)
    const at = async (change: (url: URL) => void) => {
      const { url } = await begin(app)
      change(url)
      return new URL((await browser.go(url.href, { crossSite: true })).location)
    }
    const problem = async (change: (url: URL) => void) => {
      const to = await at(change)
      // Never to the address that was named: our own page says it.
      expect(to.origin).toBe(server.origin)
      return to.searchParams.get('code')
    }
    expect(await problem((it) => it.searchParams.set('redirect_uri', 'http://127.0.0.1:9/back/'))).toBe(
      'invalid_redirect_uri',
    )
    expect(await problem((it) => it.searchParams.set('redirect_uri', 'https://evil.example/back'))).toBe(
      'invalid_redirect_uri',
    )
    expect(await problem((it) => it.searchParams.set('client_id', 'app-unknown'))).toBe('invalid_client')
    const told = async (change: (url: URL) => void) => {
      const { searchParams, hash } = await at(change)
      return searchParams.get('error') ?? new URLSearchParams(hash.slice(1)).get('error')
    }
    expect(
      await told((it) => {
        it.searchParams.delete('code_challenge')
        it.searchParams.delete('code_challenge_method')
      }),
    ).toBe('invalid_request')
    expect(await told((it) => it.searchParams.set('code_challenge_method', 'plain'))).toBe('invalid_request')
    expect(await told((it) => it.searchParams.set('response_type', 'token'))).toMatch(
      /unsupported|invalid|unauthorized/,
    )
  })

  it('a wrong verifier, a wrong secret, a code twice', async () => {
    const app = await registerApp(server, owner)
    const browser = createBrowser(owner.secret)
    const begun = await begin(app)
    const back = await decide(server, browser, await askAndSee(browser, begun), owner.secret)
    const wrong = { ...begun, verifier: client.randomPKCECodeVerifier() }
    expect(await failure(redeem(app, wrong, back))).toMatchObject({ error: 'invalid_grant' })
    const guess = await client.discovery(
      new URL(`${server.origin}/oidc`),
      app.clientId,
      undefined,
      client.ClientSecretPost('not the secret'),
      { execute: [client.allowInsecureRequests] },
    )
    expect(await failure(redeem({ ...app, config: guess }, begun, back))).toMatchObject({
      error: 'invalid_client',
    })
    // The stored hash is not the secret.
    const { rows } = await server.store.system.read((tx) =>
      sql<{ secret_hash: string }>`select secret_hash from apps where id = ${app.id}`.execute(tx),
    )
    const byHash = await client.discovery(
      new URL(`${server.origin}/oidc`),
      app.clientId,
      undefined,
      client.ClientSecretPost(rows[0]?.secret_hash ?? ''),
      { execute: [client.allowInsecureRequests] },
    )
    expect(await failure(redeem({ ...app, config: byHash }, begun, back))).toMatchObject({
      error: 'invalid_client',
    })
  })

  it('[IDN-2.provider-replay] a code works once, also 10 in parallel; used again, everything of it ends', async () => {
    const app = await registerApp(server, owner)
    const browser = createBrowser(owner.secret)
    const begun = await begin(app)
    const back = await decide(server, browser, await askAndSee(browser, begun), owner.secret)
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => redeem(app, begun, back)))
    const good = all.filter((it) => it.status === 'fulfilled')
    expect(good.length).toBeLessThanOrEqual(1)
    const tokens = good[0]?.value
    if (tokens)
      expect(await failure(client.fetchUserInfo(app.config, tokens.access_token, owner.userId))).not.toEqual(
        {},
      )
    expect(await failure(redeem(app, begun, back))).toMatchObject({ error: 'invalid_grant' })
  })

  it('[IDN-2.provider-refresh] a refresh token is renewed with each use; the old one again ends both', async () => {
    const app = await registerApp(server, owner, { kind: 'public' })
    const { tokens } = await signInTo(server, app, owner.secret)
    const first = tokens.refresh_token ?? ''
    const renewed = await client.refreshTokenGrant(app.config, first)
    expect(renewed.refresh_token).not.toBe(first)
    await client.fetchUserInfo(app.config, renewed.access_token, owner.userId)
    expect(await failure(client.refreshTokenGrant(app.config, first))).toMatchObject({
      error: 'invalid_grant',
    })
    expect(await failure(client.refreshTokenGrant(app.config, renewed.refresh_token ?? ''))).toMatchObject({
      error: 'invalid_grant',
    })
    expect(await failure(client.fetchUserInfo(app.config, renewed.access_token, owner.userId))).not.toEqual(
      {},
    )
  })

  it('[IDN-2.provider-refresh] an app gives its token back, and no other app does it for it', async () => {
    const app = await registerApp(server, owner, { trusted: true })
    const other = await registerApp(server, owner, { trusted: true })
    const { tokens } = await signInTo(server, app, owner.secret)
    await failure(client.tokenRevocation(other.config, tokens.refresh_token ?? ''))
    const renewed = await client.refreshTokenGrant(app.config, tokens.refresh_token ?? '')
    await client.tokenRevocation(app.config, renewed.refresh_token ?? '')
    expect(await failure(client.refreshTokenGrant(app.config, renewed.refresh_token ?? ''))).toMatchObject({
      error: 'invalid_grant',
    })
  })

  it('[IDN-2.provider-admits] an app of some is closed to others, to other organisations, and to whoever leaves the group', async () => {
    const app = await registerApp(server, owner, { trusted: true, allowed: { roles: ['owner', 'member'] } })
    const child = await server.person('child', owner.organisationId)
    const stranger = await server.person('owner')
    for (const { secret } of [child, stranger]) {
      const browser = createBrowser(secret)
      const uid = await askAndSee(browser, await begin(app))
      const headers = { cookie: `kalnet=${secret}; ${cookiesOf(browser, server)}` }
      const answer = await server.ask('POST', `/api/consents/${uid}`, {
        headers,
        body: { decision: 'allow' },
      })
      expect(answer.body.error?.code).toBe('app.closed')
    }
    const member = await server.person('member', owner.organisationId)
    const { tokens, browser } = await signInTo(server, app, member.secret)
    await server.store.system.transaction((tx) =>
      sql`update users set role = 'guest' where id = ${member.userId}`.execute(tx),
    )
    expect(await failure(client.refreshTokenGrant(app.config, tokens.refresh_token ?? ''))).toMatchObject({
      error: 'invalid_grant',
    })
    expect(await failure(client.fetchUserInfo(app.config, tokens.access_token, member.userId))).not.toEqual(
      {},
    )
    // The browser that was in is shown our page, which says that it is closed.
    expect((await browser.go((await begin(app)).url.href, { crossSite: true })).location).toContain(
      '/consent/',
    )
  })
})

describe('[IDN-2.provider-fresh] what an app asks of the sign-in', () => {
  const stale = (signInId: string) =>
    server.store.system.transaction((tx) =>
      sql`update sign_ins set proved_at = now() - interval '1 hour' where id = ${signInId}`.execute(tx),
    )
  it.each([{ max_age: '60' }, { prompt: 'login' }])(
    '%o asks for a new proof, and the token says when it was',
    async (more) => {
      const member = await server.person('member', owner.organisationId)
      const app = await registerApp(server, owner, { trusted: true })
      await stale(member.signInId)
      const browser = createBrowser(member.secret)
      const begun = await begin(app, more as unknown as Record<string, string>)
      const uid = await askAndSee(browser, begun)
      const headers = { cookie: `kalnet=${member.secret}; ${cookiesOf(browser, server)}` }
      const answer = await server.ask('POST', `/api/consents/${uid}`, {
        headers,
        body: { decision: 'allow' },
      })
      expect(answer.body.error?.code).toBe('step-up.required')
      await server.store.system.transaction((tx) =>
        sql`update sign_ins set proved_at = now() + interval '1 second' where id = ${member.signInId}`.execute(
          tx,
        ),
      )
      const tokens = await redeem(app, begun, await decide(server, browser, uid, member.secret))
      expect(Number(tokens.claims()?.auth_time)).toBeGreaterThan(Date.now() / 1000 - 60)
    },
  )
  it('prompt=none answers login_required without a sign-in, and a code with one', async () => {
    const member = await server.person('member', owner.organisationId)
    const app = await registerApp(server, owner, { trusted: true })
    const browser = createBrowser(member.secret)
    const silent = async () =>
      new URL(
        (await browser.go((await begin(app, { prompt: 'none' })).url.href, { crossSite: true })).location,
      ).searchParams
    expect((await silent()).get('error')).toBe('login_required')
    await signInTo(server, app, member.secret, browser)
    expect((await silent()).get('code')).toBeTruthy()
  })
  it('two factors as an essential claim are not given by one', async () => {
    const member = await server.person('member', owner.organisationId)
    const app = await registerApp(server, owner, { trusted: true })
    const claims = JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:kalnet:factors:2' } } })
    const browser = createBrowser(member.secret)
    const uid = await askAndSee(browser, await begin(app, { claims }))
    const headers = { cookie: `kalnet=${member.secret}; ${cookiesOf(browser, server)}` }
    const answer = await server.ask('POST', `/api/consents/${uid}`, { headers, body: { decision: 'allow' } })
    expect(answer.body.error?.code).toBe('app.proof')
  })
})
