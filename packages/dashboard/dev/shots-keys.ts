/** What the screen test visits of service keys. */
import type { Page } from 'playwright-core'
import type { Shot } from './shots.ts'

const heading = (words: string) => (page: Page) =>
  page.getByRole('heading', { name: words }).first().waitFor()
const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first().click()
const path = '/settings/keys'
const both = async (page: Page) => {
  await page.getByText('Nightly backup').waitFor()
  await heading('School directory')(page)
}

export const KEY_SHOTS: Shot[] = [
  { name: 'keys', world: 'usual', path, ready: both },
  {
    name: 'keys-empty',
    world: 'empty',
    path,
    widths: [390, 1440],
    ready: heading('No program has an account'),
  },
  {
    name: 'keys-loading',
    world: 'slow',
    path,
    widths: [390, 1440],
    ready: (page) => page.locator('[aria-busy]').first().waitFor(),
  },
  {
    name: 'keys-error',
    world: 'error',
    path,
    widths: [390, 1440],
    ready: (page) => page.getByRole('alert').nth(1).waitFor(),
  },
  { name: 'keys-long', world: 'long', path, widths: [390, 1440], ready: both },
  {
    name: 'keys-make',
    world: 'usual',
    path,
    ready: async (page) => {
      await both(page)
      await press(page, 'Make a key')
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'keys-make-some',
    world: 'usual',
    path,
    widths: [390, 1440],
    ready: async (page) => {
      await both(page)
      await press(page, 'Make a key')
      await page.getByText('Choose one by one').click()
      await page.getByText('See whose key it is').first().waitFor()
      await page.getByRole('dialog').getByRole('button', { name: 'Make a key' }).click()
      await page.getByRole('alert').waitFor()
    },
  },
  {
    name: 'keys-shown',
    world: 'usual',
    path,
    widths: [390, 1440],
    ready: async (page) => {
      await both(page)
      await press(page, 'Make a key')
      await page.getByLabel('What is it for?').fill('Garden lights')
      await page.getByRole('dialog').getByRole('button', { name: 'Make a key' }).click()
      await page.locator('[data-token]').waitFor()
    },
  },
  {
    name: 'keys-menu',
    world: 'usual',
    path,
    widths: [390, 1440],
    ready: async (page) => {
      await both(page)
      await press(page, 'Actions for the key Nightly backup')
      await page.getByRole('menuitem', { name: 'Revoke…' }).waitFor()
    },
  },
  {
    name: 'keys-rotate',
    world: 'usual',
    path,
    widths: [390, 1440],
    ready: async (page) => {
      await both(page)
      await press(page, 'Actions for the key Nightly backup')
      await page.getByRole('menuitem', { name: 'New secret…' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'keys-revoke',
    world: 'usual',
    path,
    widths: [390, 1440],
    ready: async (page) => {
      await both(page)
      await press(page, 'Actions for the key Nightly backup')
      await page.getByRole('menuitem', { name: 'Revoke…' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'keys-program-add',
    world: 'usual',
    path,
    widths: [390, 1440],
    ready: async (page) => {
      await both(page)
      await press(page, 'Add a program')
      await page.getByRole('dialog').waitFor()
    },
  },
]
