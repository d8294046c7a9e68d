import { config as configSchema } from '@kalnet/contracts/config'
import type { GatewayRoute, Snapshot } from '@kalnet/contracts/gateway'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createForwardRegister } from '../apps/forward-routes.ts'
import { createRegistry, type Registry } from '../registry/registry.ts'
import { type Rows, rowsOf } from '../testing/rows.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { createCalls } from './calls.ts'
import { createRegister, type Register } from './register.ts'
import { routesOfGateway } from './routes.ts'
import { createSnapshots, type Snapshots } from './snapshot.ts'

const log = createLog('test', 'silent')
const config = configSchema.parse({})
const stopping = new AbortController()
let server: TestServer
let rows: Rows
let register: Register
let registry: Registry
let snapshots: Snapshots
let owner: Awaited<ReturnType<TestServer['person']>>
let serviceId: string

const addService = async (organisationId: string, name: string) =>
  String(
    (
      await rows.add('services', {
        organisation_id: organisationId,
        name,
        title: `The ${name}`,
        kind: 'managed',
        desired: 'running',
        release_number: 1,
      })
    ).id,
  )

beforeAll(async () => {
  server = await testServer({ doors: true, listen: false })
  rows = await rowsOf(server.url)
  const { store, events } = server
  const signal = stopping.signal
  register = createRegister({ store, events, clock: systemClock, config, ownHosts: server.http.own.hosts })
  registry = createRegistry({ store, events, clock: systemClock, log, signal })
  snapshots = createSnapshots({
    registry,
    register,
    events,
    clock: systemClock,
    log,
    domain: config.domain,
    signal,
  })
  const calls = createCalls(systemClock, () => [])
  server.http.add(
    routesOfGateway({
      register,
      snapshots,
      calls,
      figures: () => [],
      problems: () => [],
      inside: () => server.origin,
      ownHosts: server.http.own.hosts,
      machine: 'here',
      authorityFile: null,
      signal,
    }),
  )
  await server.http.listen()
  owner = await server.person('owner')
  serviceId = await addService(owner.organisationId, 'notes')
  await snapshots.ready
})
afterAll(async () => {
  stopping.abort(new Error('over'))
  await rows?.end()
  await server?.end()
})

const http = (host: string, pathPrefix = '/') => ({ kind: 'http', host, pathPrefix })
const ask = (method: string, path: string, body?: object, as = owner.secret) =>
  server.ask(method, path, { as, body, headers: { origin: server.origin } })
const add = (match: object, more: object = {}) =>
  ask('POST', '/api/routes', { match, serviceId, port: 'http', ...more })
const rulesOf = async (host: string) =>
  (
    await rows.client.query(
      'select path_prefix, who, allowed_roles, app_passwords from forward_routes where host = $1 order by path_prefix',
      [host],
    )
  ).rows

describe('[NET-1.routes] the register of routes', () => {
  it('an address leads to a service, who may pass stands beside it, and all of it goes together', async () => {
    const made = await add(http('Notes.Example.org'), { allowed: { roles: ['child'], groups: [] } })
    expect(made.status, made.text).toBe(200)
    const route = made.body as unknown as GatewayRoute
    expect(route.url).toBe('http://notes.example.org:8080/')
    expect(await rulesOf('notes.example.org')).toEqual([
      { path_prefix: '/', who: 'people', allowed_roles: ['child'], app_passwords: false },
    ])
    const changed = await ask('PATCH', `/api/routes/${route.id}`, { access: 'public', exposure: 'external' })
    expect(changed.body).toMatchObject({
      access: 'public',
      exposure: 'external',
      allowed: { roles: ['child'] },
    })
    expect(await rulesOf('notes.example.org')).toMatchObject([{ who: 'public' }])
    expect((await ask('DELETE', `/api/routes/${route.id}`)).status).toBe(200)
    expect(await rulesOf('notes.example.org')).toEqual([])
    expect((await ask('DELETE', `/api/routes/${route.id}`)).status).toBe(404)
  })

  it.each(['kalnet.home.arpa', 'localhost'])(
    '[STR-1.isolated-origin] %s is the dashboard’s alone',
    async (host) => {
      const answer = await add(http(host))
      expect(answer.body.error?.code, answer.text).toBe('gateway-route.invalid')
      expect(answer.body.error?.message).toContain('the address of Kalnet itself')
    },
  )

  it.each([
    ['people at a whole domain', http('*.example.org'), 'gateway-route.invalid'],
    ["a port of Kalnet's own", { kind: 'tcp', listen: 7400 }, 'gateway-route.invalid'],
    ['a host with a port', http('a.example.org:80'), 'request.invalid'],
    ['a host with spaces', http('a b'), 'request.invalid'],
    ['an address instead of a name', http('a..b'), 'request.invalid'],
    ['a path that climbs', http('a.example.org', '/../x'), 'request.invalid'],
    ['port 0', { kind: 'udp', listen: 0 }, 'request.invalid'],
    ['an unknown kind', { kind: 'sctp', listen: 5 }, 'request.invalid'],
    ['an unknown key', { ...http('a.example.org'), wild: true }, 'request.invalid'],
  ])('refuses %s, and says why', async (_what, match, code) => {
    const answer = await add(match)
    expect(answer.body.error?.code, answer.text).toBe(code)
    expect(answer.body.error?.message.length).toBeGreaterThan(20)
  })

  it('an address leads to one place: twice is refused, in this household and in another', async () => {
    expect((await add(http('one.example.org'))).status).toBe(200)
    const again = await add(http('one.example.org'))
    expect(again.body.error).toMatchObject({ code: 'gateway-route.taken', details: { name: 'The notes' } })
    expect((await add(http('one.example.org', '/deep'))).status).toBe(200)
    const other = await server.person('owner')
    const theirs = await addService(other.organisationId, 'theirs')
    for (const match of [http('one.example.org'), http('one.example.org', '/other')]) {
      const answer = await ask(
        'POST',
        '/api/routes',
        { match, serviceId: theirs, port: 'http' },
        other.secret,
      )
      expect(answer.body.error).toMatchObject({
        code: 'gateway-route.taken',
        details: { name: 'another place' },
      })
    }
    const foreign = await ask(
      'POST',
      '/api/routes',
      { match: http('x.example.org'), serviceId, port: 'http' },
      other.secret,
    )
    expect(foreign.body.error?.code).toBe('thing.unknown')
    const mine = (await ask('GET', '/api/routes')).body as unknown as { items: GatewayRoute[] }
    expect(mine.items.map((it) => it.match.kind === 'http' && it.match.pathPrefix)).toEqual(['/', '/deep'])
  })

  it('twenty at the same moment: one', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => add({ kind: 'udp', listen: 30_000 })))
    expect(answers.filter((it) => it.status === 200).length).toBe(1)
    expect(new Set(answers.filter((it) => it.status !== 200).map((it) => it.body.error?.code))).toEqual(
      new Set(['gateway-route.taken']),
    )
  })

  it('the doors of a template come and go with their service; open paths are open', async () => {
    const { organisationId } = owner
    const id = await addService(organisationId, 'hooks')
    const doors = [
      { port: 'http', kind: 'http', access: 'people', paths: ['/webhook'], appPasswords: true },
      { port: 'game', kind: 'udp', listen: 30_001, access: 'people', paths: [], appPasswords: false },
    ] as const
    await server.store.as(organisationId).transaction((tx) =>
      register.addDoors(
        tx,
        { id, name: 'hooks', organisationId },
        doors.map((it) => ({ ...it, paths: [...it.paths] })),
      ),
    )
    expect(await rulesOf('hooks.localhost')).toMatchObject([
      { path_prefix: '/', who: 'people', app_passwords: true },
      { path_prefix: '/webhook', who: 'public', app_passwords: false },
    ])
    const listed = (await ask('GET', `/api/routes?service=${id}`)).body as unknown as {
      items: GatewayRoute[]
    }
    expect(listed.items.map((it) => [it.match.kind, it.byTemplate])).toEqual([
      ['http', true],
      ['udp', true],
    ])
    // What belongs to a route is not changed apart from it.
    const guards = createForwardRegister({
      store: server.store,
      clock: systemClock,
      address: () => server.origin,
      changed: () => undefined,
    })
    const actor = { kind: 'user', role: 'owner', scopes: null, ...owner } as const
    const { items } = await guards.list(actor, { limit: 50 })
    const rule = items.find((it) => it.host === 'hooks.localhost')!
    const refused = { code: 'forward-route.of-service' }
    await expect(guards.change(actor, rule.id, { who: 'public' })).rejects.toMatchObject(refused)
    await expect(guards.remove(actor, rule.id)).rejects.toMatchObject(refused)
    await server.store.as(organisationId).transaction((tx) => register.removeDoors(tx, id))
    expect(await rulesOf('hooks.localhost')).toEqual([])
  })
})

describe('[NET-3.snapshot] what a gateway serves from', () => {
  const read = async (query = '') =>
    (await ask('GET', `/api/gateway/snapshot${query}`)).body as unknown as Snapshot
  it('follows every change, tells whoever waits, and shows a household its own', async () => {
    const before = await read()
    const waiting = read(`?after=${before.version}`)
    const made = (await add(http('soon.example.org'))).body as unknown as GatewayRoute
    let after = await waiting
    expect(after.version).not.toBe(before.version)
    // What other tests changed a moment ago may be told first.
    while (!after.routes.some((it) => it.id === made.id)) after = await read(`?after=${after.version}`)
    expect(after.routes.every((it) => it.organisationId === owner.organisationId)).toBe(true)
    const other = await server.person('owner')
    const theirs = await ask('GET', '/api/gateway/snapshot', undefined, other.secret)
    expect(theirs.body).toMatchObject({ routes: [], endpoints: [] })
  })
})
