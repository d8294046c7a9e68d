/** Programs say where they are, by the real pipeline: found at once, kept by heartbeats, gone without them. */
import type { Clock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { sql } from '../core/store.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { createAdmission } from './admitted.ts'
import { createRegistrations, type Registrations } from './registrations.ts'
import { createRegistry, type Registry } from './registry.ts'
import { routesOfRegistry } from './routes.ts'

const log = createLog('test', 'silent')
const stopping = new AbortController()
let late = 0
const clock: Clock = { now: () => new Date(Date.now() + late), sleep: async () => undefined }
let it: TestServer
let registry: Registry
let registrations: Registrations
let home: Awaited<ReturnType<TestServer['person']>>
let others: typeof home

const until = async (isSo: () => boolean | Promise<boolean>) => {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5))
}
const body = (more: object = {}) => ({
  name: 'printer',
  ports: [{ name: 'web', kind: 'http', host: '192.168.1.7', port: 80 }],
  metadata: { version: '1', tags: ['office'], capabilities: ['ipp'] },
  ...more,
})
const register = (more: object = {}, as = home.secret) =>
  it.ask('POST', '/api/services/register', { as, body: body(more), headers: { origin: it.origin } })
const lookup = async (query: string, as = home.secret) =>
  (await it.ask('GET', `/api/registry/lookup?${query}`, { as })).body as {
    services?: { name: string; endpoints: { direct: { host: string } }[] }[]
  }
const count = async (what: 'audit' | 'events' | 'registrations') => {
  const table = what === 'audit' ? sql`audit where action = 'service.registered'` : sql.table(what)
  const { rows } = await it.store.system.read((tx) =>
    sql<{ n: number }>`select count(*)::int as n from ${table}`.execute(tx),
  )
  return rows[0]?.n ?? 0
}

beforeAll(async () => {
  const handlers: Parameters<typeof routesOfRegistry>[0] = {
    registry: {
      lookup: (...asked) => registry.lookup(...asked),
      tagged: (...asked) => registry.tagged(...asked),
      capable: (...asked) => registry.capable(...asked),
    },
    registrations: {
      register: (...asked) => registrations.register(...asked),
      deregister: (...asked) => registrations.deregister(...asked),
      registerPlatform: (asked) => registrations.registerPlatform(asked),
      registerPart: (...asked) => registrations.registerPart(...asked),
      leavePart: (...asked) => registrations.leavePart(...asked),
      expire: () => registrations.expire(),
      run: (signal) => registrations.run(signal),
    },
  }
  it = await testServer({ handlers: routesOfRegistry(handlers) })
  const { store, events } = it
  registry = createRegistry({ store, events, clock, log, signal: stopping.signal })
  registrations = createRegistrations({
    store,
    events,
    clock,
    log,
    problemOf: createAdmission({ allow: [], ours: ['10.214.0.0/16'] }),
    tell: async (tx, id) => {
      const { rows } = await sql<{ organisation_id: string }>`
        select organisation_id from services where id = ${id}::uuid`.execute(tx)
      const organisationId = rows[0]?.organisation_id ?? null
      await events.publish(tx, 'service.changed', { organisationId, userId: null }, { id } as never)
    },
  })
  home = await it.person('owner')
  others = await it.person('owner')
  await registry.ready
})
afterAll(async () => {
  stopping.abort()
  await it.end()
})
beforeEach(() => {
  late = 0
})

test('[MSH-1.register] what registered is found by name, tag and capability; the same again is a heartbeat', async () => {
  const first = await register()
  expect(first.status).toBe(200)
  await until(() => registry.lookup(home.organisationId, 'printer') !== undefined)
  for (const query of ['name=printer', 'tag=office', 'capability=ipp'])
    expect((await lookup(query)).services?.[0]?.endpoints).toMatchObject([
      { port: 'web', direct: { host: '192.168.1.7', port: 80, machine: null }, health: null },
    ])
  const [rows, events] = [await count('audit'), await count('events')]
  late = 20_000
  const again = await register()
  expect(again.body.registrationId).toBe(first.body.registrationId)
  expect(String(again.body.expiresAt) > String(first.body.expiresAt)).toBe(true)
  expect([await count('audit'), await count('events')]).toEqual([rows, events])
  const moved = await register({ ports: [{ name: 'web', kind: 'http', host: '192.168.1.8', port: 80 }] })
  expect(moved.body.registrationId).toBe(first.body.registrationId)
  expect(await count('audit')).toBe(rows + 1)
  await until(
    () => registry.lookup(home.organisationId, 'printer')?.endpoints[0]?.direct?.host === '192.168.1.8',
  )
})

test('[MSH-1.tenants] others do not see it, nor end it', async () => {
  const { body: made } = await register()
  expect((await it.ask('GET', '/api/registry/lookup?name=printer', { as: others.secret })).status).toBe(404)
  const asked = await it.ask('DELETE', `/api/services/register/${made.registrationId}`, {
    as: others.secret,
    headers: { origin: it.origin },
  })
  expect(asked.status).toBe(404)
})

test('[MSH-1.expiry] two instances; without heartbeats they go, and the service with them', async () => {
  await register({ name: 'radio', instance: 'one', ttlMs: 2_000 })
  await register({ name: 'radio', instance: 'two', ttlMs: 60_000, weight: 3 })
  await until(() => registry.lookup(home.organisationId, 'radio')?.endpoints.length === 2)
  late = 5_000
  // Two servers look at once.
  const gone = await Promise.all([registrations.expire(), registrations.expire()])
  expect(gone.toSorted()).toEqual([0, 1])
  await until(() => registry.lookup(home.organisationId, 'radio')?.endpoints.length === 1)
  expect(registry.lookup(home.organisationId, 'radio')?.endpoints[0]?.weight).toBe(3)
  late = 70_000
  await registrations.expire()
  await until(() => registry.lookup(home.organisationId, 'radio') === undefined)
  const back = await register({ name: 'radio', instance: 'one' })
  expect(back.status).toBe(200)
})

test('[MSH-1.expiry] while a route leads to it, it stays, with nothing to lead to', async () => {
  const { body: made } = await register({ name: 'camera' })
  await it.store.system.transaction((tx) =>
    sql`insert into gateway_routes (id, organisation_id, service_id, port, kind, host, exposure, access, created_at, changed_at)
      values (gen_random_uuid(), ${home.organisationId}, ${String(made.serviceId)}, 'web', 'http', 'camera.home', 'internal', 'people', now(), now())`.execute(
      tx,
    ),
  )
  const end = () =>
    it.ask('DELETE', `/api/services/register/${made.registrationId}`, {
      as: home.secret,
      headers: { origin: it.origin },
    })
  expect((await end()).status).toBe(200)
  await until(() => registry.lookup(home.organisationId, 'camera')?.endpoints.length === 0)
  expect((await end()).body.error?.code).toBe('registration.unknown')
})

test.each([
  ['loopback', { ports: [{ name: 'web', kind: 'http', host: '127.0.0.1', port: 22 }] }],
  ['the address of a cloud', { ports: [{ name: 'web', kind: 'http', host: '169.254.169.254', port: 80 }] }],
  ['an instance of ours', { ports: [{ name: 'web', kind: 'http', host: '10.214.0.2', port: 80 }] }],
  ['a name', { ports: [{ name: 'web', kind: 'http', host: 'localhost', port: 80 }] }],
  ['two ports of one name', { ports: [body().ports[0], body().ports[0]] }],
  ['no port', { ports: [] }],
  ['a word too much', { admin: true }],
])('[MSH-1.admitted] %s is refused', async (_, more) => {
  const answer = await register({ name: 'bad', ...more })
  expect(answer.body.error?.code).toBe('request.invalid')
  expect(registry.lookup(home.organisationId, 'bad')).toBeUndefined()
})

test('[MSH-1.platform] parts of Kalnet are there in every organisation, and nobody takes their place', async () => {
  const ports = [{ name: 'web', kind: 'http' as const, host: '127.0.0.1', port: 7400, machine: 'here' }]
  const metadata = { version: '1', tags: ['kalnet'], capabilities: ['http'] }
  await registrations.registerPlatform({
    name: 'kalnet',
    instance: 'a',
    ports,
    metadata,
    ttlMs: 30_000,
    weight: 1,
  })
  for (const { organisationId } of [home, others])
    await until(() => registry.lookup(organisationId, 'kalnet')?.endpoints[0]?.direct?.machine === 'here')
  expect((await register({ name: 'kalnet' })).body.error?.code).toBe('service.name-taken')
})

test.each(['', 'name=a&tag=b', 'colour=red'])('[MSH-2.http] a question that is none: %s', async (query) => {
  const answer = await it.ask('GET', `/api/registry/lookup?${query}`, { as: home.secret })
  expect(answer.body.error?.code).toBe('request.invalid')
})
