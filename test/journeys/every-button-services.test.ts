/**
 * Every button, link, toggle and menu item about services and the network: adding, opening, stopping, changing, updating, going back,
 * addresses, certificates, removing. In a real Chromium against the whole product with a real service; each step sees its end on the screen
 * and over the API.
 */
import { catalogRoutes } from '@kalnet/contracts/catalog'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { inOrder } from '../support/in-order.ts'
import { lacking } from '../support/parts.ts'
import { claim } from './every-button/launch.ts'
import { forgotten } from './every-button/screens.ts'
import { picture } from './every-button/world.ts'
import { add, find, nothingYet, open } from './every-button-services/adding.ts'
import { type House, makeHouse, NAME, TITLE } from './every-button-services/house.ts'
import { change, logs, remove, stopAndStart, updateAndBack } from './every-button-services/life.ts'
import { addresses, certificates, map, trust } from './every-button-services/network.ts'

const why = await lacking(
  ['root', 'chromium', 'bubblewrap', 'mmdebstrap'],
  'every button about services pressed against the real product',
)

describe.skipIf(why)('every button about services', { timeout: 300_000 }, () => {
  let house: House
  inOrder()
  beforeAll(async () => {
    house = await makeHouse()
  })
  afterAll(() => house?.close())
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await picture(house.page, `failed-${task.name.replace(/\W+/g, '-')}`)
  })

  it('[UI-2.every-button] the first account', () => claim(house))
  it('[UI-2.every-button] [DSH-1.services] nothing there yet, and the way to more', () => nothingYet(house))
  it('[UI-2.every-button] [DSH-1.install] a service is added', () => add(house))
  it('[UI-2.every-button] [DSH-1.services] it opens, from wherever one is', () => open(house))
  it('[UI-2.every-button] [UI-2.palette] it is found', () => find(house))
  it('[UI-2.every-button] stopped, started, started afresh', () => stopAndStart(house))
  it('[UI-2.every-button] its title, its tags, two of it', () => change(house))
  it('[UI-2.every-button] [NET-5.finishing] updated, and back while something is open', () =>
    updateAndBack(house))
  it('[UI-2.every-button] [DSH-1.logs] its logs', () => logs(house))
  it('[UI-2.every-button] [DSH-1.routes] its addresses', () => addresses(house))
  it('[UI-2.every-button] [DSH-1.topology] the network', () => map(house))
  it('[UI-2.every-button] [DSH-1.certificates] certificates', () => certificates(house))
  it('[UI-2.every-button] [DSH-1.trust] trusting on a device', () => trust(house))
  it('[UI-2.every-button] removed with all its data', () => remove(house))

  it('[UI-2.every-button] nothing that can be pressed was forgotten', async () => {
    const { items } = await house.client.call(catalogRoutes.list)
    const host = new URL(house.address).host
    const things = [
      ...items.map((one) => one.name),
      TITLE,
      NAME,
      host,
      host.replace(NAME, 'second'),
      'own.example.org',
      'release 1',
      'release 2',
      // Parts of Kalnet itself.
      'Gateway',
      'Kalnet',
    ]
    expect(forgotten('services', house.controls.list(things))).toEqual([])
  })
  it('[UI-2.quiet] no page complained: no thrown error, no refusal of the security policy', () =>
    expect(house.complaints).toEqual([]))
})
