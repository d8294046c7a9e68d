/** The door and the catalog: the first account, finding, details, starting, and leaving while it starts. */
import { identityRoutes } from '@kalnet/contracts/identity'
import { sessionRoutes } from '@kalnet/contracts/session'
import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import { OWNER } from '../../support/client.ts'
import type { World } from './world.ts'

export async function claim({ page, product, client, button, link, at, go }: World): Promise<void> {
  await page.goto(product.claim ?? '')
  await page.getByLabel('Your name').fill(OWNER.name)
  await page.getByLabel('Name of your household or team').fill('The Lovelaces')
  await page.getByLabel('E-mail').fill(OWNER.email)
  await page.getByLabel('Password').fill(OWNER.password)
  await button('Create owner account').click()
  await page.getByText('Your screen is a click away').waitFor()
  expect(await client.call(identityRoutes.status)).toMatchObject({ claimed: true })
  expect(await client.signIn()).toMatchObject({ name: OWNER.name, role: 'owner' })
  for (const name of ['See what you can start', 'New session']) {
    await go('/')
    await link(name).click()
    await at('/launch')
  }
}

export async function catalog({ page, button, go }: World): Promise<void> {
  await go('/launch')
  const list = page.getByRole('list', { name: 'Launch' })
  const chips = page.getByRole('group', { name: 'Categories' }).getByRole('button')
  await chips.first().waitFor()
  const all = await list.getByRole('listitem').count()
  expect(all).toBeGreaterThanOrEqual(10)
  const shows = async (chip: Locator) => {
    await chip.click()
    await expect.poll(() => chip.getAttribute('aria-pressed')).toBe('true')
    return list.getByRole('listitem').count()
  }
  expect(await shows(chips.nth(1))).toBe(await list.getByRole('button', { name: /^Add / }).count())
  let sum = 0
  for (const chip of (await chips.all()).slice(2)) sum += await shows(chip)
  // Every template is in one category.
  expect(sum).toBe(all)
  await button('All').click()
  await expect.poll(() => list.getByRole('listitem').count()).toBe(all)
  await page.getByPlaceholder('Search the catalog').fill('no such program')
  await button('Show everything').click()
  await expect.poll(() => list.getByRole('listitem').count()).toBe(all)
}

/** Every question of every template, and the way to its documentation. */
export async function details({ page, client, browser, button, dialog, go }: World): Promise<void> {
  await go('/launch')
  await button('Details of Firefox').click()
  const box = dialog('Firefox')
  await box.getByLabel('Name').waitFor()
  for (const radio of await box.getByRole('radio').all()) {
    await radio.click({ force: true })
    expect(await radio.isChecked()).toBe(true)
  }
  for (const toggle of await box.getByRole('switch').all()) {
    const before = await toggle.isChecked()
    await toggle.click({ force: true })
    expect(await toggle.isChecked()).toBe(!before)
  }
  // The documentation lies outside; what counts is where the link leads.
  await browser.context.route(/^https:/, (route) => route.fulfill({ body: '' }))
  for (const manual of await box.getByRole('link').all()) {
    const [opened] = await Promise.all([browser.context.waitForEvent('page'), manual.click()])
    await opened.waitForURL((await manual.getAttribute('href')) ?? '')
    await opened.close()
  }
  await button('Close', box).click()
  await box.waitFor({ state: 'detached' })
  expect((await client.call(sessionRoutes.list)).items).toEqual([])
  await page.getByPlaceholder('Search the catalog').waitFor()
  // Adding services is another journey's; here it is only looked at, with a name that cannot be.
  await button('Add Web page').click()
  const service = dialog('Web page')
  for (const radio of await service.getByRole('radio').all()) await radio.click({ force: true })
  await service.getByLabel('Name', { exact: true }).fill('No name')
  await button('Add it', service).click()
  await service.getByText('Small letters, digits and dashes only').waitFor()
  await button('Close', service).click()
  await service.waitFor({ state: 'detached' })
}

export async function startNamed({ client, button, dialog, go, live, here, read }: World) {
  await go('/launch')
  await button('Details of Terminal').click()
  const box = dialog('Terminal')
  await box.getByLabel('Name').fill('Workbench')
  const places = box.getByRole('radio')
  // With one platform there is nothing to choose.
  if ((await places.count()) > 0) {
    for (const place of await places.all()) await place.click({ force: true })
    await box.getByRole('radio', { name: 'Sandbox' }).click({ force: true })
  }
  await box.getByLabel('Name').press('Enter')
  await live()
  expect(await read(here())).toMatchObject({ name: 'Workbench', platform: 'process', state: 'running' })
  expect(await client.call(sessionRoutes.list)).toMatchObject({ items: [{ name: 'Workbench' }] })
}

/** With the controller standing still, the start takes as long as we like. */
export async function leaveStart(world: World): Promise<void> {
  const { product, client, button, dialog, link, go, at, here, running, page } = world
  const { controller = 0 } = await product.pids()
  await go('/launch')
  await button('Details of Terminal').click()
  await dialog('Terminal').getByLabel('Name').fill('Left alone')
  process.kill(controller, 'SIGSTOP')
  try {
    await button('Start', dialog('Terminal')).click()
    await page.waitForURL(/\/s\//)
    const id = here()
    await link('Leave, keep it running').click()
    await at('/')
    process.kill(controller, 'SIGCONT')
    expect(await running(id)).toMatchObject({ name: 'Left alone', state: 'running' })
    await client.call(sessionRoutes.stop, { params: { id } })
    await client.until(id, ['stopped'])
  } finally {
    process.kill(controller, 'SIGCONT')
  }
  await go('/launch')
  await button('Start Terminal').click()
  await page.waitForURL(/\/s\//)
  await running(here())
}
