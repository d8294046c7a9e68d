/** What the screen test visits of services: the cards, one service from all sides, adding one. */
import type { Page } from 'playwright-core'
import { uuid } from './fixtures.ts'
import type { Shot } from './shots.ts'

const heading = (words: string) => (page: Page) =>
  page.getByRole('heading', { name: words }).first().waitFor()
const text = (words: string) => (page: Page) => page.getByText(words, { exact: false }).first().waitFor()
const STATES = [390, 1440]
const at = (number: number, part = '') => `/services/${uuid(6000 + number)}${part}`
const add = (name: string) => async (page: Page) => {
  await page.getByRole('button', { name: `Add ${name}` }).click()
  await page.getByRole('dialog').waitFor()
}

export const SERVICE_SHOTS: Shot[] = [
  { name: 'services', world: 'usual', path: '/services', ready: heading('Family notes') },
  {
    name: 'services-empty',
    world: 'empty',
    path: '/services',
    widths: STATES,
    ready: heading('Nothing runs here yet'),
  },
  {
    name: 'services-child',
    world: 'usual',
    role: 'child',
    path: '/services',
    widths: STATES,
    ready: heading('Family notes'),
  },
  {
    name: 'services-loading',
    world: 'slow',
    path: '/services',
    widths: STATES,
    ready: (page) => page.locator('[aria-busy]').first().waitFor(),
  },
  {
    name: 'services-error',
    world: 'error',
    path: '/services',
    widths: STATES,
    ready: (page) => page.getByRole('alert').first().waitFor(),
  },
  { name: 'services-many', world: 'many', path: '/services', widths: STATES, ready: heading('Service 60') },
  { name: 'services-long', world: 'long', path: '/services', widths: STATES, ready: heading('Unterhaltung') },
  {
    name: 'services-trouble',
    world: 'usual',
    path: '/services',
    widths: STATES,
    ready: async (page) => {
      await page.getByRole('button', { name: 'Need a look' }).click()
      await heading('Block world')(page)
    },
  },
  { name: 'service', world: 'usual', path: at(1), ready: text('The last 24 hours') },
  { name: 'service-failed', world: 'usual', path: at(7), widths: STATES, ready: text('Starts again in') },
  { name: 'service-updating', world: 'usual', path: at(8), widths: STATES, ready: text('Waiting for it') },
  {
    name: 'service-unproved',
    world: 'usual',
    path: at(9),
    widths: STATES,
    ready: text('not yet proved here'),
  },
  { name: 'service-outside', world: 'usual', path: at(10), widths: STATES, ready: text('It runs elsewhere') },
  { name: 'service-long', world: 'long', path: at(4), widths: STATES, ready: text('The last 24 hours') },
  {
    name: 'service-child',
    world: 'usual',
    role: 'child',
    path: at(2),
    widths: STATES,
    ready: text('The last 24 hours'),
  },
  {
    name: 'service-gone',
    world: 'usual',
    path: at(77),
    widths: STATES,
    ready: (page) => page.getByRole('alert').waitFor(),
  },
  {
    name: 'service-addresses',
    world: 'usual',
    path: at(1, '/addresses'),
    ready: text('stays with the same'),
  },
  {
    name: 'service-addresses-none',
    world: 'usual',
    path: at(9, '/addresses'),
    widths: STATES,
    ready: heading('No address leads here'),
  },
  {
    name: 'service-releases',
    world: 'usual',
    path: at(1, '/releases'),
    widths: STATES,
    ready: text('Release 1'),
  },
  {
    name: 'service-back',
    world: 'usual',
    path: at(1, '/releases'),
    widths: STATES,
    ready: async (page) => {
      await page.getByRole('button', { name: 'Go back to release 2' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'service-logs', world: 'usual', path: at(1, '/logs'), widths: STATES, ready: text('ready for') },
  {
    name: 'service-settings',
    world: 'usual',
    path: at(1, '/settings'),
    widths: STATES,
    ready: heading('Remove this service'),
  },
  {
    name: 'service-remove',
    world: 'usual',
    path: at(1, '/settings'),
    widths: STATES,
    ready: async (page) => {
      await page.getByRole('button', { name: 'Remove…' }).click()
      await page.getByText('Remove it, too').click()
      await page.getByLabel('Type notes to confirm').waitFor()
    },
  },
  {
    name: 'launch-services',
    world: 'usual',
    path: '/launch?show=services',
    widths: STATES,
    ready: heading('Radicale'),
  },
  { name: 'service-add', world: 'usual', path: '/launch', ready: add('Static site') },
  { name: 'service-add-unproved', world: 'usual', path: '/launch', widths: STATES, ready: add('Immich') },
  {
    name: 'service-add-wrong',
    world: 'usual',
    path: '/launch?add=node-red',
    widths: STATES,
    ready: async (page) => {
      await page.getByLabel('Name', { exact: true }).fill('calendar')
      await page.getByRole('button', { name: 'Add it' }).click()
      await text('Choose one, or add')(page)
    },
  },
]
