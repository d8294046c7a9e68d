/** What the dashboard's real tests share: a build in a temporary folder, the stand-in's site, a browser. */
import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core'
import { build } from 'vite'
import { CHROMIUM, chromiumStart, WAIT_MS } from '../../../test/support/browser.ts'
import { serveSite } from '../dev/site.ts'
import { createStandIn } from '../dev/stand-in.ts'

/** Why the browser tests cannot run here; null when they can, or when they must. */
export const noBrowser = CHROMIUM || process.env.KALNET_PEERS === 'all' ? null : 'no Chromium on this machine'

type Mode = 'production' | 'gallery'
export interface Built {
  folder: string
  /** Whoever built it for himself alone takes it away. */
  remove(): Promise<void>
}

/** To be read only. Built once for all files of a run (testing.setup.ts). */
export async function buildInto(mode: Mode): Promise<Built> {
  const shared = process.env.KALNET_TEST_DASHBOARDS
  if (!shared) {
    const folder = await mkdtemp(join(tmpdir(), 'kalnet-dashboard-'))
    await buildAt(folder, mode)
    return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
  }
  const folder = join(shared, mode)
  if (!existsSync(folder)) {
    // Whole or not there: a build that was broken off is none.
    const half = await mkdtemp(join(shared, 'half-'))
    await buildAt(half, mode)
    await rename(half, folder)
  }
  return { folder, remove: async () => undefined }
}

async function buildAt(folder: string, mode: Mode): Promise<void> {
  const root = join(import.meta.dirname, '..')
  // A test runner says NODE_ENV=test, for which React would build its slow and large half.
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  try {
    await build({ root, mode, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } })
  } finally {
    process.env.NODE_ENV = before
  }
}

/** `shared`: a build of somebody else's, who removes it. */
export async function openSite(shared?: { folder: string }) {
  const built = shared ? { folder: shared.folder, remove: async () => undefined } : await buildInto('gallery')
  const standIn = createStandIn()
  const site = await serveSite(built.folder, standIn)
  const browser = await chromium.launch(await chromiumStart())
  return {
    standIn,
    url: site.url,
    browser,
    async close() {
      await browser.close()
      await site.close()
      await built.remove()
    },
  }
}
export type Site = Awaited<ReturnType<typeof openSite>>

/** A page that keeps what it complained about: console errors, thrown errors, refusals of the content security policy. */
export async function openPage(browser: Browser, options: BrowserContextOptions) {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
  return { context, ...(await openPageIn(context)) }
}
export async function openPageIn(context: BrowserContext) {
  const page = await context.newPage()
  page.setDefaultTimeout(WAIT_MS)
  const complaints: string[] = []
  // The API may go away on purpose; our own files may not. What leaving a page cuts off is no failure.
  page.on('requestfailed', (request) => {
    const cut = request.failure()?.errorText === 'net::ERR_ABORTED'
    if (!cut && !request.url().includes('/api/'))
      complaints.push(`${request.url()}: ${request.failure()?.errorText}`)
  })
  page.on('pageerror', (problem) => complaints.push(problem.message))
  page.on('console', (message) => {
    // The browser itself prints every answer that is not 2xx and every socket that does not open: the tests make those happen.
    const expected = /Failed to load resource|WebSocket connection to|^Failed when connecting/.test(
      message.text(),
    )
    if (message.type() === 'error' && !expected) complaints.push(message.text())
  })
  return { page, complaints }
}
