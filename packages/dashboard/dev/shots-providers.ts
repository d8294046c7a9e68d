/** What the screen test visits of identity providers: the door, the settings, the account page. */
import type { Page } from 'playwright-core'
import type { Shot } from './shots.ts'

const path = '/settings/providers'
const heading = (words: string) => (page: Page) =>
  page.getByRole('heading', { name: words }).first().waitFor()
const listed = (page: Page) => page.getByText('Larch accounts').first().waitFor()
const act = (name: string) => async (page: Page) => {
  await listed(page)
  await page.getByRole('button', { name: 'What to do with Larch accounts' }).click()
  await page.getByRole('menuitem', { name }).click()
  await page.getByRole('dialog').waitFor()
}

export const PROVIDER_SHOTS: Shot[] = [
  {
    name: 'sign-in-providers',
    world: 'signed-out',
    path: '/?problem=provider.email-taken',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Sign in with Larch accounts' }).waitFor()
      await page.getByText('Somebody here has the same').waitFor()
    },
  },
  { name: 'providers', world: 'usual', path, ready: listed },
  {
    name: 'providers-empty',
    world: 'empty',
    path,
    widths: [390, 1440],
    ready: heading('Everybody signs in'),
  },
  {
    name: 'providers-long',
    world: 'long',
    path,
    widths: [390],
    ready: (page) => page.getByText('Landesschulbehörde').first().waitFor(),
  },
  {
    name: 'providers-loading',
    world: 'slow',
    path,
    widths: [390, 1440],
    ready: (page) => page.locator('[aria-busy]').first().waitFor(),
  },
  {
    name: 'providers-error',
    world: 'error',
    path,
    widths: [390, 1440],
    ready: (page) => page.getByRole('alert').first().waitFor(),
  },
  {
    name: 'provider-add',
    world: 'usual',
    path,
    ready: async (page) => {
      await listed(page)
      await page.getByRole('button', { name: 'Add a provider' }).click()
      await page.getByLabel('Issuer address').fill('https://login.larch.example/realms/home')
      await page.getByRole('button', { name: 'Look there' }).click()
      await page.getByText('Its keys can be read.').waitFor()
    },
  },
  {
    name: 'provider-made',
    world: 'usual',
    path,
    widths: [390, 1440],
    ready: async (page) => {
      await listed(page)
      await page.getByRole('button', { name: 'Add a provider' }).click()
      await page.getByLabel('Name on the button').fill('Our school')
      await page.getByLabel('Issuer address').fill('https://login.larch.example/realms/home')
      await page.getByLabel('Client id', { exact: true }).fill('kalnet')
      await page.getByRole('button', { name: 'Add it' }).click()
      await page.getByText('Redirect address').waitFor()
    },
  },
  { name: 'provider-change', world: 'usual', path, ready: act('Change') },
  {
    name: 'provider-test',
    world: 'usual',
    path,
    widths: [390, 1440],
    ready: async (page) => {
      await act('Test')(page)
      await page.getByText('All is well').waitFor()
    },
  },
]
