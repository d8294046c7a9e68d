/** The doors: claiming, signing in by each way, a forgotten password, a second way that is asked for. */
import { identityRoutes } from '@kalnet/contracts/identity'
import { peopleRoutes } from '@kalnet/contracts/people'
import { signInRoutes } from '@kalnet/contracts/sign-in'
import { Secret, TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { OWNER } from '../../support/client.ts'
import type { Device } from '../../support/finger.ts'
import { tokenOf } from '../../support/product.ts'
import { NEXT_PASSWORD } from '../every-button/me.ts'
import { pictures } from '../every-button/world.ts'
import type { Codes } from './account.ts'
import { GRACE, type Household } from './household.ts'
import { graceId } from './person.ts'
import { setSecond } from './rules.ts'

export async function claimed({ page, product, client, button }: Household): Promise<void> {
  await page.goto(`${product.url}/claim#${tokenOf(product.claim)}`)
  await button('Create owner account').click()
  await page.getByText('Write').first().waitFor()
  await page.getByLabel('Your name').fill(OWNER.name)
  await page.getByLabel('Name of your household or team').fill('The Lovelaces')
  await page.getByLabel('E-mail').fill(OWNER.email)
  await page.getByLabel('Password').fill(OWNER.password)
  await button('Create owner account').click()
  await page.getByText('Your screen is a click away').waitFor()
  expect(await client.signIn()).toMatchObject({ role: 'owner' })
  expect(await client.call(identityRoutes.status)).toMatchObject({ claimed: true })
}

const out = async ({ page, button, go }: Household) => {
  await go('/settings')
  await button('Sign out').click()
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
}
const inside = ({ page }: Household) => page.getByRole('banner').waitFor()

/** A forgotten password: asked for, out of the letter, a new one. Before there is a second way. */
export async function forgottenPassword(house: Household): Promise<void> {
  const { page, product, mail, button, link } = house
  await out(house)
  await page.goto(`${product.url}/reset`)
  await link('Back to signing in').click()
  await button('Forgot your password?').click()
  await button('Back to signing in').click()
  await page.getByLabel('E-mail').fill(OWNER.email)
  await button('Forgot your password?').click()
  await pictures(page, 'forgot')
  await button('Send the link').click()
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor()
  await button('Back to signing in').click()
  const letter = () =>
    mail.letters.find(({ to, mail: it }) => to[0] === OWNER.email && /reset#/.test(it.text ?? ''))
  await expect.poll(() => letter() !== undefined).toBe(true)
  const address = /http:\S+\/reset#[\w-]+/.exec(letter()?.mail.text ?? '')?.[0] ?? ''
  await page.goto(address)
  await page.reload()
  await page.getByLabel('New password').fill(NEXT_PASSWORD)
  await button('Take this password').click()
  await inside(house)
  expect(await house.client.signIn(NEXT_PASSWORD)).toMatchObject({ role: 'owner' })
}

/** Each way in, and each way back from the second step. */
export async function waysIn(house: Household, device: Device, code: Codes, codes: string[]): Promise<void> {
  const { page, button, client } = house
  const half = async () => {
    await page.getByLabel('E-mail').fill(OWNER.email)
    await page.getByLabel('Password', { exact: true }).fill(NEXT_PASSWORD)
    await button('Sign in').click()
    await page.getByRole('heading', { name: 'One more step' }).waitFor()
  }
  // Nobody touches the reader: else the passkey would be shown to the e-mail field by itself.
  await device.finger(false)
  await out(house)
  await half()
  await pictures(page, 'second-factor')
  await button('Sign in as somebody else').click()
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  await half()
  await button('Use a recovery code').click()
  await button('Use the authenticator app').click()
  await button('Go on').click()
  await page.getByText('Write all six digits.').waitFor()
  await page.getByLabel('Six digits').fill(await code())
  await inside(house)
  await out(house)
  await half()
  await button('Use a recovery code').click()
  await page.getByLabel('Recovery code').fill(codes[0] ?? '')
  await button('Go on').click()
  await inside(house)
  expect((await client.call(signInRoutes.factors)).recovery).toMatchObject({ left: 9 })
  await out(house)
  await half()
  await device.finger(true)
  // Chosen, and then pressed: both are called alike.
  await button('Use a passkey').click()
  await page.getByLabel('Six digits').waitFor({ state: 'detached' })
  await button('Use a passkey').click()
  await inside(house)
  await device.finger(false)
  await out(house)
  await device.offered()
  await device.finger(true)
  await button('Use a passkey instead').click()
  await inside(house)
  await device.finger(false)
  await out(house)
  house.issuer().as({ sub: 'ada', email: 'ada@example.net', name: 'Ada' })
  await button('Sign in with School').click()
  // A provider that proves one thing: the second is asked for all the same.
  await page.getByRole('heading', { name: 'One more step' }).waitFor()
  await page.getByLabel('Six digits').fill(await code())
  await inside(house)
  const methods = (await client.call(signInRoutes.devices)).items.map(({ method }) => method)
  expect(methods).toContain('openid')
}

/** The household asks for a second way: on a phone, one is set up, and everything is as before. */
export async function secondWayAsked(house: Household): Promise<void> {
  const { phone, product, button, client } = house
  const { page } = phone
  await house.fresh()
  await client.call(peopleRoutes.role, { params: { id: await graceId(house) }, body: { role: 'guest' } })
  const enter = async (it: Page) => {
    await it.goto(product.url)
    await it.getByLabel('E-mail').fill(GRACE.email)
    await it.getByLabel('Password', { exact: true }).fill(GRACE.password)
    await button('Sign in', it).click()
  }
  await enter(page)
  await page.getByRole('banner').waitFor()
  await setSecond(house, 'Guests', true)
  const asked = page.getByRole('heading', { name: 'A second way to know that it is you' })
  await asked.waitFor()
  await pictures(page, 'unproved')
  await button('Sign out', page).click()
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  await enter(page)
  await asked.waitFor()
  await page.getByRole('button', { name: /^A passkey/ }).click()
  await button('Cancel', page).click()
  const other = await phone.context.newPage()
  await other.goto(product.url)
  await other.getByRole('heading', { name: 'A second way to know that it is you' }).waitFor()
  await page.getByRole('button', { name: /^An authenticator app/ }).click()
  const secret = (await page.locator('[data-secret]').textContent())?.replace(/\s/g, '') ?? ''
  const totp = new TOTP({ secret: Secret.fromBase32(secret) })
  await page.getByLabel('Six digits').fill(totp.generate())
  await page.getByText('I have put them in a safe place').click()
  await button('Done', page).click()
  await page.getByRole('banner').waitFor()
  await other.close()
  // Out of the household, by her own wish.
  await page.goto(`${product.url}/settings`)
  const box = page.getByRole('dialog', { name: 'Leave The Lovelaces?' })
  for (const way of ['Close', 'Cancel']) {
    await button('Leave', page).click()
    await button(way, box).click()
    await box.waitFor({ state: 'detached' })
  }
  await button('Leave', page).click()
  await box.getByRole('textbox').fill('The Lovelaces')
  await button('Leave', box).click()
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  expect(await graceId(house)).toBe('')
}

/** Everywhere, here too: the last that is done. */
export async function everywhere(house: Household, device: Device): Promise<void> {
  await device.finger(false)
  const { page, client, dialog, button, go } = house
  await go('/settings')
  await button('Sign out everywhere').click()
  await button('Sign out everywhere', dialog('Sign out everywhere, here too?')).click()
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  expect((await client.attempt(identityRoutes.me)).status).toBe(401)
}
