/** The machines in a real browser against the stand-in: closed and opened again, emptied, labelled. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CONTROLLERS } from '../../dev/fixtures.ts'
import { noBrowser, openPage, openSite, type Site } from '../testing.ts'

if (noBrowser) console.log(`skipped: machines in the dashboard: ${noBrowser}`)
const DESK = { viewport: { width: 1200, height: 800 } }
const WAIT = { timeout: 60_000 }

describe.skipIf(noBrowser)('machines', { timeout: 300_000 }, () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite()
  })
  afterAll(() => site?.close())

  const open = async () => {
    site.standIn.use('usual')
    const it = await openPage(site.browser, DESK)
    await it.page.goto(`${site.url}/settings/controllers`)
    const card = (name: string) => it.page.getByRole('group', { name, exact: true })
    await card('Living room').waitFor()
    const choose = async (name: string, action: string) => {
      await card(name)
        .getByRole('button', { name: `Actions for ${name}` })
        .click()
      await it.page.getByRole('menuitem', { name: action }).click()
    }
    const known = (name: string) => site.standIn.state().controllers.find((one) => one.name === name)
    return { ...it, card, choose, known }
  }

  test('[CTL-4.cordon] a machine takes nothing new, says so, and it can be taken back', async () => {
    const { context, page, card, choose, known, complaints } = await open()
    await choose('Living room', 'Take nothing new')
    await card('Living room').getByText('Takes nothing new').waitFor()
    expect(known('Living room')?.cordoned).toBe(true)
    await page.getByRole('button', { name: 'Undo' }).click()
    await card('Living room').getByText('Takes nothing new').waitFor({ state: 'detached' })
    expect(known('Living room')?.cordoned).toBe(false)
    await choose('Attic box', 'Take new sessions again')
    await card('Attic box').getByText('Takes nothing new').waitFor({ state: 'detached' })
    expect(complaints).toEqual([])
    await context.close()
  })

  test("[CTL-4.cordon] the installation's machine has no actions, but says where it is managed", async () => {
    const { context, card } = await open()
    expect(CONTROLLERS.filter((it) => it.installation).map((it) => it.name)).toEqual(['This machine'])
    await card('This machine').getByText('./kalnet controllers').waitFor()
    expect(await card('This machine').getByRole('button').count()).toBe(0)
    await context.close()
  })

  test('[CTL-4.drain] a machine is emptied after saying how many sessions end', async () => {
    const { context, page, card, choose, known, complaints } = await open()
    site.standIn.state().controllers = CONTROLLERS.map((it) => ({ ...it, cordoned: false }))
    await page.reload()
    await card('Attic box').waitFor()
    await choose('Attic box', 'Empty it…')
    const dialog = page.getByRole('dialog', { name: 'Empty Attic box?' })
    await dialog.getByText('One session ends').waitFor()
    await dialog.getByRole('button', { name: 'Empty it' }).click()
    await page.getByText('Attic box is being emptied: 1 session ends.').waitFor()
    await card('Attic box').getByText('Takes nothing new').waitFor()
    expect(known('Attic box')?.cordoned).toBe(true)
    expect(complaints).toEqual([])
    await context.close()
  })

  test('[CTL-4.labels] labels are shown and changed; a wrong one is said before it is sent', async () => {
    const { context, page, card, choose, known, complaints } = await open()
    await card('Attic box').getByText('room=attic').waitFor()
    await choose('Attic box', 'Labels…')
    const field = page.getByRole('textbox', { name: 'Labels' })
    await expect.poll(() => field.inputValue(), WAIT).toBe('room=attic\ngpu=none')
    await field.fill('room=the loft')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('“the loft”').waitFor()
    expect(known('Attic box')?.labels).toEqual({ room: 'attic', gpu: 'none' })
    await field.fill('room=loft')
    await page.getByRole('button', { name: 'Save' }).click()
    await card('Attic box').getByText('room=loft').waitFor()
    expect(known('Attic box')?.labels).toEqual({ room: 'loft' })
    expect(complaints).toEqual([])
    await context.close()
  })
})
