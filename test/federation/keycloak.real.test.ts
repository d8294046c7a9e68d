/** A real Keycloak and a real browser: in by OpenID Connect and by SAML, and out again when Keycloak says so. */
import { sql } from '@kalnet/server/core/store'
import { type TestServer, testServer } from '@kalnet/server/testing/server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { buildInto } from '../../packages/dashboard/src/testing.ts'
import { openBrowser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { lacking } from '../support/parts.ts'
import { type Family, introduce, PASSWORD, startFamily } from './keycloak.ts'

const skip = await lacking(
  ['chromium', 'keycloak'],
  'sign-in by a real Keycloak: OpenID Connect, SAML, refresh, back-channel logout',
)

type Browser = Awaited<ReturnType<typeof openBrowser>>
let server: TestServer
let family: Family
let dashboard: Awaited<ReturnType<typeof buildInto>>
let providers: Awaited<ReturnType<typeof introduce>>
const open: Browser[] = []

async function browser(): Promise<Browser> {
  const made = await openBrowser()
  open.push(made)
  return made
}
/** Through Keycloak's own sign-in page, to the address Kalnet brings the browser to in the end. */
async function signIn({ page }: Browser, provider: { id: string }, name: string) {
  await page.goto(`${server.origin}/api/sign-in/providers/${provider.id}/start`)
  await page.fill('#username', name)
  await page.fill('#password', PASSWORD)
  // As it was gone to: the dashboard takes a problem out of its address at once.
  const home = page.waitForRequest((request) => {
    const { origin, pathname } = new URL(request.url())
    return request.isNavigationRequest() && origin === server.origin && !pathname.startsWith('/api/')
  })
  const [gone] = await Promise.all([home, page.click('#kc-login')])
  await page.waitForLoadState()
  return gone.url().slice(server.origin.length)
}
const me = async ({ context }: Browser): Promise<Record<string, unknown>> => {
  const cookie = (await context.cookies(server.origin)).find((it) => it.name === 'kalnet')
  return (await server.ask('GET', '/api/me', { as: cookie?.value ?? 'none' })).body
}
const isOut = async (it: Browser) => (await me(it)).error !== undefined

describe.skipIf(skip)('[IDN-2.keycloak] a real Keycloak', () => {
  beforeAll(async () => {
    // The real dashboard, as people see it.
    dashboard = await buildInto('production')
    server = await testServer({ doors: true, http: { dashboardFolder: dashboard.folder } })
    const owner = await server.person('owner')
    family = await startFamily()
    providers = await introduce(family, server, owner.secret)
  })
  afterEach(async () => {
    family.proxy.spoil(null)
    for (const it of open.splice(0)) await it.close()
  })
  afterAll(async () => {
    await family?.stop()
    await server?.end()
    await dashboard?.remove()
  })

  it('by the button of the sign-in page to Home, and the account page names the linked account', async () => {
    const { page } = await browser()
    await page.goto(`${server.origin}/settings`)
    await page.getByRole('button', { name: 'Sign in with Family', exact: true }).click()
    await page.fill('#username', 'grace')
    await page.fill('#password', PASSWORD)
    await page.click('#kc-login')
    // Back where one was going, signed in, with the cookie that only this site's own pages send.
    await page.getByRole('heading', { name: 'Linked accounts' }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/settings')
    expect(await page.getByText('as grace').count()).toBe(1)
  })
  it('what went wrong there is said on the sign-in page', async () => {
    const { page } = await browser()
    await page.goto(`${server.origin}/`)
    await page.getByRole('button', { name: 'Sign in with Family by SAML' }).click()
    await page.fill('#username', 'grace')
    await page.fill('#password', PASSWORD)
    await page.click('#kc-login')
    await page.getByText('Somebody here has the same e-mail address.').waitFor()
    expect(new URL(page.url()).search).toBe('')
  })
  it('OpenID Connect: sign-in in a browser, groups decide the role', async () => {
    const [one, two] = [await browser(), await browser()]
    expect(await signIn(one, providers.openId, 'grace')).toBe('/')
    expect(await me(one)).toMatchObject({ email: 'grace@example.net', name: 'Grace Test', role: 'admin' })
    const cookie = (await one.context.cookies(server.origin)).find((it) => it.name === 'kalnet')
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' })
    expect(await signIn(two, providers.openId, 'linus')).toBe('/')
    expect(await me(two)).toMatchObject({ role: 'child' })
  })
  it('SAML: sign-in in a browser, groups decide the role', async () => {
    const it = await browser()
    // Not grace: by another provider she is another account, and the same address joins nothing.
    expect(await signIn(it, providers.saml, 'ada')).toBe('/')
    expect(await me(it)).toMatchObject({ email: 'ada@example.net', role: 'guest' })
    const other = await browser()
    expect(await signIn(other, providers.saml, 'grace')).toBe('/?problem=provider.email-taken')
    expect(await isOut(other)).toBe(true)
  })
  it('SAML: an answer changed on its way is refused', async () => {
    const it = await browser()
    await it.page.route(providers.saml.acsUrl, async (route) => {
      const form = new URLSearchParams(route.request().postData() ?? '')
      const xml = Buffer.from(form.get('SAMLResponse') ?? '', 'base64').toString('utf8')
      const changed = xml.replace(
        /(SignatureValue>)(....)/,
        (_whole, tag: string, start: string) => `${tag}${start === 'AAAA' ? 'BBBB' : 'AAAA'}`,
      )
      form.set('SAMLResponse', Buffer.from(changed).toString('base64'))
      await route.continue({ postData: form.toString() })
    })
    expect(await signIn(it, providers.saml, 'ada')).toBe('/?problem=provider.answer')
    expect(await isOut(it)).toBe(true)
  })
  it('OpenID Connect: a token whose signature was changed on its way is refused', async () => {
    family.proxy.spoil((path, body) => {
      if (!path.endsWith('/token')) return body
      const answer = JSON.parse(body) as { id_token?: string }
      const [head = '', claims = '', signature = ''] = answer.id_token?.split('.') ?? []
      const first = signature.startsWith('A') ? 'B' : 'A'
      return JSON.stringify({ ...answer, id_token: `${head}.${claims}.${first}${signature.slice(1)}` })
    })
    const it = await browser()
    expect(await signIn(it, providers.openId, 'mallory')).toBe('/?problem=provider.answer')
    expect(await isOut(it)).toBe(true)
  })
  it('signing out at Keycloak ends the sign-in here by its back channel, and only that one', async () => {
    const [one, two] = [await browser(), await browser()]
    await signIn(one, providers.openId, 'grace')
    await signIn(two, providers.openId, 'linus')
    // The administrator of Keycloak ends her sessions there.
    await family.admin('POST', `/users/${await family.userId('grace')}/logout`)
    await eventually('the sign-in has ended', () => isOut(one), 5_000)
    expect(await isOut(two)).toBe(false)
  })
  it('signing out here goes on to Keycloak: the next sign-in asks for the password again', async () => {
    const it = await browser()
    await signIn(it, providers.openId, 'linus')
    const cookie = (await it.context.cookies(server.origin)).find((one) => one.name === 'kalnet')?.value ?? ''
    const answer = await server.ask('POST', '/api/me/sign-out-there', { as: cookie, body: {} })
    expect(await isOut(it)).toBe(true)
    await it.page.goto(String(answer.body.link))
    await it.page.waitForURL(`${server.origin}/**`)
    await it.page.goto(`${server.origin}/api/sign-in/providers/${providers.openId.id}/start`)
    expect(await it.page.locator('#password').isVisible()).toBe(true)
  })
  it('asks Keycloak again while it is used: groups follow; who is disabled there is out', async () => {
    const it = await browser()
    await signIn(it, providers.openId, 'linus')
    const due = async () => {
      await server.store.system.transaction(async (tx) => {
        await sql`update provider_sessions set checked_at = now() - interval '11 minutes'`.execute(tx)
        await sql`update sign_ins set last_seen_at = now() where provider_id is not null`.execute(tx)
      })
      await server.doors.federation.sessions.refreshDue()
    }
    const id = await family.userId('linus')
    const groups = (await family.admin('GET', `/users/${id}/groups`)) as { id: string }[]
    for (const group of groups) await family.admin('DELETE', `/users/${id}/groups/${group.id}`)
    await due()
    // Another role: every sign-in of it is over.
    expect(await isOut(it)).toBe(true)
    const again = await browser()
    await signIn(again, providers.openId, 'linus')
    expect(await me(again)).toMatchObject({ role: 'guest' })
    await due()
    expect(await isOut(again)).toBe(false)
    await family.admin('PUT', `/users/${id}`, {
      ...((await family.admin('GET', `/users/${id}`)) as object),
      enabled: false,
    })
    await due()
    expect(await isOut(again)).toBe(true)
  })
  it('a test of both providers finds them good', async () => {
    const owner = await server.person(
      'owner',
      (
        await server.store.system.read((tx) =>
          sql<{ id: string }>`select organisation_id as id from identity_providers limit 1`.execute(tx),
        )
      ).rows[0]?.id,
    )
    for (const it of [providers.openId, providers.saml]) {
      const answer = await server.ask('POST', `/api/providers/${it.id}/test`, { as: owner.secret, body: {} })
      expect(answer.body, answer.text).toMatchObject({ good: true })
    }
  })
})
