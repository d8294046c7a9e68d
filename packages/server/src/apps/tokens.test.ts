/** What apps are given: for how long it is good, and that it opens nothing else. */
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import {
  type AppServer,
  appServer,
  askAndSee,
  begin,
  createBrowser,
  decide,
  redeem,
  registerApp,
  signInTo,
  type TestApp,
} from '../testing/apps.ts'

let server: AppServer
let owner: Awaited<ReturnType<AppServer['person']>>
let app: TestApp
beforeAll(async () => {
  server = await appServer()
  owner = await server.person('owner')
  app = await registerApp(server, owner)
})
afterAll(() => server.end())

const kept = async (kind: string) => {
  const { rows } = await server.store.system.read((tx) =>
    sql<{ seconds: number }>`select extract(epoch from expires_at - now())::int as seconds from app_records
      where kind = ${kind} order by expires_at desc limit 1`.execute(tx),
  )
  return rows[0]?.seconds ?? 0
}
const atToken = (body: Record<string, string>) =>
  server.ask('POST', '/oidc/token', {
    raw: new URLSearchParams(body).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(`${app.clientId}:${app.secret}`).toString('base64')}`,
    },
  })

describe('[IDN-2.provider-tokens] what an app is given', () => {
  it('a code is good for a minute', async () => {
    const browser = createBrowser(owner.secret)
    const begun = await begin(app)
    const back = await decide(server, browser, await askAndSee(browser, begun), owner.secret)
    const seconds = await kept('AuthorizationCode')
    expect(seconds).toBeGreaterThan(30)
    expect(seconds).toBeLessThanOrEqual(60)
    await server.store.system.transaction((tx) =>
      sql`update app_records set expires_at = now() - interval '1 second' where kind = 'AuthorizationCode'`.execute(
        tx,
      ),
    )
    await expect(redeem(app, begun, back)).rejects.toMatchObject({ error: 'invalid_grant' })
  })
  it('an access token opens what was agreed to, ten minutes long, and no address of ours', async () => {
    const { tokens } = await signInTo(server, app, owner.secret)
    expect(await kept('AccessToken')).toBeLessThanOrEqual(600)
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    for (const path of ['/api/me', '/api/apps', '/api/my-apps'])
      expect([path, (await server.ask('GET', path, { headers })).status]).toEqual([path, 401])
    const info = await client.fetchUserInfo(app.config, tokens.access_token, owner.userId)
    expect(info).toMatchObject({ sub: owner.userId, email: expect.any(String) })
  })
  it('what was not asked for is not told', async () => {
    const browser = createBrowser(owner.secret)
    const begun = await begin(app, { scope: 'openid' })
    const back = await decide(server, browser, await askAndSee(browser, begun), owner.secret)
    const tokens = await redeem(app, begun, back)
    const info = await client.fetchUserInfo(app.config, tokens.access_token, owner.userId)
    expect(info).toEqual({ sub: owner.userId })
    expect(Object.keys(tokens.claims() ?? {})).not.toEqual(expect.arrayContaining(['email']))
  })
  it.each([
    ['a password', { grant_type: 'password', username: 'ada@example.org', password: 'x' }],
    ['the app alone', { grant_type: 'client_credentials' }],
    ['a device', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: 'x' }],
    ['a word of another', { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'x' }],
  ])('%s gets nothing', async (_name, body) => {
    const answer = await atToken(body)
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(/unsupported_grant_type|unauthorized_client/)
  })
})
