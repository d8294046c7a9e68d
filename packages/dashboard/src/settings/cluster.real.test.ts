/** The page of a cluster and how one is added, in a real browser against the stand-in. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BLIND_ID, CLUSTER_ID } from '../../dev/cluster-stand-in.ts'
import { CONTROLLERS } from '../../dev/fixtures.ts'
import { noBrowser, openPage, openSite, type Site } from '../testing.ts'

if (noBrowser) console.log(`skipped: clusters in the dashboard: ${noBrowser}`)
const DESK = { viewport: { width: 1200, height: 800 } }

describe.skipIf(noBrowser)('clusters', { timeout: 300_000 }, () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite()
  })
  afterAll(() => site?.close())

  const open = async (path: string, options: object = DESK) => {
    site.standIn.use('usual')
    const it = await openPage(site.browser, options)
    await it.page.goto(`${site.url}${path}`)
    return it
  }
  const card = (page: Awaited<ReturnType<typeof open>>['page'], name: string) =>
    page.getByRole('group', { name, exact: true })

  test('[K8S-1.machines] [CTL-5.waiting] from the list to the cluster: what waits and why, machines with why one takes nothing; what changes appears', async () => {
    const { context, page, complaints } = await open('/settings/controllers')
    await card(page, 'Team cluster').getByRole('link', { name: 'Machines and what waits' }).click()
    await page.getByRole('heading', { name: 'Team cluster', level: 1 }).waitFor()
    const waiting = card(page, 'Waiting')
    await waiting.getByText('No machine of the cluster has enough free memory').waitFor()
    await waiting.getByText('Of another household').waitFor()
    expect(
      await waiting.getByRole('link').evaluateAll((all) => all.map((it) => it.getAttribute('href'))),
    ).toEqual([
      '/sessions/01a1fd3c-b7fd-7166-abd0-0000000000e1',
      '/services/01a1fd3c-b7fd-7166-abd0-0000000000e2',
    ])
    const machines = card(page, 'Machines')
    await machines.getByText('It is not ready: container runtime is down').waitFor()
    // What takes nothing stands first.
    expect(await machines.locator('strong').allTextContents()).toEqual([
      'gpu-1',
      'worker-3',
      'worker-1',
      'worker-2',
    ])
    const { cluster } = (await (
      await page.request.get(`${site.url}/api/controllers/${CLUSTER_ID}/cluster`)
    ).json()) as {
      cluster: Parameters<Site['standIn']['tellCluster']>[1]
    }
    site.standIn.tellCluster(CLUSTER_ID, { ...cluster, waiting: [], waitingCount: 0 })
    await waiting.getByText('Nothing waits.').waitFor()
    expect(complaints).toEqual([])
    await context.close()
  })

  test('[K8S-1.machines] machines that may not be read are not known, and the right that would tell is named; on a phone, by keyboard', async () => {
    const { context, page, complaints } = await open(`/settings/controllers/${BLIND_ID}`, {
      viewport: { width: 390, height: 844 },
    })
    await page.getByText('Not connected: this is how it was').waitFor()
    await card(page, 'Room').getByText('cannot be told').waitFor()
    await card(page, 'Not known or not possible')
      .getByText('list, watch nodes in the whole cluster')
      .waitFor()
    expect(await card(page, 'Machines').count()).toBe(0)
    await page.getByRole('link', { name: 'Machines', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Controllers', level: 1 }).waitFor()
    expect(complaints).toEqual([])
    await context.close()
  })

  test('of many machines twenty are shown, and all when asked', async () => {
    const { context, page } = await open('/')
    site.standIn.use('many')
    await page.goto(`${site.url}/settings/controllers/${CLUSTER_ID}`)
    const machines = card(page, 'Machines')
    await machines.getByText('200 machines').waitFor()
    expect(await machines.getByRole('listitem').count()).toBe(20)
    await machines.getByRole('button', { name: 'Show all 200' }).click()
    expect(await machines.getByRole('listitem').count()).toBe(200)
    await context.close()
  })

  test('[K8S-2.enrol] a cluster is added by a manifest that is copied or kept; it says when it has connected, and when its time is over', async () => {
    const { context, page, complaints } = await open('/settings/controllers')
    site.standIn.state().controllers = [...CONTROLLERS]
    site.standIn.clusters.joinsNext('late')
    await page.getByRole('button', { name: 'Add a machine' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('A Kubernetes cluster', { exact: true }).click()
    await dialog.getByLabel('Name of the cluster').fill('Cloud')
    await dialog.getByRole('button', { name: 'Make the manifest' }).click()
    await dialog.getByText('Its time is over').waitFor()
    site.standIn.clusters.joinsNext('soon')
    await dialog.getByRole('button', { name: 'Make a new one' }).click()
    // What was answered stands.
    expect(await dialog.getByLabel('Name of the cluster').inputValue()).toBe('Cloud')
    await dialog.getByRole('button', { name: 'Make the manifest' }).click()
    const kept = page.waitForEvent('download')
    await dialog.getByRole('button', { name: 'Download' }).click()
    expect((await kept).suggestedFilename()).toBe('kalnet-controller.yaml')
    await dialog.getByRole('link', { name: 'Show it' }).click()
    await page.getByRole('heading', { name: 'Cloud', level: 1 }).waitFor()
    expect(complaints).toEqual([])
    await context.close()
  })
})
