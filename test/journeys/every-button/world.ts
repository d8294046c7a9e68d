/** What the steps of this journey share: the running product, a browser that keeps count, and the API beside it. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '@kalnet/contracts/session'
import { sessionRoutes } from '@kalnet/contracts/session'
import type { Locator, Page } from 'playwright-core'
import { openBrowser, WAIT_MS } from '../../support/browser.ts'
import { createClient } from '../../support/client.ts'
import { collectComplaints } from '../../support/complaints.ts'
import { createControls } from '../../support/controls.ts'
import { eventually } from '../../support/eventually.ts'
import { type ProductOptions, startProduct } from '../../support/product.ts'

export async function makeWorld(options: ProductOptions = {}) {
  const product = await startProduct(options)
  const browser = await openBrowser()
  const complaints = collectComplaints(browser.context)
  const controls = createControls()
  await controls.follow(browser.context)
  const { page } = browser
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const client = createClient(product.url)
  const button = (name: string, within: Page | Locator = page) =>
    within.getByRole('button', { name, exact: true })
  const dialog = (title: string) => page.getByRole('dialog', { name: title })
  const tool = (name: string) => button(name, page.getByRole('toolbar', { name: 'Session bar' }))
  const go = (path: string) => page.goto(product.url + path)
  return {
    product,
    browser,
    page,
    client,
    complaints,
    controls,
    button,
    dialog,
    go,
    link: (name: string, within: Page | Locator = page) => within.getByRole('link', { name, exact: true }),
    /** Waits for a notice and closes it, so that it covers nothing. */
    async notice(text: string, action = 'Close') {
      const it = page.getByRole('alertdialog').filter({ hasText: text })
      await it
        .last()
        .waitFor()
        .catch(async (problem) => {
          throw new Error(`${problem} ${await page.getByRole('alert').allTextContents()}`)
        })
      // It goes by itself after a while: who came too late to close it has still seen it.
      const closed = async () => action === 'Close' && (await it.count()) === 0
      const end = Date.now() + WAIT_MS
      for (let done = false; !done; )
        try {
          await button(action, it.last()).click({ timeout: 2_000 })
          done = true
        } catch (problem) {
          done = await closed()
          if (!done && Date.now() > end) throw problem
        }
      await it.first().waitFor({ state: 'detached' })
    },
    /** Opens a dialog twice to leave it by its cross and by "Cancel"; nothing may have come of it. */
    async leave(title: string, open: () => Promise<void>) {
      for (const way of ['Close', 'Cancel']) {
        await open()
        await button(way, dialog(title)).click()
        await dialog(title).waitFor({ state: 'detached' })
      }
    },
    copied: () => page.evaluate(() => navigator.clipboard.readText()),
    at: (path: string) => page.waitForURL(product.url + path),
    /** The id of the session whose page or screen is open. */
    here: () => new URL(page.url()).pathname.split('/').at(-1) ?? '',
    read: (id: string): Promise<Session> => client.call(sessionRoutes.read, { params: { id } }),
    running: (id: string) => client.until(id, ['running']),
    async live(shown: Page = page) {
      await shown.locator('[data-live="true"] canvas').first().waitFor()
    },
    tool,
    /** Presses a tool of the session bar, which hides by itself when the pointer is elsewhere. */
    async use(name: string) {
      const end = Date.now() + WAIT_MS
      const began = page.url()
      // Long enough that no press is given up that has been made: on a busy machine its page answers late.
      for (let patience = 5_000; ; patience *= 1.5) {
        try {
          if (await button('Show the session bar').isVisible())
            await button('Show the session bar').click({ timeout: patience })
          return await tool(name).click({ timeout: patience })
        } catch (problem) {
          // It was pressed all the same: the page it leads to is there.
          if (page.url() !== began && (await tool(name).count()) === 0) return
          if (Date.now() > end) throw problem
        }
      }
    },
    /** A link to its volume. */
    homeOf: ({ instanceId }: Session) =>
      join(product.home, 'data/instances', instanceId ?? '', 'shown/volume-0'),
    holds: (what: string, limitMs?: number) => (holds: () => Promise<boolean>) =>
      eventually(what, holds, limitMs),
    async close() {
      await browser.close()
      await product.down()
    },
  }
}
export type World = Awaited<ReturnType<typeof makeWorld>>

export const textOf = (file: string) => readFile(file, 'utf8').catch(() => '')

/** KALNET_PICTURES: a folder where a person can look at what the journey saw. */
export async function picture(page: Page, word: string): Promise<void> {
  const folder = process.env.KALNET_PICTURES
  if (!folder) return
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${word}.png`) })
}
/** The same in both sizes, the desk's and a phone's, and whole; the page stays as it was. */
export async function pictures(page: Page, word: string): Promise<void> {
  const before = page.viewportSize()
  if (!process.env.KALNET_PICTURES || !before) return
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: 900 })
    await page.waitForLoadState('networkidle')
    await picture(page, `${word}-${width}`)
  }
  await page.setViewportSize(before)
}
