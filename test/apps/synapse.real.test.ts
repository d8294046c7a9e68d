/** A real Synapse signs a person in through us, in a real browser: it ends as that person on that server, and ends with the sign-in. */
import { createServer, type Server } from 'node:http'
import { sql } from '@kalnet/server/core/store'
import { registerApp } from '@kalnet/server/testing/apps'
import { freePort } from '@kalnet/server/testing/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Synapse, startSynapse } from '../peers/40-synapse.ts'
import { ask } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { lacking } from '../support/parts.ts'
import { type Household, startHousehold } from './household.ts'

const skip = await lacking(
  ['chromium', 'synapse'],
  'a real Synapse signs people in through our OpenID provider, and out when they sign out',
)

describe.skipIf(skip)('[IDN-2.provider-synapse] a real Synapse', () => {
  let house: Household
  let synapse: Synapse
  let page: Server
  let back = ''
  beforeAll(async () => {
    house = await startHousehold()
    const port = await freePort()
    const url = `http://localhost:${port}`
    const app = await registerApp(house.server, house.owner, {
      name: 'Family chat',
      redirectUri: `${url}/_synapse/client/oidc/callback`,
      logoutUri: `http://127.0.0.1:${port}/_synapse/client/oidc/backchannel_logout`,
    })
    // The chat program that a person uses: it gets the word to sign in with.
    page = createServer((_request, response) => response.end('signed in'))
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve))
    back = `http://localhost:${(page.address() as { port: number }).port}/`
    synapse = await startSynapse({
      serverName: 'larch.test',
      port,
      issuer: `${house.server.origin}/oidc`,
      clientId: app.clientId,
      clientSecret: app.secret ?? '',
      clients: [back],
    })
  })
  afterAll(async () => {
    page?.close()
    await synapse?.stop()
    await house?.end()
  })

  it('asks for consent once, ends as that person, and is out when the person signs out here', async () => {
    const { server, owner } = house
    const member = await server.person('member', owner.organisationId)
    await server.store.system.transaction((tx) =>
      sql`update users set email = 'grace.larch@example.org', name = 'Grace Larch' where id = ${member.userId}`.execute(
        tx,
      ),
    )
    const browser = await house.browser(member.secret)
    const begin = `${synapse.url}/_matrix/client/v3/login/sso/redirect/oidc-kalnet?redirectUrl=${encodeURIComponent(back)}`
    await browser.page.goto(begin)
    await browser.page.getByRole('heading', { name: 'Family chat wants to know' }).waitFor()
    await browser.page.getByText('Your e-mail address').waitFor()
    await browser.page.getByRole('button', { name: 'Allow' }).click()
    await browser.page.waitForURL(`${back}**`)
    const token = new URL(browser.page.url()).searchParams.get('loginToken')

    const call = (method: string, path: string, body?: object, as?: string) =>
      ask(synapse.url, {
        method,
        path,
        headers: { 'content-type': 'application/json', ...(as ? { authorization: `Bearer ${as}` } : {}) },
        body: body && JSON.stringify(body),
      })
    const login = await call('POST', '/_matrix/client/v3/login', { type: 'm.login.token', token })
    expect(login.body).toMatchObject({ user_id: '@grace.larch:larch.test', home_server: 'larch.test' })
    const { access_token } = login.body as { access_token: string }
    const who = () => call('GET', '/_matrix/client/v3/account/whoami', undefined, access_token)
    expect((await who()).body).toMatchObject({ user_id: '@grace.larch:larch.test' })
    const profile = await call(
      'GET',
      '/_matrix/client/v3/profile/@grace.larch:larch.test/displayname',
      undefined,
      access_token,
    )
    expect(profile.body).toMatchObject({ displayname: 'Grace Larch' })

    // Again: nothing is asked.
    await browser.page.goto(begin)
    await browser.page.waitForURL(`${back}**`)

    const out = await server.ask('POST', '/api/sign-out', { as: member.secret, body: {} })
    expect(out.status).toBe(200)
    // Told by the back channel; the chat's own token is no more.
    await eventually('the chat has signed out', async () => (await who()).status === 401, 5_000)
  })
})
