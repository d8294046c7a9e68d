/** Every page in every state, on the phone in light and on the desk in dark, on demand at every size in both: pictures to look at, and nothing axe finds. */
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, describe, test, vi } from 'vitest'
import { SHOTS, type Shot } from '../dev/shots.ts'
import { buildInto, noBrowser, openPageIn, openSite, type Site } from './testing.ts'

type Look = 'light' | 'dark'
interface Round {
  width: number
  look: Look
  axe: boolean
}
const HEIGHT: Record<number, number> = { 390: 844, 820: 1180, 1440: 900, 2560: 1440 }
const SHORT: Round[] = [
  { width: 390, look: 'light', axe: true },
  { width: 1440, look: 'dark', axe: true },
]
/** KALNET_SCREENS=all: every picture in every size and look, each judged by axe. That takes a quarter of an hour. */
const LONG: Round[] = [
  { width: 820, look: 'dark', axe: false },
  { width: 2560, look: 'light', axe: false },
  { width: 390, look: 'dark', axe: true },
  { width: 820, look: 'light', axe: true },
  { width: 1440, look: 'light', axe: true },
  { width: 2560, look: 'dark', axe: false },
]
const ALL = process.env.KALNET_SCREENS === 'all'
const ROUNDS = ALL ? [...SHORT, ...LONG] : SHORT
/**
 * In the short run pages are seen on the phone and on the desk and judged once, on the phone; the states of a page, which say the sizes they
 * are of interest in, are seen and judged once, by turns on the phone and on the desk.
 */
function part(shot: Shot, { width, axe }: Round): { seen: boolean; judged: boolean } {
  if (ALL) return { seen: true, judged: axe }
  const isState = shot.widths?.includes(390) && shot.widths.includes(1440)
  if (!isState) return { seen: true, judged: axe && (width === 390 || shot.widths?.includes(390) === false) }
  const turn = SHOTS.indexOf(shot) % 2 === 0 ? 390 : 1440
  return { seen: width === turn, judged: width === turn }
}
/** KALNET_SHOTS=keys,apps looks only at those whose name begins so. */
const WANTED = process.env.KALNET_SHOTS ?? ''
const belongs = (shot: Shot, round: Round) =>
  WANTED.split(',').some((name) => shot.name.startsWith(name)) &&
  (!shot.widths || shot.widths.includes(round.width)) &&
  (WANTED !== '' || part(shot, round).seen)
/** Fifty pages, each judged by axe: on a busy machine that takes minutes. */
const LIMIT_MS = 3_600_000

vi.setConfig({ maxConcurrency: 2 })
if (noBrowser) console.log(`skipped: screens of the dashboard: ${noBrowser}`)

describe.skipIf(noBrowser)('screens', () => {
  let built: Awaited<ReturnType<typeof buildInto>>
  let pictures: string
  beforeAll(async () => {
    built = await buildInto('gallery')
    const wanted = process.env.KALNET_PICTURES
    if (wanted) await mkdir(wanted, { recursive: true })
    pictures = wanted ?? (await mkdtemp(join(tmpdir(), 'kalnet-screens-')))
    console.log(`pictures are in ${pictures}`)
  })
  afterAll(() => built?.remove())

  /** What is wrong with one page: nothing, when all is well. */
  async function look(shot: Shot, round: Round, site: Site, context: BrowserContext): Promise<string[]> {
    const { width, look } = round
    site.standIn.use(shot.world, {
      failNext: shot.failNext,
      hold: shot.hold,
      door: shot.door,
      role: shot.role,
    })
    const { page, complaints } = await openPageIn(context)
    try {
      await page.goto(site.url + shot.path)
      await shot.ready(page, site.standIn)
      await page.evaluate(() => document.fonts.ready)
      // A dialog that has just opened is half there.
      await page.evaluate(() =>
        Promise.allSettled(document.getAnimations().map((it) => it.playState === 'running' && it.finished)),
      )
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      if (wide > 0) complaints.push(`${wide} px too wide`)
      const styled = await page.evaluate(() =>
        getComputedStyle(document.documentElement).getPropertyValue('--accent'),
      )
      if (!styled) complaints.push('the style sheets are missing')
      await page.screenshot({ path: join(pictures, `${shot.name}-${width}-${look}.png`) })
      const seen = [...complaints]
      if (WANTED ? round.axe : part(shot, round).judged) {
        // The stage is made of pixels from elsewhere: axe can only judge what is ours.
        // Under a dialog the page itself is hidden, and with it its title and its main part.
        const covered = (await page.getByRole('dialog').count()) > 0
        const { violations } = await new AxeBuilder({ page })
          .exclude('[data-live] canvas')
          // The pointer of that stage where fingers have none: noVNC draws it over the whole page.
          .exclude('body > canvas')
          // What passed is not described: nobody reads it.
          .options({ resultTypes: ['violations'] })
          .disableRules(covered ? ['landmark-one-main', 'page-has-heading-one'] : [])
          // Judged where it stands: no frame of ours comes from elsewhere, and to judge on a second page takes twice as long.
          .setLegacyMode()
          .analyze()
        for (const it of violations)
          seen.push(`axe ${it.id}: ${it.nodes.map(({ html }) => html).join(' | ')}`)
      }
      return seen
    } catch (problem) {
      return [...complaints, String(problem)]
    } finally {
      await page.close()
    }
  }

  // Each size has a stand-in and a browser of its own, so that two go side by side.
  test.concurrent.for(ROUNDS)(
    '[UI-2.screens] [UI-2.accessible] every page at $width px, $look: drawn, not too wide, nothing that axe finds',
    { timeout: LIMIT_MS },
    async (round, { expect }) => {
      const { width } = round
      const site = await openSite(built)
      const context = await site.browser.newContext({
        viewport: { width, height: HEIGHT[width] ?? 900 },
        colorScheme: round.look,
        hasTouch: width < 1000,
        isMobile: width < 600,
        reducedMotion: 'reduce',
      })
      const problems: Record<string, string[]> = {}
      for (const shot of SHOTS.filter((it) => belongs(it, round))) {
        const found = await look(shot, round, site, context)
        if (found.length > 0) problems[shot.name] = found
      }
      await context.close()
      await site.close()
      expect(problems).toEqual({})
    },
  )
})
