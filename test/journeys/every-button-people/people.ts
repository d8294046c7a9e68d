/** People: the household itself, groups, invitations, joining on a phone. */
import { invitationRoutes, organisationRoutes } from '@kalnet/contracts/invitation'
import { groupRoutes, peopleRoutes } from '@kalnet/contracts/people'
import { expect } from 'vitest'
import { tokenOf } from '../../support/product.ts'
import { pictures } from '../every-button/world.ts'
import { GRACE, type Household } from './household.ts'

export async function theHousehold(house: Household): Promise<void> {
  const { page, client, dialog, button, link, go, at, leave, choices, pick, notice } = house
  await go('/settings/people')
  const title = 'Your household or team'
  await leave(title, () => button('Name and kind').click())
  await button('Name and kind').click()
  await choices(dialog(title))
  await pick(dialog(title), 'Team')
  await dialog(title).getByLabel('Name', { exact: true }).fill('Lovelace and daughters')
  await button('Save', dialog(title)).click()
  await notice('Lovelace and daughters is saved.')
  const known = () => client.call(organisationRoutes.read)
  expect(await known()).toMatchObject({ name: 'Lovelace and daughters', kind: 'team' })
  await button('Name and kind').click()
  await pick(dialog(title), 'Household')
  await dialog(title).getByLabel('Name', { exact: true }).fill('The Lovelaces')
  await button('Save', dialog(title)).click()
  await notice('The Lovelaces is saved.')
  expect(await known()).toMatchObject({ name: 'The Lovelaces', kind: 'household' })

  // Alone, there is an invitation in the middle of the page, and no group to be put into.
  await page.getByRole('list', { name: 'Everybody' }).getByRole('link').first().click()
  await page.getByRole('heading', { name: 'Ada' }).first().waitFor()
  await button('Change groups').click()
  await link('Make a group', dialog('Change groups')).click()
  await at('/settings/groups')
}

export async function groups(house: Household): Promise<void> {
  const { client, dialog, button, go, leave, choices, menu, notice } = house
  await go('/settings/groups')
  for (const name of ['Kids', 'Night shift']) {
    const open = () => button('Make a group').first().click()
    if (name === 'Kids') await leave('Make a group', open)
    await open()
    await dialog('Make a group').getByLabel('Name of the group').fill(name)
    await button('Save', dialog('Make a group')).click()
    await notice(`The group ${name} is there.`)
  }
  const known = async () => (await client.call(groupRoutes.list)).items
  expect((await known()).map(({ name }) => name).sort()).toEqual(['Kids', 'Night shift'])
  const actions = 'Actions for the group Night shift'
  await leave('Who is in Night shift', () => menu(actions, 'Who is in it…'))
  await menu(actions, 'Who is in it…')
  const box = dialog('Who is in Night shift')
  await box.getByRole('checkbox').first().waitFor()
  await choices(box)
  await box.getByRole('checkbox', { name: /^Ada/ }).click({ force: true })
  await button('Save', box).click()
  await notice('Night shift is saved.')
  expect((await known()).find(({ name }) => name === 'Night shift')?.members).toBe(1)
  await leave('Rename Night shift', () => menu(actions, 'Rename…'))
  await menu(actions, 'Rename…')
  await dialog('Rename Night shift').getByLabel('Name of the group').fill('Grown-ups')
  await button('Save', dialog('Rename Night shift')).click()
  await notice('Grown-ups is saved.')
  await leave('Remove Grown-ups?', () => menu('Actions for the group Grown-ups', 'Remove'))
  await menu('Actions for the group Grown-ups', 'Remove')
  await button('Remove', dialog('Remove Grown-ups?')).click()
  await notice('The group Grown-ups is removed.')
  expect((await known()).map(({ name }) => name)).toEqual(['Kids'])
}

export async function invitations(house: Household): Promise<void> {
  const { page, client, mail, phone, dialog, button, go, leave, choices, pick, menu, notice, copyAll } = house
  await go('/settings/people')
  const invite = async (email: string) => {
    const open = () => button('Invite somebody').first().click()
    const box = dialog('Invite somebody')
    const first = email === 'max@example.org'
    if (first) await leave('Invite somebody', open)
    await open()
    await box.getByRole('checkbox', { name: 'Kids' }).waitFor()
    if (first) await choices(box)
    await box.getByLabel('E-mail').fill(email)
    await pick(box, /^Member/)
    await box.getByRole('checkbox', { name: 'Kids' }).click({ force: true })
    await button('Make the invitation', box).click()
    const ready = dialog(`Ready for ${email}`)
    await ready.getByRole('img', { name: /picture/ }).waitFor()
    await copyAll(ready)
    await button('Close', ready).last().click()
    await ready.waitFor({ state: 'detached' })
  }
  await invite('max@example.org')
  await invite(GRACE.email)
  await pictures(page, 'people-invited')
  const states = async () =>
    Object.fromEntries((await client.call(invitationRoutes.list)).items.map((it) => [it.email, it.state]))
  expect(await states()).toEqual({ 'max@example.org': 'open', [GRACE.email]: 'open' })
  await expect
    .poll(() => mail.letters.map(({ to }) => to[0]).sort())
    .toEqual([GRACE.email, 'max@example.org'])
  await menu('Actions for the invitation of max@example.org', 'Take it back')
  await notice('The invitation of max@example.org is taken back.')
  expect((await states())['max@example.org']).not.toBe('open')
  await menu(`Actions for the invitation of ${GRACE.email}`, 'New link')
  const ready = dialog(`Ready for ${GRACE.email}`)
  const link = (await ready.locator('[data-link]').textContent()) ?? ''
  await copyAll(ready)
  await button('Close', ready).last().click()

  // The link before is worth nothing, and each page without a good one leads to the sign-in page.
  const hers = phone.page
  const old = /http:\S+\/join#[\w-]{43}/.exec(
    mail.letters.find(({ to }) => to[0] === GRACE.email)?.mail.text ?? '',
  )
  for (const address of [old?.[0] ?? '', `${house.product.url}/join`]) {
    await hers.goto(address)
    await hers.reload()
    await hers.getByRole('heading', { name: 'This invitation does not work' }).waitFor()
    await hers.getByRole('link', { name: 'I have an account: sign in' }).click()
    await hers.getByRole('heading', { name: 'Welcome back' }).waitFor()
  }
  await hers.goto(`${house.product.url}/join#${tokenOf(link)}`)
  await hers.reload()
  await hers.getByRole('heading', { name: 'Join The Lovelaces' }).waitFor()
  await pictures(hers, 'join')
  await hers.getByLabel('Your name').fill(GRACE.name)
  await hers.getByLabel('Choose a password').fill(GRACE.password)
  await button('Join', hers).click()
  await hers.getByText('Your screen is a click away').waitFor()
  const { items } = await client.call(peopleRoutes.list)
  expect(items.find(({ email }) => email === GRACE.email)).toMatchObject({
    name: GRACE.name,
    role: 'member',
    groups: [{ name: 'Kids' }],
  })
}
