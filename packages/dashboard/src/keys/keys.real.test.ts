/** Keys in a real browser against the stand-in: made and shown once, a new secret, revoked; a program switched off and removed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noBrowser, openPage, openSite, type Site } from '../testing.ts'

if (noBrowser) console.log(`skipped: keys in the dashboard: ${noBrowser}`)
const DESK = { viewport: { width: 1200, height: 800 } }

describe.skipIf(noBrowser)('keys', { timeout: 300_000 }, () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite()
  }, 240_000)
  afterAll(() => site?.close())

  const open = async () => {
    site.standIn.use('usual')
    const it = await openPage(site.browser, DESK)
    await it.page.goto(`${site.url}/settings/keys`)
    await it.page.getByText('Nightly backup').waitFor()
    const choose = async (of: string, action: string) => {
      await it.page.getByRole('button', { name: of }).click()
      await it.page.getByRole('menuitem', { name: action }).click()
    }
    return { ...it, choose }
  }

  test('[IDN-4.key-screens] a key is made in words, shown once, and then only its beginning', async () => {
    const { context, page, complaints } = await open()
    await page.getByRole('button', { name: 'Make a key' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Make a key' }).click()
    await dialog.getByLabel('What is it for?').fill('Garden lights')
    await dialog.getByText('Launch and use sessions').click()
    await dialog.getByText('30 days').click()
    await dialog.getByRole('button', { name: 'Make a key' }).click()
    const token = (await page.locator('[data-token]').textContent()) ?? ''
    expect(token).toMatch(/^kal_[0-9a-z]{12}_/)
    // Shown once: Escape does not lose it, only the person says that it was kept.
    await page.keyboard.press('Escape')
    await page.locator('[data-token]').waitFor()
    await page.getByRole('button', { name: 'I have copied it' }).click()
    await page.locator('[data-token]').waitFor({ state: 'detached' })
    await page.getByText('Garden lights').waitFor()
    expect(await page.content()).not.toContain(token)
    expect(complaints).toEqual([])
    await context.close()
  })

  test('[IDN-4.key-screens] a new secret, and the end of a key', async () => {
    const { context, page, choose, complaints } = await open()
    await choose('Actions for the key Nightly backup', 'New secret…')
    await page.getByText('a day', { exact: true }).click()
    await page.getByRole('button', { name: 'Make a new secret' }).click()
    await page.locator('[data-token]').waitFor()
    await page.getByRole('button', { name: 'I have copied it' }).click()
    await choose('Actions for the key Nightly backup', 'Revoke…')
    await page.getByRole('button', { name: 'Revoke', exact: true }).click()
    await page.getByText('Nightly backup is revoked.').waitFor()
    expect(await page.getByRole('button', { name: 'Actions for the key Nightly backup' }).count()).toBe(0)
    expect(complaints).toEqual([])
    await context.close()
  })

  test('[IDN-4.key-screens] a program is added, gets a key, is switched off and removed', async () => {
    const { context, page, choose, complaints } = await open()
    await page.getByRole('button', { name: 'Add a program' }).click()
    await page.getByLabel('What is it called?').fill('Monitor')
    await page.getByRole('button', { name: 'Add it' }).click()
    await page.getByText('It has no key yet').first().waitFor()
    await choose('Actions for Monitor', 'Make a key')
    await page.getByLabel('What is it for?').fill('Probe')
    await page.getByRole('dialog').getByRole('button', { name: 'Make a key' }).click()
    await page.getByRole('button', { name: 'I have copied it' }).click()
    await page.getByText('Probe').waitFor()
    await choose('Actions for Monitor', 'Switch off')
    await page.getByText('Monitor is switched off.').waitFor()
    await choose('Actions for Monitor', 'Remove…')
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    await page.getByText('Monitor is removed.').waitFor()
    expect(complaints).toEqual([])
    await context.close()
  })
})
