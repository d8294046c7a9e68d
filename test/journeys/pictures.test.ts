/** The README's pictures, of real sessions: `KALNET_PICTURES=docs/pictures ./kalnet test --slow test/journeys/pictures.test.ts`. */
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { invitationRoutes } from '@kalnet/contracts/invitation'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { openBrowser } from '../support/browser.ts'
import { createClient, OWNER } from '../support/client.ts'
import { lacking } from '../support/parts.ts'
import { CHECKOUT, startProduct, tokenOf } from '../support/product.ts'

const why =
  !process.env.KALNET_SLOW ||
  (await lacking(['root', 'chromium', 'bubblewrap', 'mmdebstrap'], 'an evening with several desktops'))

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('E-mail').fill(OWNER.email)
  await page.getByLabel('Password').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('navigation').first().waitFor({ timeout: 30_000 })
}

const FAMILY = [
  ['William King', 'admin'],
  ['Anne Lovelace', 'member'],
  ['Byron Lovelace', 'child'],
  ['Mary Somerville', 'guest'],
] as const

it.skipIf(why)(
  '[UI-2.home] four different desktops run side by side, each with its live picture (skipped: only with --slow)',
  { timeout: 1_800_000 },
  async () => {
    const pictures = resolve(CHECKOUT, process.env.KALNET_PICTURES ?? join('test', 'results', 'pictures'))
    await mkdir(pictures, { recursive: true })
    const product = await startProduct()
    const browser = await openBrowser()
    try {
      const client = createClient(product.url)
      await client.claim(tokenOf(product.claim))
      for (const template of ['inkscape', 'libreoffice', 'desktop', 'terminal']) {
        const { id } = await client.launch(template, 'process')
        await client.until(id, ['running'], 900_000)
      }
      const { page } = browser
      await page.goto(product.url)
      await signIn(page)
      await page.getByRole('article', { name: 'Terminal' }).getByRole('link').click()
      const screen = page.locator('[data-live="true"] canvas').first()
      await screen.waitFor({ timeout: 30_000 })
      await screen.click()
      await page.keyboard.type('ls -l --color / ; cat /etc/os-release')
      await page.keyboard.press('Enter')
      await sleep(9_000)
      await page.screenshot({ path: join(pictures, 'terminal.png') })
      await page.goto(product.url)
      await page.getByRole('article').nth(3).waitFor({ timeout: 30_000 })
      await page
        .locator('article img[src^="data:"], article img[src^="blob:"]')
        .nth(3)
        .waitFor({ timeout: 60_000 })
      expect(await page.getByRole('article').count()).toBe(4)
      await page.screenshot({ path: join(pictures, 'home.png') })
    } finally {
      await browser.close()
      await product.down()
    }
  },
)

const noBrowser =
  !process.env.KALNET_SLOW || (await lacking(['root', 'chromium', 'bubblewrap'], 'the page of a family'))
it.skipIf(noBrowser)(
  '[UI-2.home] a family on its page, with one who is still invited (skipped: only with --slow)',
  { timeout: 300_000 },
  async () => {
    const pictures = resolve(CHECKOUT, process.env.KALNET_PICTURES ?? join('test', 'results', 'pictures'))
    await mkdir(pictures, { recursive: true })
    const product = await startProduct()
    const browser = await openBrowser()
    try {
      const client = createClient(product.url)
      await client.claim(tokenOf(product.claim))
      for (const [name, role] of FAMILY) {
        const body = { email: `${name.split(' ')[0]?.toLowerCase()}@example.org`, role }
        const { link } = await client.call(invitationRoutes.invite, { body })
        const accept = { token: tokenOf(link.url), name, password: 'a quiet evening by the lake' }
        if (name !== 'Mary Somerville')
          await createClient(product.url).call(invitationRoutes.accept, { body: accept })
      }
      const { page } = browser
      await page.goto(product.url)
      await signIn(page)
      await page.goto(`${product.url}/settings/people`)
      await page.getByText('mary@example.org').waitFor({ timeout: 30_000 })
      await page.screenshot({ path: join(pictures, 'people.png') })
    } finally {
      await browser.close()
      await product.down()
    }
  },
)
