/** On the way to an app in a real browser: sign in first, prove it once more when the app asks for that, sign out by the app. */
import { createServer, type Server } from 'node:http'
import { sql } from '@kalnet/server/core/store'
import { begin, redeem, registerApp, type TestApp } from '@kalnet/server/testing/apps'
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lacking } from '../support/parts.ts'
import { type Household, startHousehold } from './household.ts'

const skip = await lacking(
  ['chromium'],
  'the consent page, a fresh proof and signing out by an app in a real browser',
)
const PASSWORD = 'correct horse battery'

describe.skipIf(skip)(
  '[IDN-2.provider-consent] [IDN-2.provider-fresh] [IDN-2.provider-leave] the pages between an app and Kalnet',
  () => {
    let house: Household
    let page: Server
    let app: TestApp
    let back = ''
    beforeAll(async () => {
      house = await startHousehold()
      page = createServer((_request, response) => response.end('back'))
      await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve))
      back = `http://localhost:${(page.address() as { port: number }).port}/`
      app = await registerApp(house.server, house.owner, {
        name: 'Recipes',
        redirectUri: back,
        leaveUris: [back],
      })
    })
    afterAll(async () => {
      page?.close()
      await house?.end()
    })

    async function grace() {
      const { server, owner } = house
      const member = await server.person('member', owner.organisationId)
      const hash = await server.identity.passwords.hash(PASSWORD)
      await server.store.system.transaction((tx) =>
        sql`update users set password_hash = ${hash} where id = ${member.userId}`.execute(tx),
      )
      return { ...member, email: `${member.userId}@example.org` }
    }

    it('nobody signed in: the sign-in page comes first, then the question, then the app', async () => {
      const member = await grace()
      const browser = await house.browser()
      const begun = await begin(app)
      await browser.page.goto(begun.url.href)
      await browser.page.getByLabel('E-mail').fill(member.email)
      await browser.page.getByLabel('Password').fill(PASSWORD)
      await browser.page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await browser.page.getByRole('heading', { name: 'Recipes wants to know' }).waitFor()
      // What, for whom and for how long.
      for (const words of ['Your e-mail address', 'until you take it back'])
        await browser.page.getByText(words).first().waitFor()
      await browser.page.getByRole('button', { name: 'Allow' }).click()
      await browser.page.waitForURL(`${back}**`)
      const tokens = await redeem(app, begun, new URL(browser.page.url()))
      expect(tokens.claims()).toMatchObject({ sub: member.userId })

      // The app signs out; the person says: everywhere.
      const leave = client.buildEndSessionUrl(app.config, {
        id_token_hint: tokens.id_token ?? '',
        post_logout_redirect_uri: back,
      })
      await browser.page.goto(leave.href)
      await browser.page.getByRole('button', { name: 'Sign out of Kalnet too' }).click()
      await browser.page.waitForURL(back)
      await browser.page.goto(house.server.origin)
      await browser.page.getByLabel('E-mail').waitFor()
    })

    it('an app that wants a fresh proof gets one, and goes on by itself', async () => {
      const member = await grace()
      const { server } = house
      await server.store.system.transaction((tx) =>
        sql`update sign_ins set proved_at = now() - interval '1 hour' where id = ${member.signInId}`.execute(
          tx,
        ),
      )
      const browser = await house.browser(member.secret)
      const begun = await begin(app, { prompt: 'login' })
      await browser.page.goto(begun.url.href)
      await browser.page.getByRole('button', { name: 'Allow' }).click()
      const dialog = browser.page.getByRole('dialog')
      await dialog.getByLabel('Password').fill(PASSWORD)
      await dialog.locator('[type=submit]').click()
      await browser.page.waitForURL(`${back}**`)
      const tokens = await redeem(app, begun, new URL(browser.page.url()))
      expect(Number(tokens.claims()?.auth_time)).toBeGreaterThan(Date.now() / 1000 - 60)
    })
  },
)
