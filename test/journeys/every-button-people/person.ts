/** One person and many: named, grouped, given a role, signed out, switched off, removed; found among a hundred. */
import { peopleRoutes } from '@kalnet/contracts/people'
import { SCIM_PATH, SCIM_TYPE } from '@kalnet/contracts/scim'
import { signInRoutes } from '@kalnet/contracts/sign-in'
import { expect } from 'vitest'
import { ask, createClient } from '../../support/client.ts'
import { pictures } from '../every-button/world.ts'
import { GRACE, type Household } from './household.ts'

export const graceId = async ({ client }: Household) =>
  (await client.call(peopleRoutes.list, { query: { search: 'grace@' } })).items[0]?.id ?? ''

export async function person(house: Household): Promise<void> {
  const {
    page,
    phone,
    client,
    product,
    dialog,
    button,
    link,
    go,
    at,
    leave,
    choices,
    pick,
    notice,
    copyAll,
  } = house
  const id = await graceId(house)
  const read = () => client.call(peopleRoutes.read, { params: { id } })
  await go('/settings/people')
  await page.getByRole('link', { name: /Grace/ }).click()
  await at(`/settings/people/${id}`)
  await link('All people').click()
  await at('/settings/people')
  await go(`/settings/people/${id}`)
  await pictures(page, 'person')

  await leave('Change name', () => button('Change name').click())
  await button('Change name').click()
  await dialog('Change name').getByLabel('Name', { exact: true }).fill('Grace Murray')
  await button('Save', dialog('Change name')).click()
  await notice('Grace Murray is saved.')
  expect((await read()).name).toBe('Grace Murray')

  await leave('Change groups', () => button('Change groups').click())
  await button('Change groups').click()
  const groups = dialog('Change groups')
  await groups.getByRole('checkbox').first().waitFor()
  await choices(groups)
  await groups.getByRole('checkbox', { name: /^Kids/ }).click({ force: true })
  await button('Save', groups).click()
  await notice('The groups of Grace Murray are saved.')
  expect((await read()).groups).toEqual([])

  const role = () => button('Change role').first().click()
  await leave('Change role', role)
  await role()
  await choices(dialog('Change role'))
  await pick(dialog('Change role'), /^Admin/)
  await button('Change role', dialog('Change role')).click()
  await notice('Grace Murray is now: Admin.')
  expect((await read()).role).toBe('admin')
  await phone.page.getByRole('heading', { name: 'Welcome back' }).waitFor()

  const hers = createClient(product.url)
  await hers.signIn(GRACE.password, GRACE.email)
  await page.reload()
  const title = 'Sign Grace Murray out everywhere?'
  const out = () => button('Sign out', page.getByRole('main')).click()
  await leave(title, out)
  await out()
  await button('Sign out everywhere', dialog(title)).click()
  await notice('Grace Murray is signed out on 1 device.')
  expect((await hers.attempt(signInRoutes.devices)).status).toBe(401)

  const reset = 'A new password for Grace Murray'
  const handOver = () => button('Make the link').first().click()
  await leave(reset, handOver)
  await handOver()
  await button('Make the link', dialog(reset)).click()
  await dialog(reset)
    .getByRole('img', { name: /picture/ })
    .waitFor()
  await copyAll(dialog(reset))
  await button('Close', dialog(reset)).last().click()

  await button('Switch off').click()
  await notice('Grace Murray is switched off and signed out everywhere.')
  expect((await read()).state).toBe('off')
  await button('Switch on').click()
  await notice('Grace Murray may come in again.')
  expect((await read()).state).toBe('active')
  // Who is gone for good is asked for by name.
  await leave('Remove Grace Murray?', () => button('Remove').click())
  expect((await read()).name).toBe('Grace Murray')
}

/** A whole school comes by another directory: found, paged through, and one of them removed. */
export async function many(house: Household, token: string): Promise<string[]> {
  const { page, client, product, dialog, button, go, at, notice } = house
  const names = Array.from({ length: 100 }, (_none, at) => `Pupil ${String(at + 1).padStart(3, '0')}`)
  for (const name of names) {
    const made = await ask(product.url, {
      method: 'POST',
      path: `${SCIM_PATH}/Users`,
      headers: { authorization: `Bearer ${token}`, 'content-type': SCIM_TYPE },
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName: `${name.replace(' ', '.').toLowerCase()}@example.org`,
        displayName: name,
      }),
    })
    expect(made.status).toBe(201)
  }
  await go('/settings/people')
  const list = page.getByRole('list', { name: 'Everybody' })
  await expect.poll(() => list.getByRole('listitem').count()).toBe(100)
  await button('Show more').click()
  await expect.poll(() => list.getByRole('listitem').count()).toBeGreaterThan(100)
  await page.getByPlaceholder('Search people').fill('nobody of this name')
  await page.getByText('Nobody matches').waitFor()
  await page.getByPlaceholder('Search people').fill('pupil 042')
  await expect.poll(() => list.getByRole('listitem').count()).toBe(1)
  await list.getByRole('link').click()
  await page.getByRole('heading', { name: 'Pupil 042' }).first().waitFor()
  await button('Remove').click()
  await dialog('Remove Pupil 042?').getByLabel('Write “Pupil 042” to go on').fill('Pupil 042')
  await button('Remove', dialog('Remove Pupil 042?')).click()
  await at('/settings/people')
  await notice('Pupil 042 is removed.')
  const { items } = await client.call(peopleRoutes.list, { query: { search: 'Pupil 042' } })
  expect(items).toEqual([])
  return names
}
