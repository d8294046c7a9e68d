/** A real Keycloak that brokers our provider: a person signs in to an app of Keycloak's by the account here, in a real browser. */
import { createServer, type Server } from 'node:http'
import { systemClock } from '@kalnet/io/clock'
import { registerApp } from '@kalnet/server/testing/apps'
import { freePort } from '@kalnet/server/testing/server'
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Keycloak, startKeycloak } from '../peers/30-keycloak.ts'
import { eventually } from '../support/eventually.ts'
import { lacking } from '../support/parts.ts'
import { type Household, startHousehold } from './household.ts'

const skip = await lacking(['chromium', 'keycloak'], 'a real Keycloak brokers our OpenID provider')

const realm = (issuer: string, app: { clientId: string; secret: string | null }, back: string) => ({
  realm: 'house',
  enabled: true,
  sslRequired: 'none',
  clients: [
    {
      clientId: 'viewer',
      enabled: true,
      publicClient: true,
      standardFlowEnabled: true,
      redirectUris: [`${back}*`],
    },
  ],
  identityProviders: [
    {
      alias: 'kalnet',
      displayName: 'Kalnet',
      providerId: 'oidc',
      enabled: true,
      config: {
        issuer,
        authorizationUrl: `${issuer}/auth`,
        tokenUrl: `${issuer}/token`,
        userInfoUrl: `${issuer}/me`,
        jwksUrl: `${issuer}/jwks`,
        logoutUrl: `${issuer}/session/end`,
        useJwksUrl: 'true',
        validateSignature: 'true',
        clientId: app.clientId,
        clientSecret: app.secret,
        clientAuthMethod: 'client_secret_post',
        pkceEnabled: 'true',
        pkceMethod: 'S256',
        defaultScope: 'openid profile email groups',
        backchannelSupported: 'true',
        syncMode: 'FORCE',
      },
    },
  ],
})

describe.skipIf(skip)('[IDN-2.provider-keycloak] a real Keycloak as a broker', () => {
  let house: Household
  let keycloak: Keycloak
  let page: Server
  let back = ''
  beforeAll(async () => {
    house = await startHousehold()
    page = createServer((_request, response) => response.end('signed in'))
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve))
    back = `http://localhost:${(page.address() as { port: number }).port}/`
    const port = await freePort()
    const base = `http://127.0.0.1:${port}/realms/house`
    const app = await registerApp(house.server, house.owner, {
      name: 'The club',
      redirectUri: `${base}/broker/kalnet/endpoint`,
      logoutUri: `${base}/protocol/openid-connect/logout/backchannel-logout`,
    })
    keycloak = await startKeycloak({ port, realms: [realm(`${house.server.origin}/oidc`, app, back)] })
  })
  afterAll(async () => {
    page?.close()
    await keycloak?.stop()
    await house?.end()
  })

  it('signs in by us, is told who it is, and ends when the person signs out here', async () => {
    const { server, owner } = house
    const member = await server.person('member', owner.organisationId)
    const browser = await house.browser(member.secret)
    const config = await client.discovery(
      new URL(`${keycloak.url}/realms/house`),
      'viewer',
      undefined,
      client.None(),
      { execute: [client.allowInsecureRequests] },
    )
    const verifier = client.randomPKCECodeVerifier()
    const begin = client.buildAuthorizationUrl(config, {
      redirect_uri: back,
      scope: 'openid profile email',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      kc_idp_hint: 'kalnet',
    })
    await browser.page.goto(begin.href)
    await browser.page.getByRole('heading', { name: 'The club wants to know' }).waitFor()
    await browser.page.getByRole('button', { name: 'Allow' }).click()
    // Keycloak wants a first and a last name of everybody; we know one name.
    await browser.page.fill('#firstName', 'Ada')
    await browser.page.fill('#lastName', 'Larch')
    await browser.page.locator('form [type=submit]').first().click()
    await browser.page.waitForURL(`${back}**`)
    const tokens = await client.authorizationCodeGrant(config, new URL(browser.page.url()), {
      pkceCodeVerifier: verifier,
    })
    expect(tokens.claims()).toMatchObject({ email: `${member.userId}@example.org`, given_name: 'Ada' })
    expect(String(tokens.claims()?.preferred_username)).toMatch(/^[a-z0-9._-]+$/)

    const renewed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
    // It writes sessions in batches, some time later: one that was refreshed this very moment can be written again after its end.
    await systemClock.sleep(2_000)
    await server.ask('POST', '/api/sign-out', { as: member.secret, body: {} })
    const { sub } = tokens.claims() ?? {}
    await eventually(
      'Keycloak has ended the session',
      // Only read: a refresh on its way while the session ends can bring it back to life over there.
      () =>
        client.fetchUserInfo(config, renewed.access_token, sub ?? '').then(
          () => false,
          () => true,
        ),
      // Both are busy here: the first word may be lost, and the second comes ten seconds later.
      30_000,
    )
    await expect(client.refreshTokenGrant(config, renewed.refresh_token ?? '')).rejects.toThrow()
  })
})
