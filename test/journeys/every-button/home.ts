/** Home: the cards of what runs, quick starts, what ended, and taking it off the list. */
import { type Session, sessionRoutes } from '@kalnet/contracts/session'
import { expect } from 'vitest'
import type { World } from './world.ts'

export async function cards(world: World): Promise<void> {
  const { page, client, button, dialog, link, go, live, here, read, leave, notice } = world
  await go('/')
  const card = page.getByRole('article', { name: 'Workbench' })
  await button('Details of Workbench', card).click()
  await page.waitForURL(/\/sessions\//)
  const id = here()
  expect((await read(id)).name).toBe('Workbench')
  await go('/')
  await link('Workbench', card).click()
  await live()
  await go('/')
  await leave('Stop Workbench?', () => button('Stop: Workbench', card).click())
  // The way out that only screen readers are told of.
  await button('Stop: Workbench', card).click()
  await dialog('Stop Workbench?').waitFor()
  await button('Dismiss').first().dispatchEvent('click')
  await dialog('Stop Workbench?').waitFor({ state: 'detached' })
  expect((await read(id)).state).toBe('running')

  const other = page.getByRole('article', { name: 'Terminal' })
  await button('Stop: Terminal', other).click()
  await button('Stop', dialog('Stop Terminal?')).click()
  await notice('Terminal has stopped.')
  await other.waitFor({ state: 'detached' })
  await link('Terminal').waitFor()
  const { items } = await client.call(sessionRoutes.list, { query: { state: 'ended' } })
  expect(items.find((it) => it.name === 'Terminal')).toMatchObject({ state: 'stopped' })
}

export async function quickStart({ client, button, go, live, here, read }: World): Promise<void> {
  await go('/')
  await button('Start Terminal').click()
  await live()
  const id = here()
  expect(await read(id)).toMatchObject({ templateId: 'terminal', state: 'running' })
  await client.call(sessionRoutes.stop, { params: { id } })
  await client.until(id, ['stopped'])
}

/** More than Home shows at once. None of them runs: they are stopped while their controller stands still. */
async function endMany({ product, client }: World): Promise<Session[]> {
  const { controller = 0 } = await product.pids()
  const names = Array.from({ length: 9 }, (_none, at) => `Evening ${at + 1}`)
  const many: Session[] = []
  process.kill(controller, 'SIGSTOP')
  try {
    for (const name of names) {
      const { id } = await client.call(sessionRoutes.launch, { body: { templateId: 'terminal', name } })
      many.push(await client.call(sessionRoutes.stop, { params: { id } }))
    }
  } finally {
    process.kill(controller, 'SIGCONT')
  }
  for (const { id } of many) await client.until(id, ['stopped'])
  return many
}

export async function ended(world: World): Promise<void> {
  const { page, client, button, link, go, live, notice, running } = world
  const many = await endMany(world)
  const idOf = (name: string) => many.find((it) => it.name === name)?.id ?? ''
  await go('/')
  await link('Evening 9').waitFor()
  expect(await link('Evening 1').count()).toBe(0)
  await button('Show older').click()
  await link('Evening 1').waitFor()

  await button('Remove from the list: Evening 8').click()
  await link('Evening 8').waitFor({ state: 'detached' })
  await notice('Evening 8 is off the list.', 'Undo')
  await link('Evening 8').waitFor()

  await button('Remove from the list: Evening 7').click()
  await notice('Evening 7 is off the list.')
  await link('Evening 7').waitFor({ state: 'detached' })
  await link('Evening 6').click()
  await page.getByRole('heading', { name: 'Evening 6' }).waitFor()
  await page.goBack()
  await button('Start again: Evening 6').click()
  // Inside the page, so that the time for taking it back goes on.
  await live()
  expect(await running(idOf('Evening 6'))).toMatchObject({ generation: 2 })
  await client.call(sessionRoutes.stop, { params: { id: idOf('Evening 6') } })
  await client.until(idOf('Evening 6'), ['stopped'])
  const statusOf = async (name: string) =>
    (await client.attempt(sessionRoutes.read, { params: { id: idOf(name) } })).status
  await expect.poll(() => statusOf('Evening 7')).toBe(404)
  // Taken back before that: never asked of the server.
  expect(await statusOf('Evening 8')).toBe(200)
}
