/** What the screen test visits of apps: consent, connected apps, guarded addresses. */
import type { Page } from 'playwright-core'
import type { Shot } from './shots.ts'

const heading = (words: string) => (page: Page) =>
  page.getByRole('heading', { name: words }).first().waitFor()
const press = (page: Page, name: string) => page.getByRole('button', { name }).first().click()

export const APP_SHOTS: Shot[] = [
  { name: 'consent', world: 'usual', path: '/consent/abcdefghijkl', ready: heading('wants to know') },
  {
    name: 'consent-long',
    world: 'long',
    path: '/consent/abcdefghijkl',
    widths: [390, 1440],
    ready: heading('wants to know'),
  },
  {
    name: 'consent-gone',
    world: 'usual',
    path: '/consent/gone',
    widths: [390, 1440],
    ready: heading('That did not work'),
  },
  {
    name: 'app-problem',
    world: 'usual',
    path: '/consent/problem?code=invalid_redirect_uri',
    widths: [390, 1440],
    ready: heading('That did not work'),
  },
  { name: 'leave', world: 'usual', path: '/leave?ask=word', widths: [390, 1440], ready: heading('Sign out') },
  {
    name: 'enter-closed',
    world: 'usual',
    path: `/enter?to=https%3A%2F%2Fprinter.larch.example%2F&state=${'a'.repeat(64)}`,
    widths: [390, 1440],
    ready: heading('Ask to come in'),
  },
  { name: 'apps', world: 'usual', path: '/settings/apps', ready: heading('Guarded addresses') },
  {
    name: 'apps-empty',
    world: 'empty',
    path: '/settings/apps',
    widths: [390, 1440],
    ready: heading('No app is connected'),
  },
  {
    name: 'apps-long',
    world: 'long',
    path: '/settings/apps',
    widths: [390, 1440],
    ready: (page) => page.getByText('Unterhaltung').first().waitFor(),
  },
  {
    name: 'apps-connect',
    world: 'usual',
    path: '/settings/apps',
    ready: async (page) => {
      await press(page, 'Connect an app')
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'apps-connected',
    world: 'usual',
    path: '/settings/apps',
    widths: [390, 1440],
    ready: async (page) => {
      await press(page, 'Connect an app')
      await page.getByText('Synapse').click()
      await page.getByLabel('Address of the app').fill('https://chat.larch.example')
      await page.getByRole('button', { name: 'Connect', exact: true }).click()
      await page.getByText('Client secret').waitFor()
    },
  },
  {
    name: 'apps-guard',
    world: 'usual',
    path: '/settings/apps',
    widths: [390, 1440],
    ready: async (page) => {
      await press(page, 'Guard an address')
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'my-apps',
    world: 'usual',
    path: '/settings',
    widths: [390, 1440],
    ready: async (page) => {
      await page.getByText('Recipes on the phone').first().scrollIntoViewIfNeeded()
      await page.getByText('Calendar on my phone').waitFor()
    },
  },
]
