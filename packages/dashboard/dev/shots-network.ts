/** What the screen test visits of the network: addresses, who calls whom, certificates, trusting on a device. */
import type { Page } from 'playwright-core'
import type { Shot } from './shots.ts'

const heading = (words: string) => (page: Page) =>
  page.getByRole('heading', { name: words }).first().waitFor()
const STATES = [390, 1440]
const act = (of: string, what: string) => async (page: Page) => {
  await page
    .getByRole('button', { name: `Actions for ${of}` })
    .first()
    .click()
  await page.getByRole('menuitem', { name: what }).click()
  await page.getByRole('dialog').waitFor()
}
const press = (name: string) => async (page: Page) => {
  await page.getByRole('button', { name }).first().click()
  await page.getByRole('dialog').waitFor()
}
const drawn = (page: Page) => page.getByRole('list', { name: 'All connections' }).waitFor()

export const NETWORK_SHOTS: Shot[] = [
  { name: 'network', world: 'usual', path: '/settings/network', ready: drawn },
  {
    name: 'network-empty',
    world: 'empty',
    path: '/settings/network',
    widths: STATES,
    ready: heading('No call has been seen'),
  },
  { name: 'network-long', world: 'long', path: '/settings/network', widths: STATES, ready: drawn },
  {
    name: 'network-error',
    world: 'error',
    path: '/settings/network',
    widths: STATES,
    ready: (page) => page.getByRole('alert').nth(1).waitFor(),
  },
  {
    name: 'route-edit',
    world: 'usual',
    path: '/settings/network',
    widths: STATES,
    ready: act('calendar.larch.home.arpa:7443', 'Who and how…'),
  },
  {
    name: 'route-tuning',
    world: 'usual',
    path: '/settings/network',
    widths: STATES,
    ready: async (page) => {
      await act('packages.larch.home.arpa:7443', 'Who and how…')(page)
      await page.getByText('Fine tuning').click()
      await page.getByLabel('Seconds to connect').fill('soon')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('A number from').first().scrollIntoViewIfNeeded()
    },
  },
  {
    name: 'route-add',
    world: 'usual',
    path: '/settings/network',
    widths: STATES,
    ready: press('Add an address'),
  },
  {
    name: 'route-remove',
    world: 'usual',
    path: '/settings/network',
    widths: STATES,
    ready: act('TCP port 5432', 'Remove…'),
  },
  { name: 'certificates', world: 'usual', path: '/settings/certificates', ready: heading('What your names') },
  {
    name: 'certificates-empty',
    world: 'empty',
    path: '/settings/certificates',
    widths: STATES,
    ready: heading('None is needed'),
  },
  {
    name: 'certificates-long',
    world: 'long',
    path: '/settings/certificates',
    widths: STATES,
    ready: (page) => page.getByText('unterhaltung').first().waitFor(),
  },
  {
    name: 'certificate-order',
    world: 'usual',
    path: '/settings/certificates',
    widths: STATES,
    ready: press('Order one'),
  },
  {
    name: 'certificate-bring',
    world: 'usual',
    path: '/settings/certificates',
    widths: STATES,
    ready: press('Bring one'),
  },
  {
    name: 'certificate-details',
    world: 'usual',
    path: '/settings/certificates',
    widths: STATES,
    ready: act('photos.example.org', 'Details'),
  },
  { name: 'trust', world: 'signed-out', path: '/trust', ready: heading('Compare before') },
  { name: 'trust-none', world: 'empty', path: '/trust', widths: STATES, ready: heading('Nothing to do') },
]
