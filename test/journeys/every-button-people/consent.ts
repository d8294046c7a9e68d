/** What an app asks on the way in and on the way out, and where a person ends who comes with nothing. */
import { createHash } from 'node:crypto'
import { appRoutes } from '@kalnet/contracts/app'
import { expect } from 'vitest'
import { ask, OWNER } from '../../support/client.ts'
import { pictures } from '../every-button/world.ts'
import type { Household } from './household.ts'

/** As the app sends a browser to us; what it is called back with. */
export async function asking(house: Household, clientId: string, address: string): Promise<void> {
  const { page, client, product, button, link, at } = house
  const begin = () =>
    page.goto(
      `${product.url}/oidc/auth?${new URLSearchParams({
        client_id: clientId,
        redirect_uri: address,
        response_type: 'code',
        scope: 'openid profile email',
        state: 'a-state-of-the-test',
        code_challenge: createHash('sha256').update('v'.repeat(50)).digest('base64url'),
        code_challenge_method: 'S256',
      })}`,
    )
  const back = async () => {
    await page.waitForURL(`${address}**`)
    return new URL(page.url()).searchParams
  }
  const mine = async () => (await client.call(appRoutes.mine)).items.map(({ name }) => name)
  await begin()
  await page.getByRole('heading', { name: 'Photos wants to know who you are' }).waitFor()
  await pictures(page, 'consent')
  await button('Not now').click()
  expect((await back()).get('error')).toBe('access_denied')
  expect(await mine()).toEqual([])
  await begin()
  await button('Allow').click()
  expect((await back()).get('code')).toBeTruthy()
  expect(await mine()).toEqual(['Photos'])
  // Known already: nothing is asked.
  await begin()
  expect((await back()).get('code')).toBeTruthy()

  const { body } = await ask(product.url, { method: 'GET', path: '/oidc/.well-known/openid-configuration' })
  const end = `${(body as { end_session_endpoint: string }).end_session_endpoint}?client_id=${clientId}`
  await page.goto(end)
  await page.getByRole('heading', { name: 'Sign out' }).waitFor()
  await pictures(page, 'leave')
  await button('Only of the app').click()
  await at('/')
  await page.getByRole('heading', { name: /Ada/ }).waitFor()
  await begin()
  await back()
  await page.goto(end)
  await button('Sign out of Kalnet too').click()
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  await signInAgain(house, OWNER.password)
  // What was allowed stays allowed until it is taken back.
  expect(await mine()).toEqual(['Photos'])

  for (const path of ['/consent/problem?code=invalid_client', '/consent/unknown', '/enter']) {
    await page.goto(product.url + path)
    await link('To my Kalnet').click()
    await at('/')
  }
}

async function signInAgain({ page, button }: Household, password: string): Promise<void> {
  await page.getByLabel('E-mail').fill(OWNER.email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await button('Sign in').click()
  await page.getByRole('banner').waitFor()
}
