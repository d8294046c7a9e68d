/** The registry follows rows by their events: what is seen, in which order, and what is not. */
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Events } from '../core/events.ts'
import { type TestStore, testStore } from '../core/testing.ts'
import { running, serviceRows } from '../testing/registry.ts'
import { createRegistry, isUsable, type Registry } from './registry.ts'

let it: TestStore
let rows: ReturnType<typeof serviceRows>
let registry: Registry
let home: string
let controllerId: string
const stopping = new AbortController()
const log = createLog('test', 'silent')

/** Until it is so; the limit is vitest's. */
const until = async (true_: () => boolean) => {
  while (!true_()) await new Promise((resolve) => setTimeout(resolve, 5))
}

beforeAll(async () => {
  it = await testStore()
  rows = serviceRows(it)
  home = await rows.organisation()
  controllerId = await rows.controller(home)
  const serviceId = await rows.service(home, 'photos', {
    metadata: { version: '2.1', tags: ['media'], capabilities: ['http'] },
  })
  await rows.instance({ organisationId: home, controllerId, serviceId })
  registry = createRegistry({ ...it, clock: systemClock, log, signal: stopping.signal })
  await registry.ready
})
afterAll(async () => {
  stopping.abort()
  await it.end()
})

test('[MSH-1.memory] what was there is found by name, tag and capability', () => {
  const found = registry.lookup(home, 'photos')
  expect(found).toMatchObject({ name: 'photos', version: '2.1', release: 1 })
  expect(found?.endpoints).toMatchObject([
    { port: 'web', kind: 'http', health: null, direct: { host: '10.215.0.2', port: 8080, machine: 'here' } },
  ])
  expect(registry.tagged(home, 'media')).toEqual([found])
  expect(registry.capable(home, 'http')).toEqual([found])
  expect(registry.tagged(home, 'other')).toEqual([])
})

test('[MSH-1.memory] a change is seen by its event; healthy ones stand first', async () => {
  const serviceId = await rows.service(home, 'mail')
  const where = { organisationId: home, controllerId, serviceId }
  const sick = await rows.instance(where, { probe: true, observed: running({ health: 'unhealthy' }) })
  const fresh = await rows.instance(where, { probe: true })
  const heard: (ReadonlySet<string> | null)[] = []
  const end = registry.onChange((changed) => heard.push(changed))
  await rows.said('service.changed', home, serviceId)
  await until(() => registry.endpoints(serviceId).length === 2)
  expect(registry.endpoints(serviceId).map((one) => one.health)).toEqual(['starting', 'unhealthy'])
  expect(registry.endpoints(serviceId).some(isUsable)).toBe(false)
  await rows.observe(home, serviceId, sick, running({ health: 'healthy' }))
  await until(() => registry.endpoints(serviceId)[0]?.health === 'healthy')
  expect(registry.endpoints(serviceId).map((one) => one.id)).toEqual([sick, fresh])
  expect(heard.every((changed) => changed?.has(serviceId))).toBe(true)
  end()
  await rows.removeService(home, serviceId)
  await until(() => registry.service(serviceId) === undefined)
  expect(registry.lookup(home, 'mail')).toBeUndefined()
})

test.each([
  ['an older generation', { observed: running({ generation: 2 }) }],
  ['one that has stopped', { observed: { ...running(), state: 'stopped' } }],
  ['nothing seen yet', { observed: {} }],
  ['a display', { ports: [{ name: 'screen', kind: 'display', at: { unix: '/run/kalnet/vnc.sock' } }] }],
])('[MSH-1.memory] %s is nowhere', async (name, given) => {
  const serviceId = await rows.service(home, `no-${name.replaceAll(/\W/g, '-')}`)
  await rows.instance({ organisationId: home, controllerId, serviceId }, given)
  await rows.said('service.changed', home, serviceId)
  await until(() => registry.service(serviceId) !== undefined)
  expect(registry.endpoints(serviceId)).toEqual([])
})

test('[MSH-1.memory] of a service in two parts, the first is what others mean', async () => {
  const serviceId = await rows.service(home, 'chat')
  await rows.release(home, serviceId, ['app', 'database'])
  const at = { organisationId: home, controllerId, serviceId }
  const app = await rows.instance(at, { part: 'app' })
  await rows.instance(at, { part: 'database' })
  await rows.said('service.changed', home, serviceId)
  await until(() => registry.service(serviceId) !== undefined)
  expect(registry.endpoints(serviceId).map((one) => one.id)).toEqual([app])
})

test('[MSH-1.memory] a controller that goes takes its tunnels along, not what is reached without it', async () => {
  const serviceId = await rows.service(home, 'wiki')
  const other = await rows.controller(home, { machine: 'there' })
  await rows.instance({ organisationId: home, controllerId: other, serviceId })
  await rows.said('service.changed', home, serviceId)
  await until(() => registry.endpoints(serviceId).length === 1)
  await rows.setController(home, other, false, 'there')
  await until(() => registry.endpoints(serviceId)[0]?.tunnel === null)
  expect(registry.endpoints(serviceId)[0]).toMatchObject({ direct: { machine: 'there' } })
  await rows.setController(home, other, false, null)
  await until(() => registry.endpoints(serviceId)[0]?.direct === null)
  expect(registry.endpoints(serviceId).some(isUsable)).toBe(false)
  await rows.setController(home, other, true, 'there')
  await until(() => registry.endpoints(serviceId).some(isUsable))
})

test('[MSH-1.tenants] a name belongs to its organisation; DNS gets the first one', async () => {
  const neighbours = await rows.organisation('Neighbours')
  const theirs = await rows.service(neighbours, 'photos')
  await rows.said('service.changed', neighbours, theirs)
  await until(() => registry.service(theirs) !== undefined)
  expect(registry.lookup(neighbours, 'photos')?.id).toBe(theirs)
  expect(registry.lookup(home, 'photos')?.organisationId).toBe(home)
  expect(registry.lookupAnywhere('photos')?.organisationId).toBe(home)
  expect(registry.tagged(neighbours, 'media')).toEqual([])
})

test('[MSH-1.gap] events that were missed: everything is read again', async () => {
  const lost = await rows.service(home, 'quiet')
  let miss: () => void = () => undefined
  const missed = new Promise<void>((resolve) => {
    miss = resolve
  })
  const events: Events = {
    ...it.events,
    async *subscribe() {
      await missed
      yield { kind: 'gap', cursor: 'x' }
    },
  }
  const other = createRegistry({ ...it, events, clock: systemClock, log, signal: stopping.signal })
  await other.ready
  expect(other.service(lost)?.name).toBe('quiet')
  const later = await rows.service(home, 'later')
  miss()
  await until(() => other.service(later) !== undefined)
})
