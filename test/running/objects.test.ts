/** Every route about a thing × every asker × whose thing it is, through the real handlers with real things. */

import type { ErrorBody } from '@kalnet/contracts/errors'
import { instanceSpec } from '@kalnet/contracts/instance'
import { sql } from '@kalnet/server/core/store'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Bare, CAPACITY, enrolBare, FINGERPRINT } from './bare.ts'
import { type Person, type Plane, startPlane, WAIT } from './support.ts'

/** Room for all that are made here and never begin. */
const ROOMY = { ...CAPACITY, memoryBytes: 2e12, memoryFreeBytes: 1e12 }

const ASKERS = [
  'stranger',
  'guest',
  'child',
  'member',
  'admin',
  'owner',
  'other owner',
  'ended sign-in',
] as const
type Asker = (typeof ASKERS)[number]
const WHOSE = ['own', "a colleague's", "another organisation's"] as const
type Whose = (typeof WHOSE)[number]

/** `own`: only one's own, whatever one's role; else stewards reach everybody's. */
const ROUTES = [
  { name: 'read', method: 'GET', path: '', state: 'running', own: false },
  { name: 'stop', method: 'POST', path: '/stop', state: 'running', own: false },
  { name: 'restart', method: 'POST', path: '/restart', state: 'running', own: false },
  { name: 'remove', method: 'DELETE', path: '', state: 'failed', own: false },
  { name: 'logs', method: 'GET', path: '/logs', state: 'running', own: false },
  { name: 'use', method: 'GET', path: '/use', state: 'running', own: false },
  { name: 'first picture', method: 'POST', path: '/first-frame', state: 'running', own: true },
  { name: 'thumbnail', method: 'POST', path: '/thumbnail', state: 'running', own: true },
  { name: 'ticket', method: 'POST', path: '/tickets', state: 'running', own: true },
] as const

let plane: Plane
let link: Bare
let machineId: string
const people = new Map<Asker | 'colleague' | 'outsider', Person>()
const who = (asker: Asker | 'colleague' | 'outsider'): Person => {
  const person = people.get(asker)
  if (!person) throw new Error(`nobody is called ${asker}`)
  return person
}

beforeAll(async () => {
  plane = await startPlane()
  const owner = await plane.claim()
  people.set('owner', owner)
  for (const role of ['guest', 'child', 'member', 'admin'] as const)
    people.set(role, await plane.person(role, owner.organisationId))
  people.set('colleague', await plane.person('member', owner.organisationId))
  const other = await plane.person('owner')
  people.set('other owner', other)
  people.set('outsider', await plane.person('member', other.organisationId))
  const ended = await plane.person('owner', owner.organisationId)
  people.set('ended sign-in', ended)
  people.set('stranger', { ...ended, secret: '' })
  const out = await plane.ask('POST', '/api/sign-out', { as: ended.secret, body: {} })
  expect(out.status).toBe(200)

  const enrolled = await enrolBare(plane, await plane.token(undefined, 'everybodys'))
  machineId = enrolled.controllerId
  link = enrolled.connect({
    // A machine that answers what it is asked about any instance.
    onMessage(message) {
      if (message.type === 'logs.read')
        link.say({ type: 'logs', requestId: message.requestId, lines: ['line'] })
      if (message.type === 'screen.read')
        link.say({ type: 'screen', requestId: message.requestId, png: 'AAAA' })
      if (message.type === 'welcome')
        link.say({ type: 'inventory', fingerprints: [FINGERPRINT], capacity: ROOMY, instances: [] })
    },
  })
  await eventually('the machine is online', async () => (await plane.online()).includes('everybodys'))
})
afterAll(async () => {
  link.close()
  await plane.end()
})

/** A session of that person as it stands after its start or its end. */
async function sessionOf(person: Person, state: 'running' | 'failed'): Promise<string> {
  const [id, instanceId] = [newId(), newId()]
  const spec = instanceSpec.parse({ image: { reference: 'none' }, command: ['program'] })
  await plane.store.system.transaction(async (tx) => {
    await sql`insert into instances (id, organisation_id, controller_id, platform, generation, desired_state, spec)
      values (${instanceId}, ${person.organisationId}, ${machineId}, 'fake', 1, 'running', ${JSON.stringify(spec)}::jsonb)`.execute(
      tx,
    )
    await sql`insert into sessions (id, organisation_id, user_id, instance_id, name, template_id, template_name, state, accepted_at, created_at)
      values (${id}, ${person.organisationId}, ${person.userId}, ${instanceId}, 'Thing', 'fake', 'Fake', ${state}, now(), now())`.execute(
      tx,
    )
  })
  return id
}
const snapshot = (id: string) =>
  plane.store.system.read(
    async (tx) => (await sql`select * from sessions where id = ${id}`.execute(tx)).rows[0],
  )
/** Whose thing it is, seen from the asker. */
const holder = (asker: Asker, whose: Whose): Person => {
  if (whose === 'own') return who(asker)
  const isOther = asker === 'other owner'
  return (whose === "a colleague's") === isOther ? who('outsider') : who('colleague')
}
const words = ({ error }: Partial<ErrorBody>) => error && { ...error, requestId: '' }

function expected(asker: Asker, whose: Whose, own: boolean): number {
  if (asker === 'stranger' || asker === 'ended sign-in') return 401
  if (whose === 'own') return 200
  if (whose === "another organisation's") return 404
  return !own && ['admin', 'owner', 'other owner'].includes(asker) ? 200 : 403
}

describe('[IDN-3.objects] sessions and their screens', () => {
  const cases = ROUTES.flatMap((route) =>
    ASKERS.flatMap((asker) => WHOSE.map((whose) => [route.name, asker, whose, route] as const)),
  )
  it.each(cases)('%s as %s: %s', async (_name, asker, whose, { method, path, state, own }) => {
    const id = await sessionOf(holder(asker, whose), state)
    const before = await snapshot(id)
    const as = who(asker).secret
    const body = method === 'POST' ? {} : undefined
    const answer = await plane.ask(method, `/api/sessions/${id}${path}`, { as, body })
    const wanted = expected(asker, whose, own)
    expect([answer.status, answer.status === wanted ? '' : answer.text]).toEqual([wanted, ''])
    if (wanted === 200) return
    expect(await snapshot(id)).toEqual(before)
    // What is not his to know looks exactly like what is not there.
    const nothing = await plane.ask(method, `/api/sessions/${newId()}${path}`, { as, body })
    if (wanted === 404)
      expect(words(answer.body as Partial<ErrorBody>)).toEqual(words(nothing.body as Partial<ErrorBody>))
    if (wanted === 403) expect(answer.body.error?.code).toBe('permission.denied')
  })

  it.each(ASKERS)('the list of %s', async (asker) => {
    const mine = await sessionOf(who(asker), 'running')
    const colleagues = await sessionOf(holder(asker, "a colleague's"), 'running')
    const others = await sessionOf(holder(asker, "another organisation's"), 'running')
    const answer = await plane.ask('GET', '/api/sessions?limit=200', { as: who(asker).secret })
    if (expected(asker, 'own', false) === 401) return expect(answer.status).toBe(401)
    const ids = new Set((answer.body.items as { id: string }[]).map(({ id }) => id))
    const sees = [mine, colleagues, others].map((id) => ids.has(id))
    expect(sees).toEqual([true, expected(asker, "a colleague's", false) === 200, false])
  })

  it('a ticket opens nothing for another, be he the owner', async () => {
    const id = await sessionOf(who('member'), 'running')
    const path = `/api/sessions/${id}/tickets`
    const { ticket } = (await plane.ask('POST', path, { as: who('member').secret, body: {} })).body
    for (const asker of ['owner', 'admin', 'colleague', 'other owner', 'ended sign-in'] as const)
      expect([asker, await plane.open(who(asker), String(ticket))]).toEqual([
        asker,
        asker === 'ended sign-in' ? 401 : 403,
      ])
    // Nobody's try has used it up.
    expect(await plane.open(who('member'), String(ticket))).toBe(101)
  })
})

describe('[IDN-3.objects] launching', () => {
  it.each(ASKERS)('as %s', async (asker) => {
    const answer = await plane.ask('POST', '/api/sessions', {
      as: who(asker).secret,
      body: { templateId: 'fake' },
    })
    const code = { stranger: 401, 'ended sign-in': 401, guest: 403 }[asker as string] ?? 200
    expect([answer.status, answer.status === code ? '' : answer.text]).toEqual([code, ''])
    if (code === 200) expect(answer.body.userId).toBe(who(asker).userId)
  })

  it('never on a machine of another organisation', async () => {
    const theirs = await enrolBare(plane, await plane.token(who('other owner'), 'theirs'))
    const machine = theirs.connect()
    await expect.poll(() => machine.of('welcome').length, WAIT).toBe(1)
    machine.inventory()
    machine.say({
      type: 'heartbeat',
      capacity: { cpus: 9, memoryBytes: 9e12, memoryFreeBytes: 9e12, diskFreeBytes: 9e12, load1: 0 },
    })
    await expect
      .poll(async () => (await plane.launch(who('other owner'))).controllerName, WAIT)
      .toBe('theirs')
    expect((await plane.launch(who('owner'))).controllerName).toBe('everybodys')
    machine.close()
  })
})

describe('[IDN-3.objects] controllers', () => {
  const steward = (asker: Asker) => ['admin', 'owner', 'other owner'].includes(asker)
  const plain = (asker: Asker) => (['stranger', 'ended sign-in'].includes(asker) ? 401 : 403)
  it.each(ASKERS)('the list and tokens of %s', async (asker) => {
    const as = who(asker).secret
    const ours = await enrolBare(plane, await plane.token(who('owner'), 'ours'))
    const theirs = await enrolBare(plane, await plane.token(who('other owner'), 'theirs'))
    const list = await plane.ask('GET', '/api/controllers?limit=200', { as })
    const token = await plane.ask('POST', '/api/controllers/tokens', { as, body: { name: 'new' } })
    expect([list.status, token.status]).toEqual(steward(asker) ? [200, 200] : [plain(asker), plain(asker)])
    if (!steward(asker)) return
    const ids = new Set((list.body.items as { id: string }[]).map(({ id }) => id))
    const isOther = asker === 'other owner'
    expect([ids.has(machineId), ids.has(ours.controllerId), ids.has(theirs.controllerId)]).toEqual([
      true,
      !isOther,
      isOther,
    ])
  })

  it.each(ASKERS)('revoking as %s', async (asker) => {
    const as = who(asker).secret
    const isOther = asker === 'other owner'
    const own = await plane.addController(who(isOther ? 'other owner' : 'owner').organisationId)
    const foreign = await plane.addController(who(isOther ? 'owner' : 'other owner').organisationId)
    const revoke = async (id: string) => (await plane.ask('DELETE', `/api/controllers/${id}`, { as })).status
    // The installation's own machine is nobody's to revoke here.
    const wanted = steward(asker) ? [404, 403, 200] : [plain(asker), plain(asker), plain(asker)]
    expect([await revoke(foreign), await revoke(machineId), await revoke(own)]).toEqual(wanted)
    expect((await plane.online()).includes('everybodys')).toBe(true)
  })

  it.each(ASKERS)('changing and emptying as %s', async (asker) => {
    const as = who(asker).secret
    const isOther = asker === 'other owner'
    const own = await plane.addController(who(isOther ? 'other owner' : 'owner').organisationId)
    const foreign = await plane.addController(who(isOther ? 'owner' : 'other owner').organisationId)
    const wanted = steward(asker) ? [404, 403, 200] : [plain(asker), plain(asker), plain(asker)]
    const change = async (id: string) =>
      (await plane.ask('PATCH', `/api/controllers/${id}`, { as, body: { cordoned: true } })).status
    const drain = async (id: string) =>
      (await plane.ask('POST', `/api/controllers/${id}/drain`, { as, body: {} })).status
    expect([await change(foreign), await change(machineId), await change(own)]).toEqual(wanted)
    expect([await drain(foreign), await drain(machineId), await drain(own)]).toEqual(wanted)
  })
})

describe('[IDN-3.objects] the catalog', () => {
  it.each(ASKERS)('as %s', async (asker) => {
    const as = who(asker).secret
    const paths = ['/api/templates', '/api/templates/fake', '/api/templates/fake/icon', '/api/templates/none']
    const statuses = []
    for (const path of paths) statuses.push((await plane.ask('GET', path, { as })).status)
    const out = ['stranger', 'ended sign-in'].includes(asker)
    expect(statuses).toEqual(out ? [401, 401, 401, 401] : [200, 200, 200, 404])
  })
})

it('[SES-1.clean] nothing of all this was logged as an error', () => {
  expect(plane.errors).toEqual([])
})
