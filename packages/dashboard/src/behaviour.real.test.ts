/** The dashboard in a real browser against the stand-in: keyboard, live changes, the viewer's life. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LIVE } from '../dev/fixtures.ts'
import { noBrowser, openPage, openSite, type Site } from './testing.ts'

if (noBrowser) console.log(`skipped: behaviour of the dashboard: ${noBrowser}`)
const DESK = { viewport: { width: 1200, height: 800 } }
const WAIT = { timeout: 60_000 }
const CANVAS = '[data-live="true"] canvas'
const viewerOf = (site: Site) => `${site.url}/s/${LIVE[0]?.id}`

describe.skipIf(noBrowser)('behaviour', { timeout: 300_000 }, () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite()
  })
  afterAll(() => site?.close())

  test('[UI-2.claim] the claim link makes the owner and ends on Home; the token never leaves in an address', async () => {
    site.standIn.use('unclaimed')
    const { context, page, complaints } = await openPage(site.browser, DESK)
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(`${site.url}/claim#secret-token`)
    await page.getByLabel('Your name').fill('Ada')
    await page.getByLabel('Name of your household').fill('Home')
    await page.getByLabel('E-mail').fill('ada@example.org')
    await page.getByLabel('Password').fill('a long enough one')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: /, Ada$/ }).waitFor()
    expect(asked.filter((url) => url.includes('secret-token') && !url.includes('#'))).toEqual([])
    expect(page.url()).toBe(`${site.url}/`)
    expect(complaints).toEqual([])
    await context.close()
  })

  test('[UI-2.palette] Ctrl K, a few letters and Enter start a session; its stages lead to the first picture', async () => {
    site.standIn.use('usual')
    const { context, page, complaints } = await openPage(site.browser, DESK)
    const scripts: string[] = []
    page.on('request', (request) => scripts.push(request.url()))
    await page.goto(site.url)
    await page.getByRole('heading', { name: 'Recently ended' }).waitFor()
    expect(scripts.filter((url) => url.includes('/rfb-'))).toEqual([])
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder('Go anywhere').fill('start term')
    await page.keyboard.press('Enter')
    await page.getByText('Unpacking its files').waitFor()
    await page.locator(CANVAS).waitFor()
    expect(scripts.filter((url) => url.includes('/rfb-'))).toHaveLength(1)
    await expect.poll(() => site.standIn.state().sessions[0]?.stages.firstFrame, WAIT).toBeTruthy()
    expect(complaints).toEqual([])
    await context.close()
  })

  test('[NET-5.shown] a password of a service is shown when it is asked for, and gone when the page is left', async () => {
    site.standIn.use('usual')
    const { context, page, complaints } = await openPage(site.browser, DESK)
    await page.goto(`${site.url}/services`)
    await page.getByRole('link', { name: 'PostgreSQL', exact: true }).click()
    const tab = (name: string) =>
      page.getByRole('navigation', { name: 'About this service' }).getByText(name, { exact: true })
    await tab('Settings').click()
    await page.getByRole('button', { name: 'Show: Password' }).click()
    await page.getByText('jU7-a-long-and-random-one-p2Kx').waitFor()
    if (process.env.KALNET_PICTURES)
      await page.screenshot({ path: `${process.env.KALNET_PICTURES}/password.png` })
    await tab('Overview').click()
    await tab('Settings').click()
    await page.getByRole('button', { name: 'Show: Password' }).waitFor()
    expect(await page.getByText('jU7-').count()).toBe(0)
    expect(complaints).toEqual([])
    await context.close()
  })

  test('[UI-2.live] what happens elsewhere appears by itself', async () => {
    site.standIn.use('usual')
    const [one, two] = await Promise.all([openPage(site.browser, DESK), openPage(site.browser, DESK)])
    await Promise.all([one.page.goto(site.url), two.page.goto(site.url)])
    const card = () => two.page.getByRole('article', { name: 'Holiday research' })
    await card().waitFor()
    await one.page.getByRole('article', { name: 'Holiday research' }).hover()
    await one.page.getByRole('button', { name: 'Stop: Holiday research' }).click()
    await one.page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click()
    await card().waitFor({ state: 'detached' })
    await two.page.getByRole('link', { name: 'Holiday research' }).waitFor()
    await one.context.close()
    await two.context.close()
  })

  test('[UI-2.undo] taking a session off the list can be taken back', async () => {
    site.standIn.use('usual')
    const { context, page } = await openPage(site.browser, DESK)
    await page.goto(site.url)
    await page.getByRole('button', { name: 'Remove from the list: Tax papers 2026' }).click()
    await page.getByRole('link', { name: 'Tax papers 2026' }).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByRole('link', { name: 'Tax papers 2026' }).waitFor()
    await context.close()
  })

  test('[UI-2.later] what cannot be loaded says so in its place, and comes when it is tried again', async () => {
    site.standIn.use('usual')
    const { context, page } = await openPage(site.browser, DESK)
    await page.goto(site.url)
    const card = page.getByRole('article', { name: 'Holiday research' })
    await card.waitFor()
    await page.route(/confirm-stop-|launch-/, (route) => route.abort('connectionreset'))
    const missed = page.getByRole('alert').filter({ hasText: 'This could not be loaded.' })
    // A dialog: the page lives on, and pressing again is a new try.
    await card.hover()
    await page.getByRole('button', { name: 'Stop: Holiday research' }).click()
    await missed.waitFor()
    expect(await card.isVisible()).toBe(true)
    await page.getByRole('button', { name: 'Close' }).click()
    await missed.waitFor({ state: 'detached' })
    // A page: the frame stays.
    await page.getByRole('link', { name: 'Launch' }).first().click()
    await missed.waitFor()
    await page.getByRole('link', { name: 'Services', exact: true }).first().waitFor()
    if (process.env.KALNET_PICTURES)
      await page.screenshot({ path: `${process.env.KALNET_PICTURES}/later.png` })
    await page.unroute(/confirm-stop-|launch-/)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Launch', level: 1 }).waitFor()
    await page.getByRole('link', { name: 'Home', exact: true }).first().click()
    await card.hover()
    await page.getByRole('button', { name: 'Stop: Holiday research' }).click()
    await page.getByRole('dialog').waitFor()
    await context.close()
  })

  test('[STR-1.viewer-returns] a lost screen keeps its last picture, counts, and comes back by itself', async () => {
    site.standIn.use('usual')
    const { context, page, complaints } = await openPage(site.browser, DESK)
    await page.goto(viewerOf(site))
    await page.locator(CANVAS).waitFor()
    site.standIn.goAway()
    await page.getByText('Away for').waitFor()
    const last = page.locator('main canvas[aria-hidden]')
    expect(await last.evaluate((it: HTMLCanvasElement) => it.width)).toBeGreaterThan(100)
    site.standIn.comeBack()
    await page.locator(CANVAS).waitFor()
    await page.getByText('Away for').waitFor({ state: 'detached' })
    expect(complaints).toEqual([])
    await context.close()
  })

  test('[STR-6.keyboard-leaves] Ctrl Alt Shift leaves the screen for the bar, Escape goes back', async () => {
    site.standIn.use('usual')
    const { context, page } = await openPage(site.browser, DESK)
    await page.goto(viewerOf(site))
    await page.locator(CANVAS).waitFor()
    const bar = page.getByRole('toolbar', { name: 'Session bar' })
    expect(await bar.isVisible()).toBe(false)
    await page.locator(CANVAS).click()
    await page.keyboard.press('Control+Alt+Shift')
    await bar.waitFor()
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent), WAIT).toBe('Home')
    await page.keyboard.press('Escape')
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName), WAIT).toBe('CANVAS')
    await context.close()
  })

  test('[STR-1.fit] the session takes the size of the window', async () => {
    site.standIn.use('usual')
    const { context, page } = await openPage(site.browser, DESK)
    await page.goto(viewerOf(site))
    const size = () => page.locator(CANVAS).evaluate((it: HTMLCanvasElement) => [it.width, it.height])
    await expect.poll(size, WAIT).toEqual([1200, 800])
    await page.setViewportSize({ width: 1000, height: 640 })
    await expect.poll(size, WAIT).toEqual([1000, 640])
    await context.close()
  })

  test('[STR-1.clipboard] text goes to the session and comes back from it', async () => {
    site.standIn.use('usual')
    const { context, page } = await openPage(site.browser, DESK)
    await page.goto(viewerOf(site))
    await page.locator(CANVAS).waitFor()
    await page.getByRole('button', { name: 'Show the session bar' }).click()
    await page.getByRole('button', { name: 'Clipboard' }).click()
    const field = page.getByLabel('Text on the session')
    await field.fill('over there')
    await page.getByRole('button', { name: 'Put on the session' }).click()
    // The stand-in answers every text with an echo.
    await expect.poll(() => field.inputValue(), WAIT).toBe('echo: over there')
    await context.close()
  })

  test('[UI-2.keyboard] Tab reaches everything on Home in order, and shows where it is', async () => {
    site.standIn.use('usual')
    const { context, page } = await openPage(site.browser, DESK)
    await page.goto(site.url)
    await page.getByRole('heading', { name: 'Recently ended' }).waitFor()
    const names: string[] = []
    for (let press = 0; press < 18; press++) {
      await page.keyboard.press('Tab')
      const it = await page.evaluate(() => {
        const at = document.activeElement as HTMLElement
        const shown = [at, at.closest('article')].some(
          (el) => el && getComputedStyle(el).outlineStyle !== 'none',
        )
        return { name: at.ariaLabel ?? at.textContent ?? '', shown }
      })
      expect(it).toMatchObject({ shown: true })
      names.push(it.name)
    }
    expect(names.slice(0, 7)).toEqual([
      'Skip to the content',
      'Kalnet',
      'Home',
      'Launch',
      'Services',
      'Activity',
      'Settings',
    ])
    expect(names).toContain('Terminal')
    await context.close()
  })
})
