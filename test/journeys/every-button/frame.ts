/** What stands around every page: the places, the skip link, the palette. */
import { sessionRoutes } from '@kalnet/contracts/session'
import { expect } from 'vitest'
import type { World } from './world.ts'

export async function places({ page, link, go, at }: World): Promise<void> {
  await go('/launch')
  const main = page.getByRole('main')
  await link('Skip to the content').focus()
  await page.keyboard.press('Enter')
  await expect.poll(() => main.evaluate((it) => it === document.activeElement)).toBe(true)
  for (const [name, path] of [
    ['Kalnet', '/'],
    ['Launch', '/launch'],
    ['Home', '/'],
    ['Services', '/services'],
    ['Activity', '/activity'],
    ['Settings', '/settings'],
  ] as const) {
    await link(name, page.getByRole('banner')).click()
    await at(path)
  }
  await go('/')
  await page.getByRole('link', { name: /The Lovelaces/ }).click()
  await at('/settings')
  await page.getByRole('heading', { name: 'Me', exact: true }).waitFor()
}

export async function palette({ page, client, go, at, here, live, running }: World): Promise<void> {
  await go('/')
  const choose = async (name: string) => {
    await page.getByRole('button', { name: 'Go or start' }).click()
    await page.getByRole('menuitem', { name, exact: true }).first().click()
  }
  for (const [name, path] of [
    ['Launch', '/launch'],
    ['Services', '/services'],
    ['Network Settings', '/settings/network'],
    ['Activity', '/activity'],
    ['Me Settings', '/settings'],
    ['Controllers Settings', '/settings/controllers'],
    ['Home', '/'],
  ] as const) {
    await choose(name)
    await at(path)
  }
  // A service asks for its name first.
  await choose('Add Web page')
  await page.getByRole('dialog', { name: 'Web page' }).getByRole('button', { name: 'Close' }).click()
  await at('/launch')
  await choose('Workbench Terminal')
  await live()
  await go('/')
  await choose('Start Terminal')
  await page.waitForURL(/\/s\//)
  const id = here()
  expect(await running(id)).toMatchObject({ templateId: 'terminal' })
  await client.call(sessionRoutes.stop, { params: { id } })
  await client.until(id, ['stopped'])
}
