/** Keys: made in words, shown once, renewed, revoked; programs that belong to nobody. */
import { identityRoutes } from '@kalnet/contracts/identity'
import { keyRoutes } from '@kalnet/contracts/key'
import { expect } from 'vitest'
import { ask } from '../../support/client.ts'
import type { Household } from './household.ts'

const works = async ({ product }: Household, token: string) => {
  const headers = { authorization: `Bearer ${token}` }
  return (await ask(product.url, { method: 'GET', path: identityRoutes.me.path, headers })).status === 200
}

async function shown({ page, dialog, button, copied }: Household, name: string): Promise<string> {
  const box = dialog(`The key of ${name}`)
  const token = (await box.locator('[data-token]').textContent()) ?? ''
  await button('Copy', box).click()
  await expect.poll(copied).toBe(token)
  await button('I have copied it', box).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  return token
}

async function make(house: Household, name: string, may: RegExp): Promise<string> {
  const { dialog, button, pick } = house
  const box = dialog('Make a key')
  await box.getByLabel('What is it for?').fill(name)
  await pick(box, may)
  await pick(box, 'A year')
  await button('Make a key', box).click()
  return shown(house, name)
}

async function renewAndRevoke(house: Household, name: string, token: string): Promise<void> {
  const { dialog, button, menu, leave, choices, pick, notice } = house
  const actions = `Actions for the key ${name}`
  const title = `A new secret for ${name}?`
  await leave(title, () => menu(actions, 'New secret…'))
  await menu(actions, 'New secret…')
  await choices(dialog(title))
  await pick(dialog(title), 'an hour')
  await button('Make a new secret', dialog(title)).click()
  const next = await shown(house, name)
  expect([await works(house, token), await works(house, next)]).toEqual([true, true])
  await leave(`Revoke ${name}?`, () => menu(actions, 'Revoke…'))
  await menu(actions, 'Revoke…')
  await button('Revoke', dialog(`Revoke ${name}?`)).click()
  await notice(`${name} is revoked.`)
  expect([await works(house, token), await works(house, next)]).toEqual([false, false])
}

export async function myKeys(house: Household): Promise<void> {
  const { client, dialog, button, go, leave, choices, pick } = house
  await go('/settings/keys')
  const open = () => button('Make a key').first().click()
  await leave('Make a key', open)
  await open()
  await choices(dialog('Make a key'))
  await pick(dialog('Make a key'), /^Choose one by one/)
  await choices(dialog('Make a key'))
  const token = await make(house, 'Nightly backup', /^Only look/)
  expect(await works(house, token)).toBe(true)
  const { items } = await client.call(keyRoutes.mine)
  expect(items).toMatchObject([{ name: 'Nightly backup' }])
  expect(items[0]?.scopes).not.toContain('session.launch')
  await renewAndRevoke(house, 'Nightly backup', token)
  expect((await client.call(keyRoutes.mine)).items).toEqual([])
}

/** The tabs of the settings, each from the page before it; and the way out of a menu that only screen readers are told of. */
export async function tabs({ page, link, button, go, at }: Household): Promise<void> {
  await go('/settings')
  for (const [name, path] of [
    ['People', '/settings/people'],
    ['Groups', '/settings/groups'],
    ['Sign-in providers', '/settings/providers'],
    ['Keys', '/settings/keys'],
    ['Apps', '/settings/apps'],
    ['Sign-in rules', '/settings/sign-in-rules'],
    ['Network', '/settings/network'],
    ['Certificates', '/settings/certificates'],
    ['Controllers', '/settings/controllers'],
    ['Me', '/settings'],
  ] as const) {
    await link(name, page.getByRole('navigation', { name: 'Settings' })).click()
    await at(path)
    await page.getByRole('heading', { name, exact: true }).first().waitFor()
  }
  await go('/settings/groups')
  await button('Actions for the group Kids').click()
  await button('Dismiss').first().dispatchEvent('click')
  await page.getByRole('menu').waitFor({ state: 'detached' })
}

/** Answers a key by which another directory may come; the program stays. */
export async function programs(house: Household): Promise<string> {
  const { client, dialog, button, go, leave, choices, pick, menu, notice } = house
  await go('/settings/keys')
  for (const name of ['Directory', 'Old monitor']) {
    if (name === 'Directory') await leave('Add a program', () => button('Add a program').click())
    await button('Add a program').click()
    const box = dialog('Add a program')
    await box.getByLabel('What is it called?').fill(name)
    await choices(box)
    await pick(box, /^Admin/)
    await button('Add it', box).click()
    await box.waitFor({ state: 'detached' })
  }
  const known = async () => (await client.call(keyRoutes.accounts)).items
  const state = async (name: string) => (await known()).find((it) => it.name === name)?.state
  expect((await known()).map(({ name, role }) => [name, role]).sort()).toEqual([
    ['Directory', 'admin'],
    ['Old monitor', 'admin'],
  ])
  const actions = 'Actions for Old monitor'
  await menu(actions, 'Make a key')
  const token = await make(house, 'Probe', /^Everything/)
  await menu(actions, 'Switch off')
  await notice('Old monitor is switched off.')
  expect([await state('Old monitor'), await works(house, token)]).toEqual(['off', false])
  await menu(actions, 'Switch on')
  await notice('Old monitor is on again.')
  expect([await state('Old monitor'), await works(house, token)]).toEqual(['active', true])
  await renewAndRevoke(house, 'Probe', token)
  await leave('Remove Old monitor?', () => menu(actions, 'Remove…'))
  await menu(actions, 'Remove…')
  await button('Remove', dialog('Remove Old monitor?')).click()
  await notice('Old monitor is removed.')
  expect(await state('Old monitor')).toBeUndefined()
  await menu('Actions for Directory', 'Make a key')
  return make(house, 'In step', /^Keep people in step/)
}
