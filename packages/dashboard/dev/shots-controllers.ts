/** What the screen test visits of machines. */
import type { Page } from 'playwright-core'
import type { Shot } from './shots.ts'

const text = (words: string) => (page: Page) => page.getByText(words, { exact: false }).first().waitFor()
const heading = (words: string) => (page: Page) =>
  page.getByRole('heading', { name: words }).first().waitFor()

export const CONTROLLER_SHOTS: Shot[] = [
  { name: 'controllers', world: 'usual', path: '/settings/controllers', ready: heading('Attic box') },
  {
    name: 'controllers-empty',
    world: 'empty',
    path: '/settings/controllers',
    widths: [390, 1440],
    ready: heading('No machine'),
  },
  {
    name: 'controllers-long',
    world: 'long',
    path: '/settings/controllers',
    widths: [390, 1440],
    ready: heading('Unterhaltung'),
  },
  {
    name: 'controllers-menu',
    world: 'usual',
    path: '/settings/controllers',
    widths: [390, 1440],
    ready: async (page) => {
      await page.getByRole('button', { name: 'Actions for Attic box' }).click()
      await page.getByRole('menuitem', { name: 'Take new sessions again' }).waitFor()
    },
  },
  {
    name: 'controllers-drain',
    world: 'usual',
    path: '/settings/controllers',
    widths: [390, 1440],
    ready: async (page) => {
      await page.getByRole('button', { name: 'Actions for Attic box' }).click()
      await page.getByRole('menuitem', { name: 'Empty it…' }).click()
      await text('One session ends')(page)
    },
  },
  {
    name: 'controllers-labels',
    world: 'usual',
    path: '/settings/controllers',
    widths: [390, 1440],
    ready: async (page) => {
      await page.getByRole('button', { name: 'Actions for Attic box' }).click()
      await page.getByRole('menuitem', { name: 'Labels…' }).click()
      await page.getByRole('textbox', { name: 'Labels' }).fill('room=the attic')
      await page.getByRole('button', { name: 'Save' }).click()
      await text('use up to 63')(page)
    },
  },
  {
    name: 'enrol',
    world: 'usual',
    path: '/settings/controllers',
    widths: [390, 1440],
    ready: async (page) => {
      await page.getByRole('button', { name: 'Add a machine' }).click()
      await page.getByLabel('Name of the machine').fill('Attic box')
      await page.getByRole('button', { name: 'Make the command' }).click()
      await page.locator('[data-command]').waitFor()
    },
  },
]
