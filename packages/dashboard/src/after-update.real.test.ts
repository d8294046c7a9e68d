/** A page that stayed open while Kalnet was updated, in a real browser: loaded afresh once, and never round and round. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noBrowser, openPage, openSite, type Site } from './testing.ts'

if (noBrowser) console.log(`skipped: pages that stay open during an update: ${noBrowser}`)
const DESK = { viewport: { width: 1200, height: 800 } }
const CHUNK = /\/assets\/launch-[^/]*\.js/

/** Goes to a page whose files are not there; how often the whole page was loaded until `seen`. */
async function goThere(page: Page, seen: (page: Page) => Promise<void>): Promise<number> {
  let loads = 0
  page.on('request', (request) => {
    if (request.isNavigationRequest()) loads += 1
  })
  await page.getByRole('link', { name: 'Launch' }).first().click()
  await seen(page)
  // Another turn would come by now.
  await page.waitForTimeout(1_500)
  return loads
}
const gone = (page: Page) =>
  page.route(CHUNK, (route) => route.fulfill({ status: 404, contentType: 'text/plain', body: 'gone' }))
/** What a newer release serves to those who look; navigations still get the built page. */
const served = (page: Page) =>
  page.route('/', (route) =>
    route.request().isNavigationRequest()
      ? route.fallback()
      : route.fulfill({
          contentType: 'text/html',
          body: '<script type="module" src="/assets/newer.js"></script>',
        }),
  )
const opened = async (site: Site) => {
  site.standIn.use('usual')
  const { context, page } = await openPage(site.browser, { ...DESK, baseURL: site.url })
  await page.goto(site.url)
  await page.getByRole('heading', { name: 'Recently ended' }).waitFor()
  return { context, page }
}
const launchIsThere = (page: Page) => page.getByRole('heading', { name: 'Launch', level: 1 }).waitFor()
const saysSo = (page: Page) => page.getByRole('alert').first().waitFor()

describe.skipIf(noBrowser)(
  '[UI-2.after-update] a page that was open during an update',
  { timeout: 300_000 },
  () => {
    let site: Site
    beforeAll(async () => {
      site = await openSite()
    })
    afterAll(() => site?.close())

    test('is loaded afresh once, and shows what was asked for', async () => {
      const { context, page } = await opened(site)
      await gone(page)
      await served(page)
      // The page that is loaded afresh finds its files.
      page.on('request', (request) => {
        if (request.isNavigationRequest()) void page.unroute(CHUNK)
      })
      expect(await goThere(page, launchIsThere)).toBe(1)
      await context.close()
    })
    test('stays where it is when its own release is still served, and says that the page cannot be shown', async () => {
      const { context, page } = await opened(site)
      await gone(page)
      expect(await goThere(page, saysSo)).toBe(0)
      await context.close()
    })
    test('does not go round when the files never come', async () => {
      const { context, page } = await opened(site)
      await gone(page)
      await served(page)
      expect(await goThere(page, saysSo)).toBe(1)
      await context.close()
    })
  },
)
