/**
 * A second person comes: invited at the desk, joined on a phone, seen by everybody at once, switched off and out within five
 * seconds. In two real browsers against the whole product.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser } from '../support/browser.ts'
import { OWNER } from '../support/client.ts'
import { inOrder } from '../support/in-order.ts'
import { lacking } from '../support/parts.ts'
import { type Product, startProduct, tokenOf } from '../support/product.ts'

const GRACE = { name: 'Grace', email: 'grace@example.org', password: 'seven purple teapots' }
const HOUSE = 'The Lovelaces'
/** What is taken away is away within this time, everywhere. */
const REVOKED_MS = 5_000

const why = await lacking(['chromium'], 'an invitation from the desk to the phone')

describe.skipIf(why)('a second person', () => {
  let product: Product
  let desk: Awaited<ReturnType<typeof openBrowser>>
  let phone: Awaited<ReturnType<typeof openBrowser>>
  let owner: Page
  let grace: Page
  let link = ''

  const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name }).first()
  const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first().click()
  const signIn = async (page: Page, person: typeof GRACE) => {
    await page.getByLabel('E-mail').fill(person.email)
    await page.getByLabel('Password', { exact: true }).fill(person.password)
    await press(page, 'Sign in')
    await page.getByRole('link', { name: 'Home' }).first().waitFor()
  }
  const choose = (role: string) => owner.getByRole('dialog').getByText(role, { exact: true }).click()
  const openGrace = async () => {
    await owner.goto(`${product.url}/settings/people`)
    await owner.getByRole('link', { name: /Grace/ }).click()
    await heading(owner, 'Grace').waitFor()
  }

  inOrder()
  beforeAll(async () => {
    product = await startProduct()
    desk = await openBrowser()
    phone = await openBrowser({ width: 390, height: 844, touch: true })
    owner = desk.page
    grace = phone.page
  })
  afterAll(async () => {
    await desk?.close()
    await phone?.close()
    await product?.down()
  })

  it('[IDN-3.journey] is invited at the desk: a link and its picture, shown once', async () => {
    await owner.goto(`${product.url}/claim#${tokenOf(product.claim)}`)
    await owner.getByLabel('Your name').fill(OWNER.name)
    await owner.getByLabel('Name of your household or team').fill(HOUSE)
    await owner.getByLabel('E-mail').fill(OWNER.email)
    await owner.getByLabel('Password').fill(OWNER.password)
    await press(owner, 'Create owner account')
    await owner.getByText('Your screen is a click away').waitFor()
    await owner.goto(`${product.url}/settings/people`)
    await press(owner, 'Invite somebody')
    await owner.getByLabel('E-mail').fill(GRACE.email)
    await choose('Admin')
    await press(owner, 'Make the invitation')
    await owner.getByRole('img', { name: 'The link as a picture' }).waitFor()
    link = (await owner.locator('[data-link]').textContent()) ?? ''
    expect(link).toMatch(/\/join#[\w-]{43}$/)
    await owner.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
    await owner.getByText(GRACE.email).waitFor()
  })

  it('[IDN-3.journey] joins on a phone, and is in; the desk sees it without being touched', async () => {
    await grace.goto(link)
    await heading(grace, `Join ${HOUSE}`).waitFor()
    await grace.getByText('Ada invites you').waitFor()
    await grace.getByLabel('Your name').fill(GRACE.name)
    await grace.getByLabel('Choose a password').fill(GRACE.password)
    const wide = await grace.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(wide).toBeLessThanOrEqual(0)
    await press(grace, 'Join')
    await grace.getByText('Your screen is a click away').waitFor()
    expect(new URL(grace.url()).hash).toBe('')
    await owner.getByRole('link', { name: /Grace/ }).waitFor()
    await heading(owner, 'Invited, not here yet').waitFor({ state: 'hidden' })
  })

  it('[IDN-3.journey] the link works once', async () => {
    const other = await phone.context.newPage()
    await other.goto(link)
    await heading(other, 'This invitation does not work').waitFor()
    await other.close()
  })

  it('[SEC-2.within-seconds] switched off: out on every device within five seconds; on: in again', async () => {
    await grace.goto(`${product.url}/settings/people`)
    await heading(grace, 'People').waitFor()
    await openGrace()
    await press(owner, 'Switch off')
    await heading(grace, 'Welcome back').waitFor({ timeout: REVOKED_MS })
    await grace.getByLabel('E-mail').fill(GRACE.email)
    await grace.getByLabel('Password', { exact: true }).fill(GRACE.password)
    await press(grace, 'Sign in')
    await grace.getByRole('alert').waitFor()
    await press(owner, 'Switch on')
    await owner.getByRole('button', { name: 'Switch off' }).first().waitFor()
    await signIn(grace, GRACE)
  })

  it('[SEC-2.within-seconds] another role: every device signs in again, and can do no more than it says', async () => {
    await openGrace()
    await press(owner, 'Change role')
    await choose('Guest')
    await owner.getByRole('dialog').getByRole('button', { name: 'Change role' }).click()
    await heading(grace, 'Welcome back').waitFor({ timeout: REVOKED_MS })
    await signIn(grace, GRACE)
    await grace.goto(`${product.url}/settings`)
    await heading(grace, 'Me').waitFor()
    expect(await grace.getByRole('link', { name: 'People' }).count()).toBe(0)
  })

  it('[IDN-3.cli] the same by the command line', async () => {
    const list = JSON.parse((await product.kalnet('user', 'list', '--json')).stdout) as {
      items: { name: string; role: string }[]
    }
    expect(list.items.map(({ name, role }) => [name, role])).toEqual([
      ['Ada', 'owner'],
      ['Grace', 'guest'],
    ])
    const invited = JSON.parse(
      (await product.kalnet('user', 'invite', 'max@example.org', '--json')).stdout,
    ) as {
      link: { url: string }
    }
    expect(invited.link.url).toMatch(/\/join#/)
    expect((await product.kalnet('user', 'remove', 'Grace', '--yes')).code).toBe(0)
    await heading(grace, 'Welcome back').waitFor({ timeout: REVOKED_MS })
  })
})
