/** What the screen test visits of people, groups and invitations. */
import type { Page } from 'playwright-core'
import { uuid } from './fixtures.ts'
import type { Shot } from './shots.ts'

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first()
const heading = (words: string) => (page: Page) =>
  page.getByRole('heading', { name: words }).first().waitFor()
const person = `/settings/people/${uuid(3)}`
const dialogOf = (action: string) => async (page: Page) => {
  await heading('Manage')(page)
  await button(page, action).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).waitFor()
}

export const PEOPLE_SHOTS: Shot[] = [
  { name: 'people', world: 'usual', path: '/settings/people', ready: heading('Invited, not here yet') },
  {
    name: 'people-alone',
    world: 'empty',
    path: '/settings/people',
    widths: [390, 1440],
    ready: heading('It is just you'),
  },
  {
    name: 'people-loading',
    world: 'slow',
    path: '/settings/people',
    widths: [390, 1440],
    ready: (page) => page.locator('[aria-busy]').first().waitFor(),
  },
  {
    name: 'people-error',
    world: 'error',
    path: '/settings/people',
    widths: [390],
    ready: (page) => page.getByRole('alert').first().waitFor(),
  },
  {
    name: 'people-offline',
    world: 'usual',
    path: '/settings/people',
    widths: [390],
    ready: async (page, standIn) => {
      await heading('Invited, not here yet')(page)
      standIn.goAway()
      await page.getByText('Not connected. Trying').waitFor()
    },
  },
  {
    name: 'people-long',
    world: 'long',
    path: '/settings/people',
    ready: (page) => page.getByText('Hausaufgaben').first().waitFor(),
  },
  {
    name: 'people-many',
    world: 'many',
    path: '/settings/people',
    widths: [1440],
    ready: async (page) => {
      await page.getByPlaceholder('Search people').fill('nobody at all')
      await heading('Nobody matches')(page)
      await page.getByPlaceholder('Search people').fill('member 19')
      await page.getByText('Member 199').waitFor()
    },
  },
  {
    name: 'invite',
    world: 'usual',
    path: '/settings/people',
    ready: async (page) => {
      await button(page, 'Invite somebody').click()
      await page.getByRole('dialog').getByText('Stays up late').waitFor()
      await page.getByRole('button', { name: 'Make the invitation' }).click()
      await page.getByText('Write an e-mail address').waitFor()
    },
  },
  {
    name: 'invite-ready',
    world: 'usual',
    path: '/settings/people',
    ready: async (page) => {
      await button(page, 'Invite somebody').click()
      await page.getByLabel('E-mail').fill('grace@example.org')
      await page.getByRole('button', { name: 'Make the invitation' }).click()
      await page.getByRole('img', { name: 'The link as a picture' }).waitFor()
    },
  },
  {
    name: 'invitation-menu',
    world: 'usual',
    path: '/settings/people',
    widths: [390],
    ready: async (page) => {
      await button(page, 'Actions for the invitation of alan@example.org').click()
      await page.getByRole('menuitem', { name: 'New link' }).waitFor()
    },
  },
  {
    name: 'organisation',
    world: 'usual',
    path: '/settings/people',
    widths: [390, 1440],
    ready: async (page) => {
      await button(page, 'Name and kind').click()
      await page.getByRole('radio', { name: 'Household' }).waitFor()
    },
  },
  { name: 'person', world: 'usual', path: person, ready: heading('Manage') },
  { name: 'person-long', world: 'long', path: person, widths: [390, 1440], ready: heading('Manage') },
  {
    name: 'person-gone',
    world: 'usual',
    path: `/settings/people/${uuid(99)}`,
    widths: [390],
    ready: (page) => page.getByRole('alert').waitFor(),
  },
  { name: 'person-role', world: 'usual', path: person, widths: [390, 1440], ready: dialogOf('Change role') },
  {
    name: 'person-reset',
    world: 'usual',
    path: person,
    widths: [390, 1440],
    ready: async (page) => {
      await dialogOf('Make the link')(page)
      await page.getByRole('dialog').getByRole('button', { name: 'Make the link' }).click()
      await page.getByRole('img', { name: 'The link as a picture' }).waitFor()
    },
  },
  { name: 'person-remove', world: 'usual', path: person, widths: [390, 1440], ready: dialogOf('Remove') },
  { name: 'groups', world: 'usual', path: '/settings/groups', ready: heading('Stays up late') },
  {
    name: 'groups-empty',
    world: 'empty',
    path: '/settings/groups',
    widths: [390, 1440],
    ready: heading('No group yet'),
  },
  {
    name: 'groups-long',
    world: 'long',
    path: '/settings/groups',
    widths: [390],
    ready: heading('Hausaufgaben'),
  },
  {
    name: 'group-people',
    world: 'usual',
    path: '/settings/groups',
    widths: [390, 1440],
    ready: async (page) => {
      await button(page, 'Actions for the group Kids').click()
      await page.getByRole('menuitem', { name: 'Who is in it…' }).click()
      await page.getByRole('checkbox', { name: /Linus/ }).waitFor()
    },
  },
  { name: 'join', world: 'signed-out', path: '/join#token', ready: heading('Join The Larch House') },
  {
    name: 'join-short',
    world: 'signed-out',
    path: '/join#token',
    widths: [390],
    ready: async (page) => {
      await heading('Join The Larch House')(page)
      await page.getByLabel('Choose a password').fill('short')
      await page.getByRole('button', { name: 'Join' }).click()
      await page.getByText('Use at least 10').waitFor()
    },
  },
  {
    name: 'join-used',
    world: 'signed-out',
    path: '/join#used',
    widths: [390, 1440],
    ready: heading('This invitation'),
  },
]
