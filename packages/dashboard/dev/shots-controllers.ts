/** What the screen test visits of machines. */
import type { Page } from 'playwright-core'
import { BLIND_ID, CLUSTER_ID } from './cluster-stand-in.ts'
import type { Shot } from './shots.ts'

const text = (words: string) => (page: Page) => page.getByText(words, { exact: false }).first().waitFor()
const heading = (words: string) => (page: Page) =>
  page.getByRole('heading', { name: words }).first().waitFor()

const here = (id: string) => `/settings/controllers/${id}`
const addCluster = async (page: Page) => {
  await page.getByRole('button', { name: 'Add a machine' }).click()
  await page.getByText('A Kubernetes cluster', { exact: true }).click()
  await page.getByLabel('Name of the cluster').fill('Cloud')
  await page.getByLabel('Registry with the images').fill('https://registry.example.com/kalnet')
}
const makeManifest = async (page: Page) => {
  await addCluster(page)
  await page.getByRole('button', { name: 'Make the manifest' }).click()
  await page.locator('[data-manifest]').waitFor()
}

const CLUSTER_SHOTS: Shot[] = [
  { name: 'cluster', world: 'usual', path: here(CLUSTER_ID), ready: text('worker-3') },
  { name: 'cluster-blind', world: 'usual', path: here(BLIND_ID), ready: text('list, watch nodes') },
  {
    name: 'cluster-many',
    world: 'many',
    path: here(CLUSTER_ID),
    widths: [390, 1440],
    ready: text('Show all 200'),
  },
  {
    name: 'cluster-long',
    world: 'long',
    path: here(CLUSTER_ID),
    widths: [390, 1440],
    ready: text('worker-3'),
  },
  {
    name: 'cluster-gone',
    world: 'usual',
    path: here('01a1fd3c-b7fd-7166-abd0-0000000000ff'),
    widths: [390],
    ready: heading('There is no such machine'),
  },
  {
    name: 'cluster-error',
    world: 'error',
    path: here(CLUSTER_ID),
    widths: [390, 1440],
    ready: text('internal'),
  },
  {
    name: 'cluster-slow',
    world: 'slow',
    path: here(CLUSTER_ID),
    widths: [390, 1440],
    ready: (page) => page.locator('[aria-busy="true"]').first().waitFor(),
  },
  {
    name: 'enrol-cluster-form',
    world: 'usual',
    path: '/settings/controllers',
    widths: [390, 1440],
    ready: addCluster,
  },
  {
    name: 'enrol-cluster',
    world: 'usual',
    path: '/settings/controllers',
    widths: [390, 1440],
    ready: async (page) => {
      await makeManifest(page)
      await text('Waiting for it')(page)
    },
  },
  {
    name: 'enrol-cluster-connected',
    world: 'usual',
    path: '/settings/controllers',
    widths: [390, 1440],
    ready: async (page, standIn) => {
      standIn.clusters.joinsNext('soon')
      await makeManifest(page)
      await page.getByRole('link', { name: 'Show it' }).waitFor()
    },
  },
  {
    name: 'enrol-cluster-late',
    world: 'usual',
    path: '/settings/controllers',
    widths: [390, 1440],
    ready: async (page, standIn) => {
      standIn.clusters.joinsNext('late')
      await makeManifest(page)
      await text('Its time is over')(page)
    },
  },
]

export const CONTROLLER_SHOTS: Shot[] = [
  ...CLUSTER_SHOTS,
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
