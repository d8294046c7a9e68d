/** Putting to sleep, waking and deleting: on Home, at the screen and on the session's page. */
import { sessionRoutes } from '@kalnet/contracts/session'
import { expect } from 'vitest'
import { pictures, type World } from './world.ts'

const ASKED = 'Put Nap to sleep?'

export async function naps(world: World): Promise<void> {
  const { page, client, button, dialog, link, go, at, live, use, running, leave, notice } = world
  const { id } = await client.call(sessionRoutes.launch, { body: { templateId: 'terminal', name: 'Nap' } })
  await running(id)
  const asleep = () => client.until(id, ['hibernated'])
  const agree = async () => {
    await button('Put to sleep', dialog(ASKED)).click()
    await notice('Nap is falling asleep. Its files are kept.')
    await asleep()
  }
  const awake = async (generation: number) => {
    await notice('Nap is waking up.')
    await live()
    expect(await running(id)).toMatchObject({ generation })
  }
  await go('/')
  const card = page.getByRole('article', { name: 'Nap' })
  await leave(ASKED, () => button('Put to sleep: Nap', card).click())
  await button('Put to sleep: Nap', card).click()
  await agree()
  await pictures(page, 'home-asleep')
  await button('Wake up: Nap', card).click()
  await at(`/s/${id}`)
  await awake(2)

  await leave(ASKED, () => use('Put to sleep'))
  await use('Put to sleep')
  await agree()
  await page.getByRole('heading', { name: 'Nap is sleeping' }).waitFor()
  await link('Home').click()
  await at('/')
  await page.goBack()
  await link('Details').click()
  await at(`/sessions/${id}`)
  await page.goBack()
  await button('Wake up').click()
  await awake(3)

  await go(`/sessions/${id}`)
  await leave(ASKED, () => button('Put to sleep').click())
  await button('Put to sleep').click()
  await agree()
  await button('Wake up').click()
  await at(`/s/${id}`)
  await awake(4)

  await client.call(sessionRoutes.hibernate, { params: { id } })
  await asleep()
  await go(`/sessions/${id}`)
  await button('Delete').click()
  await at('/')
  await notice('Nap and its files are deleted.', 'Undo')
  await button('Delete: Nap', card).click()
  await notice('Nap and its files are deleted.')
  await card.waitFor({ state: 'detached' })
  const status = async () => (await client.attempt(sessionRoutes.read, { params: { id } })).status
  await expect.poll(status).toBe(404)
}
