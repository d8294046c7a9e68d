/** One's own account on a device that holds passkeys: adding, naming, removing them; and what proves once more who one is. */
import { auditRoutes } from '@kalnet/contracts/audit'
import { signInRoutes } from '@kalnet/contracts/sign-in'
import { Secret, TOTP } from 'otpauth'
import { expect } from 'vitest'
import { keepCodes } from '../every-button/account.ts'
import { NEXT_PASSWORD } from '../every-button/me.ts'
import { pictures } from '../every-button/world.ts'
import type { Household } from './household.ts'

/** Answers the recovery codes that hold now. */
export async function passkeys(house: Household): Promise<string[]> {
  const { page, client, dialog, button, go, leave, menu, notice } = house
  const known = async () => (await client.call(signInRoutes.factors)).passkeys.map(({ name }) => name)
  await go('/settings')
  const title = 'Name this passkey'
  const open = () => button('Add a passkey').click()
  await leave(title, open)
  await open()
  await dialog(title).getByLabel('Name', { exact: true }).fill('Ada’s desk')
  await button('Go on', dialog(title)).click()
  await keepCodes(house)
  expect(await known()).toEqual(['Ada’s desk'])
  await leave(title, () => menu('Actions for Ada’s desk', 'Rename'))
  await menu('Actions for Ada’s desk', 'Rename')
  await dialog(title).getByLabel('Name', { exact: true }).fill('The desk')
  await button('Save', dialog(title)).click()
  await notice('The name is saved.')
  expect(await known()).toEqual(['The desk'])
  await pictures(page, 'me')
  await leave('Remove “The desk”?', () => menu('Actions for The desk', 'Remove'))
  await menu('Actions for The desk', 'Remove')
  await button('Remove', dialog('Remove “The desk”?')).click()
  await notice('“The desk” no longer lets you in.')
  expect(await known()).toEqual([])
  await open()
  await dialog(title).getByLabel('Name', { exact: true }).fill('The desk')
  await button('Go on', dialog(title)).click()
  const codes = await keepCodes(house)
  expect(await known()).toEqual(['The desk'])
  return codes
}

/** A second way beside the passkey; its codes are worth something once. */
export async function authenticatorApp({ page, button, notice, go, codesAgain }: Household) {
  await go('/settings')
  await button('Set up').click()
  const secret = (await page.locator('[data-secret]').textContent())?.replace(/\s/g, '') ?? ''
  const totp = new TOTP({ secret: Secret.fromBase32(secret) })
  await page.getByLabel('Six digits').fill(totp.generate())
  await notice('Your authenticator app is set up.')
  return async () => {
    await codesAgain()
    return totp.generate()
  }
}
export type Codes = Awaited<ReturnType<typeof authenticatorApp>>

/** What is dangerous asks who it is, in every way there is, and can be declined. */
export async function prove(house: Household, code: Codes): Promise<void> {
  const { page, client, button, dialog, go, notice, age, fresh } = house
  const box = dialog('Is it you?')
  await go('/activity')
  const keep = async (days: string) => {
    await age()
    await button('Change').click()
    await dialog('How long to keep it').getByLabel('Days').fill(days)
    await button('Save', dialog('How long to keep it')).click()
    await box.waitFor()
  }
  const kept = async () => (await client.call(auditRoutes.chain)).retentionDays
  const before = await kept()
  await keep('400')
  await button('Cancel', box).click()
  await box.waitFor({ state: 'detached' })
  await button('Save', dialog('How long to keep it')).click()
  await box.waitFor()
  await button('Close', box).click()
  await box.waitFor({ state: 'detached' })
  expect(await kept()).toBe(before)
  await button('Cancel', dialog('How long to keep it')).click()

  const done = async (days: number) => {
    await notice(`The record is now kept for ${days} days.`)
    expect(await kept()).toBe(days)
  }
  /** Which way is shown first is not said: looked at once the ways are there. */
  const byPassword = async () => {
    await button('Use the password', box).or(box.getByLabel('Your password')).first().waitFor()
    if (await button('Use the password', box).isVisible()) await button('Use the password', box).click()
  }
  await keep('401')
  await byPassword()
  await box.getByLabel('Your password').fill(NEXT_PASSWORD)
  await button('Use the authenticator app', box).click()
  await button('Use the password', box).click()
  await button('Use the authenticator app', box).click()
  await button('Confirm', box).click()
  await box.getByText('Write all six digits.').waitFor()
  await box.getByLabel('Six digits').fill(await code())
  await done(401)
  await keep('402')
  await button('Use a passkey', box).waitFor()
  // Another way is shown first, or this one.
  if (await box.getByRole('textbox').or(box.getByLabel('Your password')).first().isVisible())
    await button('Use a passkey', box).click()
  await button('Use a passkey', box).click()
  await done(402)
  await keep('403')
  await byPassword()
  await pictures(page, 'step-up')
  await box.getByLabel('Your password').fill(NEXT_PASSWORD)
  await button('Confirm', box).click()
  await done(403)
  // There and back again: then the change is made once more.
  await keep('404')
  await button('Confirm at School', box).click()
  await page.getByRole('heading', { name: 'Activity' }).waitFor()
  await box.waitFor({ state: 'detached' })
  await fresh()
}
