/** The machines: a second real controller is enrolled, closed, opened, labelled, emptied and sent away. */
import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { controllerRoutes } from '@kalnet/contracts/controller'
import { sessionRoutes } from '@kalnet/contracts/session'
import { start } from '@kalnet/io/spawn'
import { expect } from 'vitest'
import { CHECKOUT } from '../../support/product.ts'
import { screensOf } from '../../support/runtime.ts'
import { picture, type World } from './world.ts'

/** The command that the page shows, run as it stands there, in a home of its own. */
async function joinWith(world: World, command: string) {
  const home = await mkdtemp(join(tmpdir(), 'kn-loft-'))
  await mkdir(join(home, 'data'), { recursive: true })
  await symlink(await realpath(join(world.product.home, 'data/images')), join(home, 'data/images'))
  const words = command.split(/\s+/).slice(1)
  const said: string[] = []
  const child = start(join(CHECKOUT, 'kalnet'), [...words, '--platforms', 'process'], {
    env: { ...process.env, KALNET_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
  })
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => said.push(String(text)))
  return {
    said: () => said.join(''),
    async end() {
      if (child.exitCode === null && child.signalCode === null) {
        const closed = new Promise((resolve) => child.once('close', resolve))
        child.kill('SIGTERM')
        await closed
      }
      await rm(join(home, 'data/images'), { force: true })
      await rm(home, { recursive: true, force: true })
    },
  }
}

async function enrol(world: World): Promise<string> {
  const { page, button, dialog, go, leave, copied } = world
  await go('/settings/controllers')
  await leave('Add a machine', () => button('Add a machine').click())
  const make = async () => {
    await button('Add a machine').click()
    await page.getByLabel('Name of the machine').fill('Loft')
    await button('Make the command').click()
    await dialog('Run this on the machine').waitFor()
  }
  await make()
  // The cross and the button at the foot.
  await button('Close', dialog('Run this on the machine')).first().click()
  await make()
  const box = dialog('Run this on the machine')
  const shown = (await box.locator('[data-command]').textContent()) ?? ''
  await button('Copy', box).click()
  await button('Copied', box).waitFor()
  expect(await copied()).toBe(shown)
  await button('Close', box).last().click()
  await box.waitFor({ state: 'detached' })
  return shown
}

/** The manifest of a cluster, which nobody applies here (test/kubernetes does). */
async function enrolCluster({ page, button, dialog }: World): Promise<void> {
  const make = async () => {
    await button('Add a machine').click()
    const box = dialog('Add a machine')
    await box.getByText('A Kubernetes cluster', { exact: true }).click()
    await box.getByText('A machine', { exact: true }).click()
    await box.getByText('A Kubernetes cluster', { exact: true }).click()
    await page.getByLabel('Name of the cluster').fill('Cloud')
    await box.getByRole('switch', { name: /pods of others/ }).click({ force: true })
    await box.getByRole('switch', { name: /namespace of its own/ }).click({ force: true })
    await button('Make the manifest', box).click()
    await dialog('Apply this to the cluster').waitFor()
  }
  await make()
  const box = dialog('Apply this to the cluster')
  await button('Close', box).first().click()
  await make()
  const shown = (await box.locator('[data-manifest]').textContent()) ?? ''
  expect(shown).toContain('kind: Deployment')
  expect(shown).toContain('kind: ClusterRole')
  expect(shown).toContain('kind: ValidatingAdmissionPolicy')
  expect(shown).toContain('per-organisation')
  await button('Copy', box).click()
  await button('Copied', box).waitFor()
  const kept = page.waitForEvent('download')
  await button('Download', box).click()
  expect((await kept).suggestedFilename()).toBe('kalnet-controller.yaml')
  await button('Close', box).last().click()
  await box.waitFor({ state: 'detached' })
}

export async function machines(world: World): Promise<void> {
  const { page, client, button, dialog, leave, notice, holds } = world
  const command = await enrol(world)
  await enrolCluster(world)
  const loft = await joinWith(world, command)
  try {
    const known = async () =>
      (await client.call(controllerRoutes.list)).items.find((it) => it.name === 'Loft')
    const card = page.getByRole('group', { name: 'Loft', exact: true })
    await card.getByText('Connected', { exact: true }).waitFor()
    await expect.poll(async () => (await known())?.state).toBe('online')
    const choose = async (action: string) => {
      await button('Actions for Loft', card).click()
      await page.getByRole('menuitem', { name: action }).click()
    }

    // The way out that only screen readers are told of.
    await button('Actions for Loft', card).click()
    await button('Dismiss').first().dispatchEvent('click')
    await page.getByRole('menu').waitFor({ state: 'detached' })
    await choose('Take nothing new')
    await card.getByText('Takes nothing new').waitFor()
    expect(await known()).toMatchObject({ cordoned: true })
    await notice('Loft takes nothing new.', 'Undo')
    await card.getByText('Takes nothing new').waitFor({ state: 'detached' })
    expect(await known()).toMatchObject({ cordoned: false })
    await choose('Take nothing new')
    await notice('Loft takes nothing new.')
    await choose('Take new sessions again')
    await notice('Loft takes new sessions again.')
    expect(await known()).toMatchObject({ cordoned: false })

    await leave('Labels of Loft', () => choose('Labels…'))
    await choose('Labels…')
    await page.getByRole('textbox', { name: 'Labels' }).fill('room=loft')
    await button('Save').click()
    await notice('The labels of Loft are saved.')
    await card.getByText('room=loft').waitFor()
    expect(await known()).toMatchObject({ labels: { room: 'loft' } })

    const { id } = await client.call(sessionRoutes.launch, {
      body: { templateId: 'terminal', name: 'Up there', labels: { room: 'loft' } },
    })
    const session = await client.until(id, ['running'])
    expect(session).toMatchObject({ controllerName: 'Loft' })
    // What the page knows of it is at most some seconds old; a fresh one knows now.
    await page.reload()
    await card.getByText('Runs 1 instance').waitFor()
    await leave('Empty Loft?', () => choose('Empty it…'))
    expect((await known())?.cordoned).toBe(false)
    await choose('Empty it…')
    await dialog('Empty Loft?').getByText('One session ends').waitFor()
    await button('Empty it', dialog('Empty Loft?')).click()
    await notice('Loft is being emptied: 1 session ends.')
    await card.getByText('Takes nothing new').waitFor()
    await client.until(id, ['stopped'])
    await holds('nothing runs there')(async () => (await screensOf(session.instanceId ?? '')).length === 0)
    await page.reload()
    await card.getByText('Runs nothing now').waitFor()
    await picture(page, 'controllers-two')

    await leave('Revoke Loft?', () => choose('Revoke'))
    expect(await known()).toBeDefined()
    await choose('Revoke')
    await button('Revoke', dialog('Revoke Loft?')).click()
    await notice('Loft is revoked.')
    await card.waitFor({ state: 'detached' })
    expect(await known()).toBeUndefined()
    // The real machine is told, and its key opens nothing any more.
    await holds('the machine is refused')(async () => /refused/.test(loft.said()))
    expect(await known()).toBeUndefined()
  } finally {
    await loft.end()
  }
}
