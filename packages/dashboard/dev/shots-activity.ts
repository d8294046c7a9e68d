/** What the screen test visits of Activity. */
import type { Page } from 'playwright-core'
import type { Shot } from './shots.ts'

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first()
const today = (page: Page) => page.getByRole('heading', { name: 'Today' }).first().waitFor()

export const ACTIVITY_SHOTS: Shot[] = [
  { name: 'activity', world: 'usual', path: '/activity', ready: today },
  { name: 'activity-full', world: 'many', path: '/activity', widths: [390, 1440], ready: today },
  {
    name: 'activity-empty',
    world: 'empty',
    path: '/activity',
    widths: [390, 1440],
    ready: (page) => page.getByRole('heading', { name: 'Nothing has happened yet' }).waitFor(),
  },
  {
    name: 'activity-loading',
    world: 'slow',
    path: '/activity',
    widths: [390, 1440],
    ready: (page) => page.locator('[aria-busy]').first().waitFor(),
  },
  {
    name: 'activity-error',
    world: 'error',
    path: '/activity',
    widths: [390],
    ready: (page) => page.getByRole('alert').first().waitFor(),
  },
  {
    name: 'activity-offline',
    world: 'usual',
    path: '/activity',
    widths: [390],
    ready: async (page, standIn) => {
      await today(page)
      standIn.goAway()
      await page.getByText('Not connected. Trying').waitFor()
    },
  },
  {
    name: 'activity-entry',
    world: 'usual',
    path: '/activity',
    ready: async (page) => {
      await today(page)
      await button(page, /Terminal/).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'activity-refused',
    world: 'usual',
    path: '/activity',
    widths: [390, 1440],
    ready: async (page) => {
      await today(page)
      const filter = page.getByRole('button', { name: 'Filter' })
      if (await filter.isVisible()) await filter.click()
      await page.getByText('Refused', { exact: true }).first().click()
      await page.getByText('Firefox').first().waitFor({ state: 'detached' })
    },
  },
  {
    name: 'activity-thing',
    world: 'usual',
    path: '/activity',
    widths: [390, 1440],
    ready: async (page) => {
      await today(page)
      await button(page, /revoke|remove the machine/).click()
      await button(page, 'Only what they did').click()
      await page.getByText('By Grace Larch').waitFor()
    },
  },
  {
    name: 'activity-none',
    world: 'usual',
    path: '/activity',
    widths: [820],
    ready: async (page) => {
      await today(page)
      await page.getByRole('searchbox').fill('zebra')
      await page.getByRole('heading', { name: 'Nothing fits' }).waitFor()
    },
  },
  {
    name: 'activity-broken',
    world: 'usual',
    path: '/activity',
    widths: [390, 1440],
    ready: async (page, standIn) => {
      await today(page)
      standIn.breakRecord()
      await button(page, 'Check now').click()
      await page.getByText('This record was changed').waitFor()
    },
  },
  {
    name: 'activity-keep',
    world: 'usual',
    path: '/activity',
    widths: [390, 1440],
    ready: async (page) => {
      await today(page)
      await button(page, 'Change').click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'activity-export',
    world: 'usual',
    path: '/activity',
    widths: [390, 1440],
    ready: async (page) => {
      await today(page)
      await button(page, 'Export').click()
      await page.getByRole('menu').waitFor()
    },
  },
]
