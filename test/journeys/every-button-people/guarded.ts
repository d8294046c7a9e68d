/** Guarded addresses, and the passwords of programs that pass to them. */
import { forwardRoutes } from '@kalnet/contracts/forward'
import { expect } from 'vitest'
import { ask } from '../../support/client.ts'
import { pictures } from '../every-button/world.ts'
import type { Household } from './household.ts'

export async function guarded(house: Household): Promise<void> {
  const { page, client, product, dialog, button, go, leave, choices, toggles, pick, copyAll, menu, notice } =
    house
  const known = async () => (await client.call(forwardRoutes.list)).items
  await go('/settings/apps')
  const open = () => button('Guard an address').click()
  await leave('Guard an address', open)
  await open()
  const box = dialog('Guard an address')
  await box.getByRole('checkbox', { name: 'Kids' }).waitFor()
  await choices(box)
  await pick(box, /^People of/)
  await toggles(box)
  await box.getByLabel('Name', { exact: true }).fill('Calendars')
  await box.getByLabel('Host').fill('dav.example.org')
  await box.getByRole('checkbox', { name: /^Parent/ }).click({ force: true })
  await box.getByRole('switch').click({ force: true })
  await button('Guard it', box).click()
  await notice('Saved.')
  expect(await known()).toMatchObject([
    { host: 'dav.example.org', appPasswords: true, allowed: { roles: ['owner'] } },
  ])
  const actions = 'Actions for Calendars'
  await leave('Calendars', () => menu(actions, 'Who may use it…'))
  await menu(actions, 'Who may use it…')
  await choices(dialog('Calendars'))
  await pick(dialog('Calendars'), /^People of/)
  await dialog('Calendars').getByRole('checkbox', { name: 'Kids' }).waitFor()
  await toggles(dialog('Calendars'))
  await button('Save', dialog('Calendars')).click()
  await notice('Saved.')
  expect((await known())[0]?.allowed.roles).toEqual(['owner'])

  // A password for a program, which passes with it and no longer.
  await go('/settings')
  await leave('New app password', () => button('New app password').click())
  await button('New app password').click()
  await choices(dialog('New app password'))
  await dialog('New app password').getByLabel('For which program').fill('Phone')
  await button('Make it').click()
  const made = dialog('Your new app password')
  await made.waitFor()
  const [user, secret] = await made.locator('dd span').allTextContents()
  await copyAll(made)
  await pictures(page, 'app-password')
  await button('Close', made).last().click()
  const passes = async () =>
    (
      await ask(product.url, {
        method: 'GET',
        path: '/api/forward-auth',
        headers: {
          authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`,
          'x-forwarded-method': 'GET',
          'x-forwarded-proto': 'https',
          'x-forwarded-host': 'dav.example.org',
          'x-forwarded-uri': '/',
          'x-forwarded-for': '192.0.2.7',
        },
      })
    ).status === 200
  expect(await passes()).toBe(true)
  await button('End it: Phone').click()
  await notice('The password of Phone works no more.')
  expect(await passes()).toBe(false)

  await go('/settings/apps')
  await leave('Stop guarding Calendars?', () => menu(actions, 'Stop guarding…'))
  await menu(actions, 'Stop guarding…')
  await button('Stop guarding', dialog('Stop guarding Calendars?')).click()
  await dialog('Stop guarding Calendars?').waitFor({ state: 'detached' })
  expect(await known()).toEqual([])
}
