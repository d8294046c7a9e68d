/** A real browser for journeys: the machine's Chromium, driven by playwright-core, with a fresh profile each time. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { quietNetwork } from './quiet-network.ts'

export const CHROMIUM =
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync) ?? null
/** The same engine with no window around it, packed beside it: a page costs a third of the time of a processor. */
const SHELL = ['/usr/bin/chromium-headless-shell'].find(existsSync) ?? CHROMIUM
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Long for whoever waits, and no figure: beside another lane a page may take ten times as long as alone. */
export const WAIT_MS = 60_000

/** How Chromium is started for tests; another program than the machine's brings a network of its own. `whole`: as people have it. */
export async function chromiumStart({
  program,
  whole = false,
}: {
  program?: string | undefined
  whole?: boolean
} = {}): Promise<{
  executablePath: string
  args: string[]
}> {
  const its = whole ? CHROMIUM : SHELL
  if (!its) throw new Error('there is no Chromium on this machine')
  const quiet = program ? null : await quietNetwork()
  return {
    executablePath: program ?? quiet?.starter(its) ?? its,
    args: [...FLAGS, ...(quiet?.flags ?? [])],
  }
}

export interface BrowserOptions {
  width?: number
  height?: number
  dark?: boolean
  touch?: boolean
  /** Certificates of the local authority are judged by the test itself. */
  ignoreCertificates?: boolean
  /** Another program than the machine's Chromium (one that starts it elsewhere). */
  program?: string
  /** The machine's Chromium as people have it, not the one without a window. */
  whole?: boolean
}

export async function openBrowser(
  options: BrowserOptions = {},
): Promise<{ context: BrowserContext; page: Page; close(): Promise<void> }> {
  const profile = await mkdtemp(join(tmpdir(), 'kn-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
    ...(await chromiumStart(options)),
    headless: true,
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: options.dark ? 'dark' : 'light',
    hasTouch: options.touch ?? false,
    ignoreHTTPSErrors: options.ignoreCertificates ?? false,
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  context.setDefaultTimeout(WAIT_MS)
  const page = context.pages()[0] ?? (await context.newPage())
  return {
    context,
    page,
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}
