/** From nothing to a running service: the empty page leads to Launch, a template is added, and it opens for whoever signed in. */
import { expect } from 'vitest'
import { type House, NAME, TITLE } from './house.ts'

export async function nothingYet({ page, link, go, at, button }: House): Promise<void> {
  await go('/services')
  await page.getByRole('heading', { name: 'Nothing runs here yet' }).waitFor()
  await link('Add a service').click()
  await page.waitForURL(/\/launch\?show=services$/)
  expect(await button('Services').getAttribute('aria-pressed')).toBe('true')
  expect(await page.getByRole('button', { name: /^Start / }).count()).toBe(0)
  // What was never proved says so before it is added.
  await button('Add Films and music').click()
  await page.getByText('Written from its documentation, not yet proved here').waitFor()
  await button('Close').click()
  await go('/launch')
  await at('/launch')
}

export async function add(house: House): Promise<void> {
  const { page, button, dialog, go, notice, list, service, becomes, routes } = house
  await go('/launch?add=site')
  const box = dialog('Web page')
  await house.everything(box)
  await box.getByRole('radio', { name: 'Sandbox' }).click({ force: true })
  const name = box.getByLabel('Name', { exact: true })
  await name.fill('Not a name')
  await button('Add it', box).click()
  await box.getByText('Small letters, digits and dashes only').waitFor()
  expect((await list()).filter(({ kind }) => kind === 'managed')).toEqual([])
  await name.fill(NAME)
  await box.getByText(NAME).first().waitFor()
  await box.getByLabel('Title').fill(TITLE)
  await button('Add it', box).click()
  await notice(`${TITLE} is being set up`)
  await page.waitForURL(/\/services\/[0-9a-f-]+$/)
  // Where its files were never put together before, that takes a minute or two.
  await becomes('running', 240_000)
  await page.getByText('Running').first().waitFor()
  expect(await service()).toMatchObject({ title: TITLE, url: house.address, kind: 'managed' })
  expect((await routes()).map(({ serviceName }) => serviceName)).toEqual([NAME])
}

/** From each place where it can be opened; nobody is asked who they are a second time. */
export async function open(house: House): Promise<void> {
  const { page, go, link, opens } = house
  const named = `Open ${TITLE} in a new tab`
  await opens(link(named))
  await opens(link(new URL(house.address).host))
  await go('/services')
  await opens(link(named))
  await go('/')
  await opens(page.getByRole('main').getByRole('link', { name: TITLE }))
  await go('/services')
  await link(TITLE).click()
  await page.getByRole('heading', { name: TITLE }).waitFor()
}

/** The list with one of them, with more of them searched and filtered, and the palette. */
export async function find({ page, button, go, at, link, service }: House): Promise<void> {
  await go('/services')
  await link('Add a service').click()
  await page.waitForURL(/\/launch/)
  await go('/')
  await page.getByRole('button', { name: 'Go or start' }).click()
  await page.getByRole('menuitem', { name: new RegExp(`^${TITLE}`) }).click()
  await at(`/services/${(await service()).id}`)
  await go('/services')
  await link('Kalnet', page.getByRole('main')).click()
  await page.getByText('It belongs to Kalnet itself').waitFor()
  await go('/services')
  await page.getByRole('article', { name: TITLE }).waitFor()
  const kinds = page.getByRole('group', { name: 'Which services' })
  for (const kind of ['Running', 'Need a look', 'Stopped', 'All']) {
    await button(kind, kinds).click()
    expect(await button(kind, kinds).getAttribute('aria-pressed')).toBe('true')
  }
  await page.getByPlaceholder('Search services').fill('no such service')
  await button('Show all').click()
  await page.getByRole('article', { name: TITLE }).waitFor()
}
