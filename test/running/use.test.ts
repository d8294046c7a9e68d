/** What instances use, from a page's question to the platform and back: a real control plane, a real controller, and programs that are made up. */
import type { InstanceUse } from '@kalnet/contracts/use'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Bare, bareMachine, seen } from './bare.ts'
import { type Machine, type Person, type Plane, startPlane } from './support.ts'

const PAIR = `id: pair
version: 1.0.0
name: Pair
summary: Runs nothing
category: tools
licence: MIT
kind: service
platforms: [fake]
parts:
  - name: web
    image: { reference: none }
    command: [program]
    resources: { cpus: 2, memoryBytes: 1073741824 }
  - name: db
    image: { reference: none }
    command: [database]
`
let plane: Plane
let machine: Machine
let ada: Person
const links: Bare[] = []
beforeAll(async () => {
  plane = await startPlane({ templates: { pair: PAIR } })
  ada = await plane.claim()
  machine = await plane.machine(undefined, 'attic')
})
afterAll(async () => {
  for (const link of links) link.close()
  await plane.end()
})
const look = async (path: string) => {
  const answer = await plane.ask('GET', `/api/${path}/use`, { as: ada.secret })
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
  return answer.body as unknown as InstanceUse & { items: InstanceUse[] }
}
const asked = () => machine.world.counted('use')

it('[CTL-4.use-asked] [CTL-4.use] a platform is asked when somebody looks, never before; a session that ended is not asked for', async () => {
  const { id, instanceId } = await plane.run(ada)
  machine.world.programs.told.uses = (of) =>
    of === instanceId ? { cpus: 0.75, memoryBytes: 300 * 2 ** 20 } : null
  expect(asked()).toBe(0)
  const before = Date.now()
  const [one, other] = await Promise.all([look(`sessions/${id}`), look(`sessions/${id}`)])
  expect(one).toEqual({
    ...{ instanceId, generation: 1, most: { cpus: 1, memoryBytes: 512 * 2 ** 20 } },
    now: { known: true, cpus: 0.75, memoryBytes: 300 * 2 ** 20, at: expect.any(String) },
  })
  expect(one.now.known && Date.parse(one.now.at)).toBeGreaterThanOrEqual(before)
  expect(other.now.known).toBe(true)
  expect(asked()).toBeGreaterThan(0)
  await plane.act(ada, id, 'stop')
  await plane.until(ada, id, { state: 'stopped' })
  const count = asked()
  expect((await look(`sessions/${id}`)).now).toEqual({ known: false, because: 'idle', why: null })
  expect(asked()).toBe(count)
})

it('[CTL-4.use] a platform that cannot tell says why', async () => {
  const { id } = await plane.run(ada)
  machine.world.fail('use', 'the engine does not answer')
  expect((await look(`sessions/${id}`)).now).toEqual({
    ...{ known: false, because: 'unmeasured', why: 'the engine does not answer' },
  })
})

it('[CTL-4.use] each instance of a service is told with what it may use at most', async () => {
  machine.world.programs.told.uses = () => ({ cpus: 0.5, memoryBytes: 2 ** 20 })
  const installed = await plane.ask('POST', '/api/services', { as: ada.secret, body: { templateId: 'pair' } })
  const path = `services/${String(installed.body.id)}`
  await eventually('it runs', async () => {
    const { body } = await plane.ask('GET', `/api/${path}`, { as: ada.secret })
    return body.state === 'running'
  })
  const { items } = await look(path)
  expect(items.map((it) => it.most?.memoryBytes).toSorted()).toEqual([1073741824, 536870912])
  expect(items.map((it) => it.now)).toEqual(
    items.map(() => ({ known: true, cpus: 0.5, memoryBytes: 2 ** 20, at: expect.any(String) })),
  )
})

it('[CTL-4.use] [CTL-4.skew] a machine of an older release is not asked, and one that is away is told as away', async () => {
  await machine.stop()
  const { link: old } = await bareMachine(plane, links, 'old')
  const session = await plane.launch(ada)
  old.say({ type: 'observed', instance: seen(session, 'running') })
  await plane.until(ada, session.id, { state: 'running' })
  const path = `sessions/${session.id}`
  expect((await look(path)).now).toEqual({ known: false, because: 'older', why: null })
  expect(old.heard.some((it) => it.type === 'use.read')).toBe(false)
  old.close()
  await plane.until(ada, session.id, { reachable: false })
  await eventually('the answer is old', async () => {
    const { now } = await look(path)
    return !now.known && now.because === 'offline'
  })
})
