/** Putting to sleep, waking and deleting: on Home, at the screen and on the session's page. */
import { sessionRoutes } from '@kalnet/contracts/session'
import { expect } from 'vitest'
import { changeRows } from '../../support/rows.ts'
import { pictures, type World } from './world.ts'

const ASKED = 'Put Nap to sleep?'

export async function naps(world: World): Promise<void> {
  const { page, client, button, dialog, link, go, at, live, use, running, leave, notice, read, holds } = world
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

  await unused(world, id)
  await go(`/sessions/${id}`)
  // How large its files are is said before they go.
  const TO_GO = 'Delete Nap and its files?'
  await holds('it is known how large they are')(async () => ((await read(id)).home?.bytes ?? 0) > 0)
  await leave(TO_GO, () => button('Delete').click())
  await button('Delete').click()
  await dialog(TO_GO).getByText('of files are kept on').waitFor()
  await button('Delete', dialog(TO_GO)).click()
  await at('/')
  await notice('Nap and its files are deleted.', 'Undo')
  await button('Delete: Nap', card).click()
  await button('Delete', dialog(TO_GO)).click()
  await notice('Nap and its files are deleted.')
  await card.waitFor({ state: 'detached' })
  const status = async () => (await client.attempt(sessionRoutes.read, { params: { id } })).status
  await expect.poll(status).toBe(404)
}

/** At its screen, as if nobody had touched it for as long as the shortest rule allows: kept open once, then left alone until it sleeps. */
async function unused(world: World, id: string): Promise<void> {
  const { page, product, button, read, client, holds } = world
  const asked = page.getByRole('heading', { name: 'Are you still there?' })
  const rule = JSON.stringify({ action: 'hibernate', afterMinutes: 5, watching: false })
  const since = (minutes: number) =>
    changeRows(
      product,
      `update sessions set idle = '${rule}', used_at = now() - interval '${minutes} minutes',
        warned_at = warned_at - interval '2 minutes' where id = '${id}'`,
    )
  // Our own last touch of the screen may be heard a moment later than it was made: then it is as if nobody had, once more.
  const isAsked = async () => {
    if ((await read(id)).idle === null) await since(3)
    return asked.waitFor({ timeout: 6_000 }).then(
      () => true,
      () => false,
    )
  }
  await holds('somebody is asked')(isAsked)
  expect((await read(id)).idle).toMatchObject({ action: 'hibernate' })
  const answer = page.waitForResponse((it) => it.url().endsWith(`/api/sessions/${id}/keep-awake`))
  await button('Keep it open').click()
  expect((await answer).status()).toBe(200)
  await asked.waitFor({ state: 'detached' })
  expect(await read(id)).toMatchObject({ state: 'running', idle: null })

  const sleeps = page.getByRole('heading', { name: 'Nap is sleeping' })
  await holds('nobody answers, and it sleeps')(async () => {
    await holds('somebody is asked again')(isAsked)
    await since(5)
    return sleeps.waitFor({ timeout: 12_000 }).then(
      () => true,
      () => false,
    )
  })
  expect(await client.until(id, ['hibernated'])).toMatchObject({
    reason: 'Nobody used it for 5 minutes.',
    idle: null,
  })
}
