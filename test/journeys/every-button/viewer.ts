/** The session bar and what stands before and after the picture: away, stopped, failed. */
import { expect } from 'vitest'
import { screensOf } from '../../support/runtime.ts'
import type { World } from './world.ts'

export async function tools(world: World, id: string): Promise<void> {
  const { page, button, dialog, go, at, live, use, tool, read, running, leave, notice, client } = world
  const path = `/s/${id}`
  await go(path)
  await live()
  await use('Hide the bar')
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('CANVAS')
  await use('Home')
  await at('/')
  await page.goBack()
  await live()
  await use('Details')
  await at(`/sessions/${id}`)
  await page.goBack()
  await live()

  await use('Full screen')
  await tool('Leave full screen').waitFor()
  expect(await page.evaluate(() => document.fullscreenElement !== null)).toBe(true)
  await use('Leave full screen')
  await tool('Full screen').waitFor()
  expect(await page.evaluate(() => document.fullscreenElement)).toBeNull()

  await use('Figures')
  const figures = page.getByRole('complementary', { name: 'Figures' })
  await page.locator('[data-live="true"] canvas').first().click()
  await page.keyboard.type('echo')
  await expect.poll(() => figures.locator('dd').first().textContent()).toMatch(/\d.*ms/)
  // The stages are the API's.
  const { stages } = await read(id)
  expect(Object.values(stages).every(Boolean)).toBe(true)
  expect(await figures.textContent()).not.toContain('not yet')
  await use('Figures')
  await figures.waitFor({ state: 'detached' })

  const before = await read(id)
  await leave('Restart Workbench?', () => use('Restart'))
  expect((await read(id)).generation).toBe(before.generation)
  await use('Restart')
  await button('Restart', dialog('Restart Workbench?')).click()
  await notice('Workbench is starting again.')
  await expect.poll(async () => (await read(id)).generation).toBe(before.generation + 1)
  await running(id)
  await live()

  await leave('Stop Workbench?', () => use('Stop'))
  await use('Stop')
  await button('Stop', dialog('Stop Workbench?')).click()
  await at('/')
  // It goes by itself: on a busy machine it would be gone before the session is.
  await notice('Workbench has stopped.')
  await client.until(id, ['stopped'])
}

export async function afterTheEnd(world: World, id: string): Promise<void> {
  const { page, button, link, go, at, live, read, running, copied, notice } = world
  const path = `/s/${id}`
  await go(path)
  await link('Home').click()
  await at('/')
  await page.goBack()
  await link('Details').click()
  await at(`/sessions/${id}`)
  await page.goBack()
  const before = (await read(id)).generation
  await button('Start afresh').click()
  await notice('Workbench is starting again.')
  await live()
  const session = await running(id)
  expect(session.generation).toBe(before + 1)

  // Its screen is taken from it: that is a failure, and it says so.
  for (const pid of await screensOf(session.instanceId ?? '')) process.kill(pid, 'SIGKILL')
  await page.getByRole('heading', { name: 'Workbench did not make it' }).waitFor()
  const failed = await read(id)
  expect(failed.state).toBe('failed')
  await button('Copy details').click()
  await button('Copied').waitFor()
  expect(await copied()).toContain(`${id} #${before + 1}\n${failed.reason}`)
  await button('Try again').click()
  await notice('Workbench is starting again.')
  await live()
  expect(await running(id)).toMatchObject({ generation: before + 2 })
}

export async function reconnect({ page, product, button, go, live, read, holds }: World, id: string) {
  await go(`/s/${id}`)
  await live()
  const { server = 0 } = await product.pids()
  process.kill(server, 'SIGKILL')
  await page.getByText('The connection is gone').waitFor()
  await button('Try now').click()
  await live()
  await page.getByText('The connection is gone').waitFor({ state: 'detached' })
  await holds('the API is back')(async () => (await read(id).catch(() => null))?.state === 'running')
}
