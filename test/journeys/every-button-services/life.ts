/** Stopped, started, started afresh, changed, updated, set back: each seen on its page and over the API. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { serviceRoutes } from '@kalnet/contracts/service'
import { expect } from 'vitest'
import { type House, NAME, TITLE } from './house.ts'

export async function stopAndStart(house: House): Promise<void> {
  const { page, button, go, notice, service, becomes } = house
  const { id } = await service()
  await go(`/services/${id}`)
  await button('Stop').click()
  await becomes('stopped')
  await page.getByText('Stopped', { exact: true }).first().waitFor()
  await notice(`${TITLE} is stopping`, 'Start again')
  await becomes('running')
  const before = (await service()).instances[0]?.generation ?? 0
  await button('Restart').click()
  await notice(`${TITLE} is starting afresh`)
  await house.holds('a generation of its own')(async () => {
    const { state, instances } = await service()
    return state === 'running' && (instances[0]?.generation ?? 0) > before
  })
  await button('Stop').click()
  await notice(`${TITLE} is stopping`)
  await becomes('stopped')
  await button('Start').click()
  await notice(`${TITLE} is starting`)
  await becomes('running')
  await page.getByText('It answered', { exact: false }).first().waitFor()
}

export async function change(house: House): Promise<void> {
  const { page, button, notice, service, openPart } = house
  await openPart('Settings')
  await page.getByLabel('How many run side by side').fill('many')
  await button('Save').click()
  await page.getByText('A whole number from 1 to 20.').waitFor()
  await page.getByLabel('How many run side by side').fill('2')
  await page.getByLabel('Tags').fill('family, start page')
  await button('Save').click()
  await notice('Saved.')
  expect((await service()).metadata.tags).toEqual(['family', 'start', 'page'])
  await house.holds(
    'two of them run',
    60_000,
  )(async () => (await service()).instances.filter(({ state }) => state === 'running').length === 2)
}

export async function updateAndBack(house: House): Promise<void> {
  const { page, client, button, dialog, go, leave, notice, service, openPart, becomes } = house
  const { id } = await service()
  const releases = async () => (await client.call(serviceRoutes.releases, { params: { id } })).items
  await house.age()
  await go(`/services/${id}`)
  await page.getByText('is ready').waitFor()
  await button('Update').click()
  await notice(`${TITLE} is being updated`)
  await house.holds(
    'release 2 is in use',
    90_000,
  )(async () => (await releases())[0]?.state === 'live' && (await service()).state === 'running')
  await house.keepNothing()
  const { ends, fetching } = await download(house)
  await openPart('Releases')
  await page.getByText('Replaced').first().waitFor()
  const title = 'Go back to release 1?'
  await leave(title, () => button('Go back to release 1').click())
  await button('Go back to release 1').click()
  await button('Go back', dialog(title)).click()
  await notice('Going back to release 1')
  await house.holds(
    'as release 1 was',
    90_000,
  )(async () => {
    const [newest] = await releases()
    return newest?.number === 3 && newest.state === 'live'
  })
  // Somebody still fetches something from release 2: that goes on until a person ends it.
  await openPart('Overview')
  await page.getByText('Finishing', { exact: true }).first().waitFor()
  const last = async () => (await service()).instances.filter((it) => it.release === 2)
  expect((await last()).map((it) => it.state)).toContain('finishing')
  await button('End it now').click()
  await notice(`What was still open at ${TITLE} has been ended.`)
  await house.holds('only the new release runs')(async () => (await last()).length === 0)
  expect(await ends()).toBe('cut')
  await button('End it now').waitFor({ state: 'detached' })
  await fetching.close()
  await becomes('running')
  await openPart('Releases')
  await button('Go back to release 2').click()
  await button('Cancel', dialog('Go back to release 2?')).click()
  await openPart('Overview')
}

/** In a tab of its own: begins to fetch a large file and takes no more of it, so that it stays open. */
async function download({ product, service, browser, address }: House) {
  const { instances } = await service()
  for (const { id } of instances) {
    const file = await open(join(product.home, 'data/instances', id, 'shown/volume-0/large.bin'), 'w', 0o644)
    await file.truncate(512 * 2 ** 20)
    await file.close()
  }
  const fetching = await browser.context.newPage()
  await fetching.goto(address)
  const reader = await fetching.evaluateHandle(async () => {
    const reading = (await fetch('/large.bin')).body?.getReader()
    await reading?.read()
    return reading
  })
  return {
    fetching,
    /** Takes the rest of it. */
    async ends(): Promise<'whole' | 'cut'> {
      return reader.evaluate(async (reading) => {
        try {
          while (!(await reading?.read())?.done);
          return 'whole'
        } catch (problem) {
          return problem instanceof TypeError ? 'cut' : Promise.reject(problem)
        }
      })
    },
  }
}

export async function logs({ page, button, openPart, copied }: House): Promise<void> {
  await openPart('Logs')
  await page.getByRole('log').waitFor()
  await page.getByLabel('Of which').selectOption({ index: 1 })
  await page.getByRole('log').waitFor()
  await button('Copy').click()
  expect(await copied()).toBeDefined()
  const [file] = await Promise.all([page.waitForEvent('download'), button('Download').click()])
  expect(file.suggestedFilename()).toBe(`${NAME}.log`)
  await page.getByPlaceholder('Search these lines').fill('no such words')
  await page.getByText('No line has these words.').waitFor()
}

/** Kept data first, because what is kept is there again under the same name; then all of it. */
export async function remove(house: House): Promise<void> {
  const { page, client, button, dialog, at, leave, notice, list, openPart, go, service, routes } = house
  const title = `Remove ${TITLE}?`
  await go(`/services/${(await service()).id}`)
  await openPart('Settings')
  await leave(title, () => button('Remove…').click())
  await button('Remove…').click()
  await house.everything(dialog(title))
  await dialog(title)
    .getByRole('radio', { name: /^Keep it/ })
    .click({ force: true })
  await button('Remove, keep its data', dialog(title)).click()
  await at('/services')
  await notice(`${TITLE} is removed`)

  await client.call(serviceRoutes.install, { body: { templateId: 'site', name: NAME, title: TITLE } })
  await page.getByRole('main').getByRole('link', { name: TITLE, exact: true }).click()
  await openPart('Settings')
  await button('Remove…').click()
  await dialog(title)
    .getByRole('radio', { name: /^Remove it/ })
    .click({ force: true })
  const remove = button('Remove with all its data', dialog(title))
  expect(await remove.isDisabled()).toBe(true)
  await dialog(title).getByLabel(`Type ${NAME} to confirm`).fill(NAME)
  await remove.click()
  await at('/services')
  await notice(`${TITLE} is removed`)
  await page.getByRole('heading', { name: 'Nothing runs here yet' }).waitFor()
  expect((await list()).filter(({ kind }) => kind === 'managed')).toEqual([])
  expect((await routes()).filter(({ serviceName }) => serviceName === NAME)).toEqual([])
}
