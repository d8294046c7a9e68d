/**
 * Every button, link, toggle and menu item of the dashboard, pressed in a real Chromium against the whole product. Each step
 * sees its end on the screen and over the API, or in the session itself. The last one fails for what was seen and never pressed, of the
 * screens that this journey answers for; `every-button-people.test.ts` answers for the others.
 */
import { catalogRoutes } from '@kalnet/contracts/catalog'
import { sessionRoutes } from '@kalnet/contracts/session'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inOrder } from '../support/in-order.ts'
import { lacking } from '../support/parts.ts'
import { devices, secondWay } from './every-button/account.ts'
import { machines } from './every-button/controllers.ts'
import { palette, places } from './every-button/frame.ts'
import { cards, ended, quickStart } from './every-button/home.ts'
import { catalog, claim, details, leaveStart, startNamed } from './every-button/launch.ts'
import { look, name, password, signOut } from './every-button/me.ts'
import { forgotten } from './every-button/screens.ts'
import { nothingThere, sessionPage } from './every-button/session-page.ts'
import { naps } from './every-button/sleep.ts'
import { touch } from './every-button/touch.ts'
import { afterTheEnd, reconnect, tools } from './every-button/viewer.ts'
import { panels } from './every-button/viewer-panels.ts'
import { makeWorld, type World } from './every-button/world.ts'

const why = await lacking(
  ['root', 'chromium', 'bubblewrap', 'mmdebstrap'],
  'every button pressed against the real product',
)

describe.skipIf(why)('every button', { timeout: 300_000 }, () => {
  let world: World
  const workbench = async () => {
    const { items } = await world.client.call(sessionRoutes.list, { query: { limit: '200' } })
    return items.find((one) => one.name === 'Workbench')?.id ?? ''
  }
  inOrder()
  beforeAll(async () => {
    world = await makeWorld()
  })
  afterAll(() => world?.close())

  it('[UI-2.every-button] [UI-2.claim] the first account', () => claim(world))
  it('[UI-2.every-button] the catalog: categories and search', () => catalog(world))
  it('[UI-2.every-button] what a template is and asks', () => details(world))
  it('[UI-2.every-button] [SES-1.launch] a start with a name and a place', () => startNamed(world))
  it('[UI-2.every-button] a start that is left goes on', () => leaveStart(world))
  it('[UI-2.every-button] Home: cards and stopping', () => cards(world))
  it('[UI-2.every-button] Home: a quick start', () => quickStart(world))
  it('[UI-2.every-button] [SES-1.hibernate] [TPL-1.idle] [SES-1.home-size] [UI-2.undo] asleep, awake, unused, deleted', () =>
    naps(world))
  it('[UI-2.every-button] [UI-2.undo] Home: what ended, starting it again, off the list and back', () =>
    ended(world))
  it('[UI-2.every-button] the places and the skip link', () => places(world))
  it('[UI-2.every-button] [UI-2.palette] the palette', () => palette(world))
  it('[UI-2.every-button] addresses with nothing behind them', () => nothingThere(world))
  it('[UI-2.every-button] [STR-1.clipboard] [STR-1.fit] [STR-1.keyboard] viewer: keys, clipboard, size', async () =>
    panels(world, await workbench()))
  it('[UI-2.every-button] viewer: the tools of the bar', async () => tools(world, await workbench()))
  it('[UI-2.every-button] viewer: after the end', async () => afterTheEnd(world, await workbench()))
  it('[UI-2.every-button] [STR-1.viewer-returns] viewer: the connection comes back', async () =>
    reconnect(world, await workbench()))
  it('[UI-2.every-button] [UI-2.sign-in] a phone: sign in, and the row of keys', async () =>
    touch(world, await workbench()))
  it('[UI-2.every-button] the page of a session', () => sessionPage(world))
  it('[UI-2.every-button] [CTL-4.cordon] [CTL-4.drain] [CTL-4.labels] machines: enrolled, closed, emptied, revoked', () =>
    machines(world))
  it('[UI-2.every-button] me: the name', () => name(world))
  it('[UI-2.every-button] me: the look', () => look(world))
  it('[UI-2.every-button] me: the password', () => password(world))
  it('[UI-2.every-button] me: the other devices', () => devices(world))
  it('[UI-2.every-button] me: an authenticator app, and its end', () => secondWay(world))
  it('[UI-2.every-button] [UI-2.sign-in] me: signing out and in', () => signOut(world))

  it('[UI-2.every-button] nothing that can be pressed was forgotten', async () => {
    const { items } = await world.client.call(catalogRoutes.list)
    const manuals = items.flatMap(({ docs }) => (docs ? [new URL(docs).host] : []))
    const given = ['Workbench', 'Left alone', 'Up there', 'Loft', 'Nap', 'Ada King', 'Ada', 'The Lovelaces']
    const evenings = Array.from({ length: 9 }, (_none, at) => `Evening ${at + 1}`)
    const things = [...items.map((one) => one.name), ...manuals, ...given, ...evenings]
    expect(forgotten('house', world.controls.list(things))).toEqual([])
  })
  it('[UI-2.quiet] no page complained: no thrown error, no refusal of the security policy', () =>
    expect(world.complaints).toEqual([]))
})
