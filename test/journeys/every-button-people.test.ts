/**
 * Every button, link, toggle and menu item about people: how one gets in, one's own account, people, keys, providers, apps, rules,
 * the record. In a real Chromium against the whole product; each step sees its end on the screen and over the API.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Device, holdFinger } from '../support/finger.ts'
import { inOrder } from '../support/in-order.ts'
import { lacking } from '../support/parts.ts'
import { devices, secondWay } from './every-button/account.ts'
import { look, name, password } from './every-button/me.ts'
import { forgotten } from './every-button/screens.ts'
import { picture } from './every-button/world.ts'
import { authenticatorApp, type Codes, passkeys, prove } from './every-button-people/account.ts'
import { feed, record } from './every-button-people/activity.ts'
import { apps } from './every-button-people/apps.ts'
import {
  claimed,
  everywhere,
  forgottenPassword,
  secondWayAsked,
  waysIn,
} from './every-button-people/doors.ts'
import { guarded } from './every-button-people/guarded.ts'
import { GRACE, type Household, makeHousehold } from './every-button-people/household.ts'
import { myKeys, programs, tabs } from './every-button-people/keys.ts'
import { groups, invitations, theHousehold } from './every-button-people/people.ts'
import { many, person } from './every-button-people/person.ts'
import { addProviders, linkedAccounts, shapeProvider } from './every-button-people/providers.ts'
import { rules } from './every-button-people/rules.ts'

const why = await lacking(['chromium'], 'every button about people pressed against the real product')

describe.skipIf(why)('every button about people', { timeout: 300_000 }, () => {
  let house: Household
  let directory = ''
  let pupils: string[] = []
  let device: Device
  let code: Codes
  let recovery: string[] = []
  inOrder()
  beforeAll(async () => {
    house = await makeHousehold()
  })
  afterAll(() => house?.close())
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await picture(house.page, `failed-${task.name.replace(/\W+/g, '-')}`)
  })

  it('[UI-2.every-button] [UI-2.claim] the first account, by its door', () => claimed(house))
  it('[UI-2.every-button] people: the household itself', () => theHousehold(house))
  it('[UI-2.every-button] groups', () => groups(house))
  it('[UI-2.every-button] invitations, and joining on a phone', () => invitations(house))
  it('[UI-2.every-button] one person', () => person(house))
  it('[UI-2.every-button] the tabs of the settings', () => tabs(house))
  it("[UI-2.every-button] keys: one's own", () => myKeys(house))
  it('[UI-2.every-button] keys: programs', async () => {
    directory = await programs(house)
  })
  it('[UI-2.every-button] providers: added', () => addProviders(house))
  it('[UI-2.every-button] providers: shaped, switched on and off', () => shapeProvider(house))
  it('[UI-2.every-button] providers: an account linked and unlinked', () => linkedAccounts(house))
  it('[UI-2.every-button] apps: connected, asking, taken back', () => apps(house))
  it('[UI-2.every-button] guarded addresses and app passwords', () => guarded(house))
  it('[UI-2.every-button] sign-in rules', () => rules(house))
  it('[UI-2.every-button] me: the name', () => name(house))
  it('[UI-2.every-button] me: the look', () => look(house))
  it('[UI-2.every-button] me: the password', () => password(house))
  it('[UI-2.every-button] me: the other devices', () => devices(house))
  it('[UI-2.every-button] me: an authenticator app, and its end', () => secondWay(house))
  it('[UI-2.every-button] a forgotten password', () => forgottenPassword(house))
  it('[UI-2.every-button] me: passkeys', async () => {
    device = await holdFinger(house.page)
    recovery = await passkeys(house)
    code = await authenticatorApp(house)
  })
  it('[UI-2.every-button] [UI-2.sign-in] every way in', () => waysIn(house, device, code, recovery))
  it('[UI-2.every-button] what is dangerous asks who it is', async () => {
    await device.finger(true)
    await prove(house, code)
  })
  it('[UI-2.every-button] activity: the feed', () => feed(house))
  it('[UI-2.every-button] activity: the record', () => record(house))
  it('[UI-2.every-button] a second way that is asked for; leaving', () => secondWayAsked(house))
  it('[UI-2.every-button] people: a whole school', async () => {
    pupils = await many(house, directory)
  })
  it('[UI-2.every-button] signed out everywhere', () => everywhere(house, device))

  it('[UI-2.every-button] nothing that can be pressed was forgotten', () => {
    const people = [GRACE.name, 'Grace Murray', 'Grace', 'Ada King', 'Ada', ...pupils]
    const addresses = [GRACE.email, 'max@example.org', 'ada@example.org']
    const groups = ['The Lovelaces', 'Lovelace and daughters', 'Kids', 'Night shift', 'Grown-ups']
    const keys = ['Nightly backup', 'Probe', 'In step', 'Directory', 'Old monitor', 'Ada’s desk', 'The desk']
    const places = ['School', 'Club', 'Photos', 'Calendars', 'Phone']
    const things = [...people, ...addresses, ...groups, ...keys, ...places]
    expect(forgotten('people', house.controls.list(things))).toEqual([])
  })
  it('[UI-2.quiet] no page complained: no thrown error, no refusal of the security policy', () =>
    expect([...house.complaints, ...house.phoneComplaints]).toEqual([]))
})
