/** Me: name, look, password, signing out — each seen over the API by somebody else than the page. */
import { identityRoutes } from '@kalnet/contracts/identity'
import { expect } from 'vitest'
import { ask, createClient, OWNER } from '../../support/client.ts'
import { dangerous } from './prove.ts'
import type { World } from './world.ts'

export const NEXT_PASSWORD = 'another horse battery'

export async function name({ page, client, button, link, go, at, notice }: World): Promise<void> {
  await go('/settings/controllers')
  await link('Me').click()
  await at('/settings')
  await page.getByLabel('Name', { exact: true }).fill('Ada King')
  await button('Save').click()
  await notice('Your name is saved.')
  expect(await client.call(identityRoutes.me)).toMatchObject({ name: 'Ada King' })
  await page.getByRole('link', { name: /Ada King/ }).waitFor()
  await link('Me').click()
  await link('Controllers').click()
  await at('/settings/controllers')
  await link('Controllers').click()
  await page.getByRole('heading', { name: 'Controllers' }).waitFor()
}

/** This device remembers it; nobody else is told. */
export async function look({ page, go }: World): Promise<void> {
  await go('/settings')
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
  const choose = async (name: string) => {
    await page.getByText(name, { exact: true }).click()
    await page.getByRole('radio', { name, checked: true }).waitFor()
    const seen = await ground()
    await page.reload()
    await page.getByRole('radio', { name, checked: true }).waitFor()
    expect(await ground()).toBe(seen)
    return seen
  }
  const [dark, light] = [await choose('Dark'), await choose('Light')]
  expect(dark).not.toBe(light)
  expect(await choose('As the device')).toBe(light)
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await ground()).toBe(dark)
  await page.emulateMedia({ colorScheme: null })
}

export async function password(world: World): Promise<void> {
  const { page, product, client, button, dialog, go, leave, notice } = world
  await go('/settings')
  const open = () => button('Change password').click()
  await leave('A new password', open)
  await open()
  await page.getByLabel('Current password').fill(OWNER.password)
  await page.getByLabel('New password', { exact: true }).fill(NEXT_PASSWORD)
  await dangerous(world, OWNER.password, () => button('Save', dialog('A new password')).click())
  await notice('Your password is changed.')
  const stranger = createClient(product.url)
  const old = await stranger.attempt(identityRoutes.signIn, {
    body: { email: OWNER.email, password: OWNER.password },
  })
  expect(old.status).toBe(401)
  expect(await client.signIn(NEXT_PASSWORD)).toMatchObject({ name: 'Ada King' })
  // Whoever changed it stays signed in.
  await page.reload()
  await page.getByRole('heading', { name: 'Me', exact: true }).waitFor()
}

export async function signOut({ page, product, browser, button, go, at }: World): Promise<void> {
  const [cookie] = await browser.context.cookies()
  const status = async () =>
    (
      await ask(product.url, {
        method: 'GET',
        path: identityRoutes.me.path,
        headers: { cookie: `${cookie?.name}=${cookie?.value}` },
      })
    ).status
  expect(await status()).toBe(200)
  await go('/settings')
  await button('Sign out').click()
  await page.getByText('Welcome back').waitFor()
  expect(await status()).toBe(401)
  expect(await browser.context.cookies()).toEqual([])
  await page.getByLabel('E-mail').fill(OWNER.email)
  await page.getByLabel('Password').fill(NEXT_PASSWORD)
  await button('Sign in').click()
  await at('/')
  await page.getByRole('heading', { name: /Ada/ }).waitFor()
}
