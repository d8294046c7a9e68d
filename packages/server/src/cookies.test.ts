/** Every cookie that any part of us sets behind https: for https only, for one host, unseen by scripts, not along from elsewhere. */
import { FORWARD_PATH } from '@kalnet/contracts/forward'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { createOutbound } from '@kalnet/io/outbound'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApps } from './apps/apps.ts'
import { clearFlowCookie, newFlowSecret, setFlowCookie } from './federation/flow-secret.ts'
import { clearCookie, newSecret, setCookie } from './identity/cookie.ts'
import { type TestServer, testServer } from './testing/server.ts'

let server: TestServer
let owner: Awaited<ReturnType<TestServer['person']>>
beforeAll(async () => {
  server = await testServer({ listen: false })
  // As behind a proxy of the household's own: people reach us by https.
  const apps = createApps({
    store: server.store,
    events: server.events,
    clock: systemClock,
    log: createLog('test', 'silent'),
    secrets: server.secrets,
    outbound: createOutbound({ allow: [] }),
    signIns: server.identity.signIns,
    address: () => 'https://kalnet.home.arpa',
  })
  server.http.add(apps.routes)
  apps.mount(server.http)
  await server.http.listen()
  owner = await server.person('owner')
})
afterAll(() => server.end())

async function fromTheProvider(): Promise<string[]> {
  const redirectUri = 'https://app.example/back'
  const made = await server.ask('POST', '/api/apps', {
    as: owner.secret,
    body: { name: 'Photos', redirectUris: [redirectUri] },
  })
  const asked = new URLSearchParams({
    client_id: (made.body.app as { clientId: string }).clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    state: 'some-state',
  })
  return (await server.ask('GET', `/oidc/auth?${asked}`)).headers['set-cookie'] ?? []
}
async function fromAGuardedAddress(): Promise<string[]> {
  const host = 'photos.example'
  await server.ask('POST', '/api/forward-routes', { as: owner.secret, body: { name: 'Photos', host } })
  const headers = {
    accept: 'text/html',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': host,
    'x-forwarded-uri': '/albums',
    'x-forwarded-method': 'GET',
  }
  return (await server.ask('GET', FORWARD_PATH, { headers })).headers['set-cookie'] ?? []
}

const places: [name: string, lines: () => Promise<string[]> | string[], sameSite: RegExp][] = [
  ['a sign-in', () => [setCookie(newSecret(), true, 1_000), clearCookie(true)], /strict/],
  // These come along when another site sends the browser here by a link, as these protocols do.
  ['the way to a provider', () => [setFlowCookie(newFlowSecret(), true), clearFlowCookie(true)], /lax/],
  ['the question of an app', fromTheProvider, /lax/],
  ['a guarded address', fromAGuardedAddress, /lax/],
]
describe('[SEC-4.cookies] the cookies', () => {
  it.each(places)('of %s', async (_name, lines, sameSite) => {
    const found = (await lines()).map((line) => line.split(/; */))
    expect(found.length).toBeGreaterThan(0)
    for (const [pair = '', ...rest] of found) {
      const attributes = rest.map((it) => it.toLowerCase())
      expect(pair).toMatch(/^__(Host|Secure)-kalnet/)
      expect(attributes).toContain('secure')
      expect(attributes).toContain('httponly')
      expect(attributes.join()).toMatch(new RegExp(`samesite=${sameSite.source}`))
      expect(attributes.join()).not.toContain('domain=')
      const path = attributes.find((it) => it.startsWith('path=')) ?? ''
      // Only what is bound to a path of its own may do without the name for whole hosts.
      expect(path === 'path=/').toBe(pair.startsWith('__Host-'))
    }
  })
})
