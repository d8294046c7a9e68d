/** Activity: narrowed in every way, one entry in full, taken away as a file, checked, kept for as long as wanted. */
import { readFile } from 'node:fs/promises'
import { auditRoutes } from '@kalnet/contracts/audit'
import { identityRoutes } from '@kalnet/contracts/identity'
import { expect } from 'vitest'
import { pictures } from '../every-button/world.ts'
import type { Household } from './household.ts'

export async function feed(house: Household): Promise<void> {
  const { page, client, dialog, button, go, pick, copied } = house
  await go('/activity')
  const entries = page.getByRole('list', { name: 'What happened, newest first' }).getByRole('button')
  await entries.first().waitFor()
  await pictures(page, 'activity')
  const main = page.getByRole('main')
  await house.choices(main)
  await pick(main, 'Refused')
  await expect
    .poll(async () => (await entries.allTextContents()).every((it) => !/ created /.test(it)))
    .toBe(true)
  await pick(main, 'All')
  await pick(main, 'Any time')
  await pick(main, 'Everybody')
  await page.getByPlaceholder('Search the record').fill('nothing is called so')
  await button('Show everything').click()
  await entries.first().waitFor()

  await entries.first().click()
  const box = dialog('One entry')
  await box.getByText('As stored').click()
  await button('Copy', box).click()
  await button('Copied', box).waitFor()
  const stored = JSON.parse(await copied()) as { id: string }
  const { items } = await client.call(auditRoutes.list, { query: { limit: '200' } })
  expect(items.map(({ id }) => id)).toContain(stored.id)
  await button('Close', box).click()
  await box.waitFor({ state: 'detached' })

  await page.getByPlaceholder('Search the record').fill('Kids')
  const onlyKids = () =>
    expect
      .poll(async () => {
        const texts = await entries.allTextContents()
        return texts.length > 0 && texts.every((it) => /Kids/.test(it))
      })
      .toBe(true)
  await onlyKids()
  await entries.first().click()
  await button('Only about this', box).click()
  const about = page.getByRole('button', { name: /^Stop filtering: About/ })
  await about.waitFor()
  await entries.first().click()
  await button('Only what they did', box).click()
  const by = page.getByRole('button', { name: /^Stop filtering: By/ })
  await by.waitFor()
  await by.click()
  await by.waitFor({ state: 'detached' })
  await page.getByPlaceholder('Search the record').fill('Kids')
  await onlyKids()
  await entries.first().click()
  await button('Only about this', box).click()
  await about.click()
  await about.waitFor({ state: 'detached' })

  await entries.first().waitFor()
  const before = await entries.count()
  await button('Show older').click()
  await expect.poll(() => entries.count()).toBeGreaterThan(before)
  await client.call(identityRoutes.changeMe, { body: { name: 'Ada King' } })
  await button('Show what is new').click()
  await expect.poll(() => entries.count()).toBeLessThanOrEqual(before)
  // On a phone, what narrows it is behind one button.
  await page.setViewportSize({ width: 390, height: 844 })
  await button('Filter').click()
  await page.getByRole('radio', { name: 'Refused' }).waitFor()
  await page.setViewportSize({ width: 1440, height: 900 })
}

export async function record(house: Household): Promise<void> {
  const { page, client, dialog, button, go, leave, notice } = house
  await go('/activity')
  await button('Check now').click()
  await notice('are as they were written.')
  expect((await client.call(auditRoutes.chain)).last?.break ?? null).toBeNull()
  for (const [name, ending] of [
    [/^Table/, 'csv'],
    [/^Complete/, /jsonl?|ndjson/],
    [/^Security log/, 'cef'],
  ] as const) {
    await button('Export').click()
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name }).click(),
    ])
    expect(file.suggestedFilename()).toMatch(ending)
    expect((await readFile(await file.path(), 'utf8')).split('\n').length).toBeGreaterThan(10)
  }
  await leave('How long to keep it', () => button('Change').click())
  await button('Change').click()
  await dialog('How long to keep it').getByLabel('Days').fill('500')
  await button('Save', dialog('How long to keep it')).click()
  await notice('The record is now kept for 500 days.')
  expect((await client.call(auditRoutes.chain)).retentionDays).toBe(500)
}
