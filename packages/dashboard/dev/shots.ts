/** What the screen test visits: each page in each world, and what must be seen before the picture is taken. */
import type { Role } from '@kalnet/contracts/permission'
import type { Page } from 'playwright-core'
import type { DoorOptions } from './account-stand-in.ts'
import type { World } from './fixtures.ts'
import { ENDED, LIVE, uuid } from './fixtures.ts'
import { ACCOUNT_SHOTS } from './shots-account.ts'
import { ACTIVITY_SHOTS } from './shots-activity.ts'
import { APP_SHOTS } from './shots-apps.ts'
import { CONTROLLER_SHOTS } from './shots-controllers.ts'
import { KEY_SHOTS } from './shots-keys.ts'
import { NETWORK_SHOTS } from './shots-network.ts'
import { PEOPLE_SHOTS } from './shots-people.ts'
import { PROVIDER_SHOTS } from './shots-providers.ts'
import { SERVICE_SHOTS } from './shots-services.ts'
import { SLEEP_SHOTS } from './shots-sleep.ts'
import type { StandIn } from './stand-in.ts'

export interface Shot {
  name: string
  world: World
  path: string
  failNext?: boolean
  /** How the door stands: what is asked of whoever signs in, and what they have set up. */
  door?: DoorOptions
  /** Who looks; an owner, when nothing is said. */
  role?: Role
  /** The start stays where its files are unpacked. */
  hold?: boolean
  /** Sizes other than all of them. */
  widths?: number[]
  ready: (page: Page, standIn: StandIn) => Promise<unknown>
}
const text = (words: string) => (page: Page) => page.getByText(words, { exact: false }).first().waitFor()
const heading = (words: string) => (page: Page) =>
  page.getByRole('heading', { name: words }).first().waitFor()
const [running, , unreachable] = LIVE
const failed = ENDED[1]

const drawn = (page: Page) => page.locator('[data-live="true"] canvas').waitFor()
const startTerminal = async (page: Page) => {
  await page
    .getByRole('button', { name: /^Start Terminal$/ })
    .first()
    .click()
}

export const SHOTS: Shot[] = [
  { name: 'claim', world: 'unclaimed', path: '/claim#token', ready: heading('Make it yours') },
  {
    name: 'claim-no-token',
    world: 'unclaimed',
    path: '/claim',
    widths: [390],
    ready: heading('This page needs'),
  },
  {
    name: 'reset',
    world: 'signed-out',
    path: '/claim#token',
    widths: [1440],
    ready: heading('Set the owner'),
  },
  { name: 'sign-in', world: 'signed-out', path: '/', ready: heading('Welcome back') },
  {
    name: 'sign-in-wrong',
    world: 'signed-out',
    path: '/',
    widths: [390, 1440],
    ready: async (page) => {
      await page.getByLabel('E-mail').fill('ada@example.org')
      await page.getByLabel('Password').fill('wrong password')
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await page.getByRole('alert').waitFor()
    },
  },
  {
    name: 'home',
    world: 'usual',
    path: '/',
    ready: async (page) => {
      await heading('Recently ended')(page)
      await page.locator('img[src^="data:image/png"]').first().waitFor()
    },
  },
  { name: 'home-empty', world: 'empty', path: '/', ready: heading('Your screen') },
  {
    name: 'home-loading',
    world: 'slow',
    path: '/',
    widths: [390, 1440],
    ready: (page) => page.locator('[aria-busy]').first().waitFor(),
  },
  {
    name: 'home-error',
    world: 'error',
    path: '/',
    widths: [390, 1440],
    ready: (page) => page.getByRole('alert').first().waitFor(),
  },
  { name: 'home-many', world: 'many', path: '/', widths: [390, 1440], ready: text('200 sessions') },
  { name: 'home-long', world: 'long', path: '/', ready: heading('Recently ended') },
  {
    name: 'home-offline',
    world: 'usual',
    path: '/',
    widths: [390, 1440],
    ready: async (page, standIn) => {
      await heading('Recently ended')(page)
      standIn.goAway()
      await page.getByText('Not connected. Trying').waitFor()
    },
  },
  { name: 'launch', world: 'usual', path: '/launch', ready: heading('Terminal') },
  {
    name: 'launch-search',
    world: 'usual',
    path: '/launch',
    widths: [390, 1440],
    ready: async (page) => {
      await page.getByPlaceholder('Search the catalog').fill('pap')
      await heading('Nothing matches')(page)
    },
  },
  {
    name: 'launch-details',
    world: 'usual',
    path: '/launch',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Details of Firefox' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'launch-many', world: 'many', path: '/launch', widths: [1440], ready: heading('Template 1') },
  { name: 'launch-long', world: 'long', path: '/launch', widths: [390, 1440], ready: heading('Büro') },
  {
    name: 'launch-empty',
    world: 'empty',
    path: '/launch',
    widths: [1440],
    ready: heading('The catalog is empty'),
  },
  {
    name: 'starting',
    world: 'usual',
    hold: true,
    path: '/launch',
    ready: async (page) => {
      await startTerminal(page)
      await text('Unpacking')(page)
    },
  },
  {
    name: 'start-failed',
    world: 'usual',
    path: '/launch',
    failNext: true,
    ready: async (page) => {
      await startTerminal(page)
      await heading('did not make it')(page)
    },
  },
  { name: 'viewer', world: 'usual', path: `/s/${running?.id}`, ready: drawn },
  {
    name: 'viewer-bar',
    world: 'usual',
    path: `/s/${running?.id}`,
    ready: async (page) => {
      await drawn(page)
      await page.getByRole('button', { name: 'Show the session bar' }).click()
      await page.getByRole('button', { name: 'Figures' }).click()
      await page.getByRole('button', { name: 'Keys' }).click()
      await page.getByRole('heading', { name: 'Hold down' }).waitFor()
    },
  },
  {
    name: 'viewer-clipboard',
    world: 'usual',
    path: `/s/${running?.id}`,
    widths: [390, 1440],
    ready: async (page) => {
      await drawn(page)
      await page.getByRole('button', { name: 'Show the session bar' }).click()
      await page.getByRole('button', { name: 'Clipboard' }).click()
      await page.getByLabel('Text on the session').waitFor()
    },
  },
  {
    name: 'viewer-stop',
    world: 'usual',
    path: `/s/${running?.id}`,
    widths: [390, 1440],
    ready: async (page) => {
      await drawn(page)
      await page.getByRole('button', { name: 'Show the session bar' }).click()
      await page.getByRole('button', { name: 'Stop', exact: true }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'session', world: 'usual', path: `/sessions/${failed?.id}`, ready: text('Killed') },
  {
    name: 'session-use',
    world: 'usual',
    path: `/sessions/${running?.id}`,
    widths: [390, 1440],
    // The second answer makes a line of the first.
    ready: async (page) => {
      await page.getByRole('meter', { name: 'Memory' }).waitFor()
      await page.locator('polyline').first().waitFor({ state: 'attached' })
      await page.getByText(/^Why on /).click()
      await page.getByText('Barn takes nothing new.').waitFor()
    },
  },
  {
    name: 'session-unreachable',
    world: 'usual',
    path: `/sessions/${unreachable?.id}`,
    widths: [1440],
    ready: text('may well be running'),
  },
  {
    name: 'session-gone',
    world: 'usual',
    path: `/sessions/${uuid(99)}`,
    widths: [1440],
    ready: (page) => page.getByRole('alert').waitFor(),
  },
  { name: 'me', world: 'usual', path: '/settings', ready: heading('Account') },
  {
    name: 'me-toast',
    world: 'usual',
    path: '/settings',
    widths: [390, 1440],
    ready: async (page) => {
      await page.getByLabel('Name', { exact: true }).fill('Ada Larch-Birch')
      await page.getByRole('button', { name: 'Save' }).click()
      await text('Your name is saved')(page)
    },
  },
  {
    name: 'palette',
    world: 'usual',
    path: '/',
    ready: async (page) => {
      await heading('Recently ended')(page)
      await page.keyboard.press('Control+k')
      await page.getByRole('menuitem').first().waitFor()
    },
  },
  { name: 'not-found', world: 'usual', path: '/nowhere', widths: [1440], ready: heading('There is nothing') },
  {
    name: 'widgets',
    world: 'usual',
    path: '/_ui',
    ready: (page) => page.getByRole('heading', { level: 1 }).waitFor(),
  },
  ...SLEEP_SHOTS,
  ...CONTROLLER_SHOTS,
  ...ACCOUNT_SHOTS,
  ...PEOPLE_SHOTS,
  ...KEY_SHOTS,
  ...PROVIDER_SHOTS,
  ...ACTIVITY_SHOTS,
  ...APP_SHOTS,
  ...SERVICE_SHOTS,
  ...NETWORK_SHOTS,
]
