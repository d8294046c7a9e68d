/** Sign-in providers: added, tested, shaped, switched on and off; an account there linked with one's own. */
import { linkedRoutes, providerRoutes } from '@kalnet/contracts/federation-routes'
import { makeKeys, metadataOf } from '@kalnet/server/testing/saml-provider'
import { expect } from 'vitest'
import { pictures } from '../every-button/world.ts'
import type { Household } from './household.ts'

const ACTIONS = 'What to do with School'
const known = async ({ client }: Household) => (await client.call(providerRoutes.list)).items

export async function addProviders(house: Household): Promise<void> {
  const { page, dialog, button, go, pick, choices, copyAll, menu, leave, notice } = house
  await go('/settings/providers')
  const box = dialog('Add a sign-in provider')
  const open = () => button('Add a provider').first().click()
  await open()
  await button('Close', box).click()
  await box.waitFor({ state: 'detached' })
  await open()
  await choices(box)
  await pick(box, /^OpenID/)
  await box.getByLabel('Name on the button').fill('School')
  await box.getByLabel('Issuer address').fill(house.issuer().issuer)
  await box.getByRole('textbox', { name: 'Client id' }).fill('kalnet')
  await box.getByRole('textbox', { name: 'Client secret' }).fill('client-secret-of-the-test')
  await button('Look there', box).click()
  await box.getByRole('list').waitFor()
  await button('Add it', box).click()
  const added = dialog('School is added')
  await added.waitFor()
  await copyAll(added)
  await button('Close', added).last().click()
  const [school] = await known(house)
  expect(school).toMatchObject({ name: 'School', kind: 'openid', enabled: false })
  await house.knowCallback(school?.kind === 'openid' ? school.callbackUrl : '')

  await open()
  await pick(box, /^SAML/)
  await box.getByLabel('Name on the button').fill('Club')
  await box.getByLabel('Or the metadata itself').fill(metadataOf(await makeKeys()))
  await button('Add it', box).click()
  await copyAll(dialog('Club is added'))
  await button('Close', dialog('Club is added')).first().click()
  await pictures(page, 'providers')
  await leave('Remove Club?', () => menu('What to do with Club', 'Remove'))
  await menu('What to do with Club', 'Remove')
  await button('Remove', dialog('Remove Club?')).click()
  await notice('Club is removed.')
  expect((await known(house)).map(({ name }) => name)).toEqual(['School'])
}

export async function shapeProvider(house: Household): Promise<void> {
  const { page, dialog, button, go, choices, pick, copyAll, menu, leave, notice } = house
  await go('/settings/providers')
  await menu(ACTIONS, 'Test')
  await dialog('Test of School').getByRole('list').waitFor()
  await button('Close', dialog('Test of School')).click()
  await menu(ACTIONS, 'What to enter there')
  await copyAll(dialog('What to enter there'))
  await button('Close', dialog('What to enter there')).click()

  await leave('School', () => menu(ACTIONS, 'Change'))
  await menu(ACTIONS, 'Change')
  const box = dialog('School')
  await choices(box)
  await pick(box, 'When it says so')
  await box.getByLabel('What it says then (acr, amr)').fill('mfa')
  await button('Add a line', box).click()
  await button('Add a line', box).click()
  await pictures(page, 'provider-change')
  await button('Take this line away (2)', box).click()
  const line = box.getByRole('group', { name: 'Line 1' })
  await line.getByLabel('Group there').fill('pupils')
  await line.getByLabel('Role here').selectOption('child')
  await line.getByLabel('Group here').selectOption({ label: 'Kids' })
  await button('Add a line', box).click()
  await button('Take this line away (2)', box).click()
  await button('Add a line', box).click()
  await button('Take this line away (1)', box).click()
  await box.getByLabel('Group there').fill('pupils')
  await box.getByLabel('Role here').selectOption('child')
  await button('Save', box).click()
  await notice('Saved.')
  expect(await known(house)).toMatchObject([
    { rules: [{ group: 'pupils', role: 'child' }], secondFactor: { when: 'told', values: ['mfa'] } },
  ])

  await menu(ACTIONS, 'Switch on')
  await notice('School stands on the sign-in page now.')
  expect((await known(house))[0]?.enabled).toBe(true)
  const title = 'Switch School off?'
  await leave(title, () => menu(ACTIONS, 'Switch off'))
  await menu(ACTIONS, 'Switch off')
  await button('Switch off', dialog(title)).click()
  await notice('School is off.')
  expect((await known(house))[0]?.enabled).toBe(false)
  await menu(ACTIONS, 'Switch on')
  await notice('School stands on the sign-in page now.')
}

export async function linkedAccounts(house: Household): Promise<void> {
  const { page, client, dialog, button, go, leave, notice } = house
  const linked = async () => (await client.call(linkedRoutes.list)).items
  house.issuer().as({ sub: 'ada', email: 'ada@example.net', name: 'Ada' })
  const link = async () => {
    await button('Link School').click()
    await page.getByText('as ada').waitFor()
  }
  await go('/settings')
  await link()
  expect(await linked()).toMatchObject([{ provider: { name: 'School' } }])
  await leave('Unlink School?', () => button('Unlink School').click())
  await button('Unlink School').click()
  await button('Unlink', dialog('Unlink School?')).click()
  await notice('School is unlinked.')
  expect(await linked()).toEqual([])
  await link()
  expect(await linked()).toHaveLength(1)
}
