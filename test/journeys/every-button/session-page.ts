/** The page of one session, and the pages of addresses with nothing behind them. */
import { randomUUID } from 'node:crypto'
import { sessionRoutes } from '@kalnet/contracts/session'
import { useRoutes } from '@kalnet/contracts/use'
import { expect } from 'vitest'
import type { World } from './world.ts'

export async function sessionPage(world: World): Promise<void> {
  const { page, client, button, dialog, link, go, at, live, read, running, leave, notice, copied } = world
  const { items } = await client.call(sessionRoutes.list, { query: { state: 'live' } })
  const first = items.find((it) => it.name === 'Workbench')
  const id = first?.id ?? ''
  const path = `/sessions/${id}`
  await go(path)
  await link('Open screen').click()
  await live()
  await go(path)
  // What it uses now is measured where it runs, and shown.
  await page.getByRole('meter', { name: 'Memory' }).waitFor()
  const { now } = await client.call(useRoutes.session, { params: { id } })
  expect(now.known && now.memoryBytes).toBeGreaterThan(1_000_000)
  await button('Copy').click()
  await button('Copied').waitFor()
  const { lines } = await client.call(sessionRoutes.logs, { params: { id } })
  // It may have printed more since.
  expect(lines.join('\n')).toContain(await copied())

  await leave('Restart Workbench?', () => button('Restart').click())
  expect((await read(id)).generation).toBe(first?.generation)
  await button('Restart').click()
  await button('Restart', dialog('Restart Workbench?')).click()
  await notice('Workbench is starting again.')
  await expect.poll(async () => (await read(id)).generation).toBe((first?.generation ?? 0) + 1)
  await running(id)
  await page.getByText(/^(once|\d+ times)$/).waitFor()

  await leave('Stop Workbench?', () => button('Stop').click())
  expect((await read(id)).state).toBe('running')
  await button('Stop').click()
  await button('Stop', dialog('Stop Workbench?')).click()
  await notice('Workbench has stopped.')
  await client.until(id, ['stopped'])

  await button('Remove from the list').click()
  await at('/')
  await notice('Workbench is off the list.', 'Undo')
  await go(path)
  await button('Start afresh').click()
  await at(`/s/${id}`)
  await live()
  expect(await running(id)).toMatchObject({ generation: (first?.generation ?? 0) + 2 })
}

/** Each way out, and asking again really asks. */
export async function nothingThere({ page, button, link, go, at, copied }: World): Promise<void> {
  const gone = randomUUID()
  for (const path of [`/sessions/${gone}`, `/s/${gone}`]) {
    await go(path)
    await button('Copy details').click()
    await button('Copied').waitFor()
    expect(await copied()).toMatch(/^thing\.unknown: .+\nrequest: .+/)
    const asked = page.waitForResponse((answer) => answer.url().endsWith(`/api/sessions/${gone}`))
    await button('Try again').click()
    expect((await asked).status()).toBe(404)
  }
  await link('Go to Home').click()
  await at('/')
  await go('/nothing-here')
  await link('Go to Home').click()
  await at('/')
}
