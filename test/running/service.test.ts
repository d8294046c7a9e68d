/** Machines that are closed for new work, emptied, and chosen by what they are labelled; what they measure. */
import type { Controller } from '@kalnet/contracts/controller'
import { sql } from '@kalnet/server/core/store'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Bare, bareMachine, CAPACITY, seen } from './bare.ts'
import { type Person, type Plane, startPlane, WAIT } from './support.ts'

let plane: Plane
let ada: Person
const links: Bare[] = []
beforeAll(async () => {
  plane = await startPlane()
  ada = await plane.claim()
})
afterEach(async () => {
  for (const link of links.splice(0)) link.close()
  await plane.calm()
})
afterAll(() => plane.end())

const controllers = async (as = ada) =>
  (await plane.ask('GET', '/api/controllers?limit=200', { as: as.secret })).body.items as Controller[]
const named = async (name: string) => {
  const found = (await controllers()).find((it) => it.name === name)
  if (!found) throw new Error(`no ${name}`)
  return found
}
const change = (id: string, body: object, as: Person | 'local' = ada) =>
  plane.ask(
    'PATCH',
    `/api/controllers/${id}`,
    as === 'local' ? { local: true, body } : { as: as.secret, body },
  )
const drain = (id: string, as: Person | 'local' = ada) =>
  plane.ask(
    'POST',
    `/api/controllers/${id}/drain`,
    as === 'local' ? { local: true, body: {} } : { as: as.secret, body: {} },
  )
const tryLaunch = (body: object = {}) =>
  plane.ask('POST', '/api/sessions', { as: ada.secret, body: { templateId: 'fake', ...body } })
const audited = (action: string, object: string) =>
  plane.store.system.read(async (tx) =>
    (
      await sql<{ details: object }>`select details from audit
        where action = ${action} and object = ${object} and outcome = 'done' order by xid, seq`.execute(tx)
    ).rows.map(({ details }) => details),
  )

describe('cordon', () => {
  it('[CTL-4.cordon] it takes nothing new, what runs there runs on, and taken back it serves again', async () => {
    await plane.machine(ada, 'shy')
    const { id } = await named('shy')
    const running = await plane.run(ada)
    const closed = await change(id, { cordoned: true })
    expect([closed.status, closed.body.cordoned, closed.body.labels]).toEqual([200, true, {}])
    const refused = await tryLaunch()
    expect([refused.status, refused.body.error?.code]).toEqual([503, 'placement.none'])
    expect(refused.body.error?.message).toContain('shy takes nothing new')
    expect((await plane.read(ada, running.id)).state).toBe('running')
    expect(await plane.eventsOf(id)).toContainEqual(expect.objectContaining({ state: 'online' }))
    expect((await change(id, { cordoned: false })).body.cordoned).toBe(false)
    await plane.run(ada)
    expect(await audited('controller.changed', id)).toEqual([
      expect.objectContaining({ cordoned: true }),
      expect.objectContaining({ cordoned: false }),
    ])
  })

  it('[CTL-4.cordon] what is on it is not started anew there: refused with its name', async () => {
    const machine = await plane.machine(ada, 'tired')
    const { id } = await named('tired')
    const first = await plane.run(ada)
    const second = await plane.run(ada)
    machine.world.end(second.instanceId, 3, 'It crashed')
    await plane.until(ada, second.id, { state: 'failed' })
    await change(id, { cordoned: true })
    for (const session of [first, second]) {
      const refused = await plane.act(ada, session.id, 'restart')
      expect([refused.status, refused.body.error?.code]).toEqual([409, 'controller.cordoned'])
      expect(refused.body.error?.message).toBe('tired takes nothing new at the moment.')
    }
    expect((await plane.read(ada, first.id)).generation).toBe(1)
    await change(id, { cordoned: false })
    expect((await plane.act(ada, second.id, 'restart')).status).toBe(200)
    await plane.until(ada, second.id, { state: 'running', generation: 2 })
  })

  it("[CTL-4.cordon] an organisation changes its own machines, the installation's only the CLI on its machine", async () => {
    await plane.machine(undefined, 'everybodys')
    await plane.machine(ada, 'ours')
    const [everybodys, ours] = [await named('everybodys'), await named('ours')]
    expect([everybodys.installation, ours.installation]).toEqual([true, false])
    const stranger = await plane.person('owner')
    const answers = async (id: string, as: Person | 'local') => {
      const [changed, drained] = [await change(id, { cordoned: true }, as), await drain(id, as)]
      return [changed.body.error?.code ?? changed.status, drained.body.error?.code ?? drained.status]
    }
    expect(await answers(everybodys.id, ada)).toEqual(['permission.denied', 'permission.denied'])
    expect(await answers(everybodys.id, stranger)).toEqual(['permission.denied', 'permission.denied'])
    expect(await answers(ours.id, stranger)).toEqual(['thing.unknown', 'thing.unknown'])
    expect((await named('everybodys')).cordoned).toBe(false)
    expect(await answers(everybodys.id, 'local')).toEqual([200, 200])
    expect(await answers(ours.id, ada)).toEqual([200, 200])
    const revoke = (given: object) => plane.ask('DELETE', `/api/controllers/${everybodys.id}`, given)
    expect((await revoke({ as: ada.secret })).body.error?.code).toBe('permission.denied')
    expect((await revoke({ local: true })).status).toBe(200)
    expect((await controllers()).some((it) => it.id === everybodys.id)).toBe(false)
  })
})

describe('drain', () => {
  it('[CTL-4.drain] all that live there end with the reason, others stay, and it takes nothing new', async () => {
    await plane.machine(ada, 'leaving')
    const { id } = await named('leaving')
    const there = [await plane.run(ada), await plane.run(ada)]
    await change(id, { cordoned: true })
    await plane.machine(ada, 'staying')
    const elsewhere = await plane.run(ada)
    expect(elsewhere.controllerName).toBe('staying')
    await change(id, { cordoned: false })
    const drained = await drain(id)
    expect([drained.status, drained.body]).toEqual([200, { stopping: 2 }])
    for (const session of there)
      expect(await plane.until(ada, session.id, { state: 'stopped' })).toMatchObject({
        reason: 'Its machine is being taken out of service.',
      })
    expect((await plane.read(ada, elsewhere.id)).state).toBe('running')
    expect(await named('leaving')).toMatchObject({ cordoned: true, instances: 0, state: 'online' })
    expect((await drain(id)).body).toEqual({ stopping: 0 })
    // What a call says after its row was sealed is a row of its own.
    const told = (await audited('controller.drained', id)).filter((it) => 'stopping' in it)
    expect(told).toEqual([expect.objectContaining({ stopping: 2 }), expect.objectContaining({ stopping: 0 })])
  })

  it('[CTL-4.drain] a machine that is away ends them when it is back', async () => {
    const machine = await plane.machine(ada, 'far')
    const { id } = await named('far')
    const session = await plane.run(ada)
    await machine.stop()
    await expect.poll(() => plane.online(), WAIT).not.toContain('far')
    expect((await drain(id)).body).toEqual({ stopping: 1 })
    expect(await plane.read(ada, session.id)).toMatchObject({
      state: 'stopping',
      reason: 'Its machine is being taken out of service.',
    })
    await machine.start()
    await plane.until(ada, session.id, { state: 'stopped' })
  })

  it('[CTL-4.drain] launches at the same moment end too, or are refused', async () => {
    await plane.machine(ada, 'busy')
    const { id } = await named('busy')
    const launches = Array.from({ length: 8 }, () => tryLaunch())
    const drains = [drain(id), drain(id)]
    for (const answer of await Promise.all(drains)) expect(answer.status).toBe(200)
    for (const answer of await Promise.all(launches)) {
      if (answer.status !== 200) {
        expect(['placement.none', 'controller.cordoned']).toContain(answer.body.error?.code)
        continue
      }
      await plane.until(ada, String(answer.body.id), { state: 'stopped' })
    }
  })
})

describe('labels', () => {
  it('[CTL-4.labels] a launch that asks for labels goes only where all of them are', async () => {
    await plane.machine(ada, 'attic')
    await plane.machine(ada, 'cellar')
    const [attic, cellar] = [await named('attic'), await named('cellar')]
    const set = await change(attic.id, { labels: { room: 'attic', gpu: 'none' } })
    expect([set.status, set.body.labels]).toEqual([200, { room: 'attic', gpu: 'none' }])
    await change(cellar.id, { labels: { room: 'cellar', gpu: 'none' }, name: 'deep' })
    for (const [labels, name] of [
      [{ room: 'attic' }, 'attic'],
      [{ room: 'cellar', gpu: 'none' }, 'deep'],
    ] as const)
      expect((await plane.run(ada, { labels })).controllerName).toBe(name)
    const refused = await tryLaunch({ labels: { room: 'attic', gpu: 'big' } })
    expect([refused.status, refused.body.error?.code]).toEqual([503, 'placement.none'])
    expect(refused.body.error?.message).toContain('attic is not labelled gpu=big')
    await change(attic.id, { labels: {} })
    expect((await named('attic')).labels).toEqual({})
    expect((await tryLaunch({ labels: { room: 'attic' } })).status).toBe(503)
  })

  it.each([
    ['nothing to change', {}],
    ['a key with a capital', { labels: { Room: 'attic' } }],
    ['a value with a blank', { labels: { room: 'the attic' } }],
    ['a value of 64 letters', { labels: { room: 'x'.repeat(64) } }],
    ['21 labels', { labels: Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`l${at}`, 'x'])) }],
  ])('[CTL-4.labels] %s is refused in words', async (_name, body) => {
    const id = await plane.addController(ada.organisationId)
    const answer = await change(id, body)
    expect([answer.status, answer.body.error?.code]).toEqual([400, 'request.invalid'])
  })
})

describe('heartbeats', () => {
  it('[CTL-4.capacity] what a machine measures of itself and what runs there is shown, and follows its heartbeats', async () => {
    const { link } = await bareMachine(plane, links, 'measured', ada)
    expect(await named('measured')).toMatchObject({ capacity: CAPACITY, instances: 0 })
    const fuller = { cpus: 2, memoryBytes: 8e9, memoryFreeBytes: 2e9, diskFreeBytes: 5e10, load1: 1.5 }
    link.say({ type: 'heartbeat', capacity: fuller })
    await expect.poll(async () => (await named('measured')).capacity, WAIT).toEqual(fuller)
    const session = await plane.launch(ada)
    expect((await named('measured')).instances).toBe(1)
    const fingerprints = [{ ...(await named('measured')).fingerprints[0], usable: false, detail: 'broken' }]
    link.say({
      type: 'heartbeat',
      capacity: fuller,
      fingerprints: fingerprints as Controller['fingerprints'],
    })
    await expect.poll(async () => (await named('measured')).fingerprints[0]?.detail, WAIT).toBe('broken')
    link.say({
      type: 'observed',
      instance: seen({ instanceId: session.instanceId, generation: 1 }, 'failed'),
    })
    await expect.poll(async () => (await named('measured')).instances, WAIT).toBe(0)
  })
})
