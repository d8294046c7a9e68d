/**
 * Every route that names a thing, on a real thing of another organisation, through the whole control plane: it "is not there". A new route with a
 * parameter needs a line in OBJECTS (how such a thing is made) or in NOT_OF_ONE (why it belongs to no organisation).
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { SCOPES } from '@kalnet/contracts/permission'
import type { AnyRoute } from '@kalnet/contracts/route'
import { ROUTES } from '@kalnet/contracts/routes'
import { createLog } from '@kalnet/io/log'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../core/testing.ts'
import { hashOf, newSecret } from '../identity/cookie.ts'
import { hashOfSecret } from '../keys/secret.ts'
import { createServer } from '../server.ts'
import { type Rows, rowsOf } from '../testing/rows.ts'
import { type AskOptions, askAt, freePort } from '../testing/server.ts'

interface Home {
  organisationId: string
  userId: string
}
/** Makes one in that organisation, of that person where it is somebody's own; answers how the address names it. */
type Make = (rows: Rows, home: Home) => Promise<string>
const add =
  (table: string, given: (home: Home) => Record<string, unknown> = () => ({}), named = 'id'): Make =>
  async (rows, home) => {
    const row = await rows.add(table, { organisation_id: home.organisationId, ...given(home) })
    return String(row[named])
  }
const own = ({ userId }: Home) => ({ user_id: userId })
const person = add('users', () => ({ role: 'member', email: `${randomUUID()}@example.org` }))
const account: Make = add('users', () => ({ kind: 'service', role: 'member' }))

const OBJECTS: Record<string, Make> = {
  '/api/passkeys/:id': add('passkeys', own),
  '/api/sign-ins/:id': add('sign_ins', own),
  '/api/sessions/:id': async (rows, home) => {
    const controller = await add('controllers')(rows, home)
    const instance = await add('instances', () => ({ controller_id: controller }))(rows, home)
    return add('sessions', () => ({ ...own(home), instance_id: instance, state: 'running' }))(rows, home)
  },
  '/api/controllers/:id': add('controllers'),
  '/api/routes/:id': async (rows, home) => {
    const service = await add('services')(rows, home)
    return add('gateway_routes', () => ({
      service_id: service,
      kind: 'http',
      host: `${randomUUID()}.example.org`,
      path_prefix: '/',
    }))(rows, home)
  },
  '/api/services/register/:id': async (rows, home) => {
    const service = await add('services', () => ({ kind: 'outside', desired: 'running', replicas: 1 }))(
      rows,
      home,
    )
    return add('registrations', () => ({ service_id: service, ports: '[]' }))(rows, home)
  },
  '/api/services/:id': add('services', () => ({ kind: 'outside', desired: 'running', replicas: 1 })),
  '/api/me/keys/:id': add('service_keys', (home) => ({ ...own(home), scopes: ['me.read'] })),
  '/api/keys/:id': async (rows, home) => {
    const userId = await account(rows, home)
    return add('service_keys', () => ({ user_id: userId, scopes: ['me.read'] }))(rows, home)
  },
  '/api/service-accounts/:id': account,
  '/api/scim/v2/Users/:id': person,
  '/api/scim/v2/Groups/:id': add('groups'),
  '/api/people/:id': person,
  '/api/groups/:id': add('groups'),
  '/api/invitations/:id': add('invitations', () => ({
    role: 'member',
    email: `${randomUUID()}@example.org`,
  })),
  '/api/providers/:id': add('identity_providers', () => ({ settings: '{}', rules: '[]' })),
  '/api/me/linked-accounts/:id': async (rows, home) => {
    const provider = await add('identity_providers', () => ({ enabled: true }))(rows, home)
    return add('identities', () => ({ ...own(home), provider_id: provider }))(rows, home)
  },
  '/api/apps/:id': add('apps', () => ({ kind: 'public' })),
  '/api/my-apps/:id': async (rows, home) => {
    const app = await add('apps', () => ({ kind: 'public' }))(rows, home)
    await add('app_consents', () => ({ ...own(home), app_id: app }), 'app_id')(rows, home)
    return app
  },
  '/api/forward-routes/:id': add('forward_routes'),
  '/api/app-passwords/:id': add('app_passwords', own),
  '/api/certificates/:id': add('certificates', () => ({ source: 'own', state: 'valid' })),
}
const NOT_OF_ONE: Record<string, string> = {
  '/api/certificates/authority/:form': "the installation's own authority, public",
  '/api/templates/:id': 'the catalog belongs to the installation',
  '/api/scim/v2/ResourceTypes/:id': 'words of the protocol',
  '/api/scim/v2/Schemas/:id': 'words of the protocol',
  '/api/sign-in-policies/:role': "a role of the asker's own organisation; there is no other in the address",
  '/api/sign-in/providers/:id': 'asked before anybody is signed in; what they show is public',
  '/api/consents/:uid': 'bound to the cookie of the browser that began; apps/ tests it',
}
/** Where nothing in the body would be refused before the thing is looked at. */
const BODIES: Record<string, object> = {
  'POST /api/sessions/:id/viewings': {
    id: randomUUID(),
    elapsedMs: 1,
    frames: 1,
    bytes: 1,
    keyToPictureMs: null,
  },
  'PATCH /api/passkeys/:id': { name: 'x' },
  'PATCH /api/controllers/:id': { cordoned: true },
  'PATCH /api/routes/:id': { exposure: 'external' },
  'POST /api/service-accounts/:id/keys': { name: 'x', scopes: ['me.read'] },
  'PUT /api/scim/v2/Users/:id': { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'x' },
  'PATCH /api/people/:id': { name: 'x' },
  'POST /api/people/:id/role': { role: 'guest' },
  'PATCH /api/groups/:id': { name: 'x' },
  'PATCH /api/providers/:id': { name: 'x' },
  'PATCH /api/apps/:id': { name: 'x' },
}

const routes: AnyRoute[] = Object.values(ROUTES).flatMap((group) => Object.values(group))
const nameOf = (route: AnyRoute) => `${route.method} ${route.path}`
const entryOf = <T>(table: Record<string, T>, path: string): T | undefined =>
  table[
    Object.keys(table)
      .filter((it) => path === it || path.startsWith(`${it}/`))
      .sort((a, b) => b.length - a.length)[0] ?? ''
  ]
const withThings = routes.filter((route) => route.path.includes(':'))
const tried = withThings.filter((route) => entryOf(OBJECTS, route.path))

describe('[IDN-3.objects] every route that names a thing', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>
  let folder: string
  let rows: Rows
  let server: Awaited<ReturnType<typeof createServer>>
  let port: number
  interface Someone extends Home {
    options: AskOptions
    key: AskOptions
  }
  let owner: Someone
  let housemate: Someone
  let stranger: Someone

  async function someone(organisationId: string, role: string): Promise<Someone> {
    const user = await rows.add('users', {
      organisation_id: organisationId,
      role,
      email: `${randomUUID()}@example.org`,
    })
    const userId = String(user.id)
    const whose = { organisation_id: organisationId, user_id: userId }
    const [secret, keySecret] = [newSecret(), 's'.repeat(43)]
    await rows.add('sign_ins', { ...whose, hash: hashOf(secret) })
    const publicId = randomUUID().replaceAll('-', '').slice(0, 12)
    await rows.add('service_keys', {
      ...whose,
      public_id: publicId,
      scopes: SCOPES,
      secret_hash: hashOfSecret(keySecret),
    })
    const authorization = `Bearer kal_${publicId}_${keySecret}`
    return { organisationId, userId, options: { as: secret }, key: { headers: { authorization } } }
  }

  beforeAll(async () => {
    database = await testDatabase()
    folder = await mkdtemp('/tmp/kalnet-test-')
    rows = await rowsOf(database.url)
    port = await freePort()
    server = await createServer({
      config: configSchema.parse({ listen: { port }, gateway: { enabled: false } }),
      folders: { data: join(folder, 'data'), runtime: join(folder, 'run'), config: join(folder, 'config') },
      log: createLog('test', 'silent'),
      databaseUrl: database.url,
    })
    await server.listen()
    const [home, club] = [randomUUID(), randomUUID()]
    for (const id of [home, club]) await rows.add('organisations', { id })
    owner = await someone(home, 'owner')
    housemate = await someone(home, 'owner')
    stranger = await someone(club, 'owner')
  })
  afterAll(async () => {
    await server.close()
    await rows.end()
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  })

  const asked = (route: AnyRoute, id: string, options: AskOptions) => {
    const path = route.path.replace(/:(\w+)/g, id)
    const body =
      route.method === 'GET' || route.method === 'DELETE' ? undefined : (BODIES[nameOf(route)] ?? {})
    return askAt({ port }, route.method, path, { ...options, body })
  }
  /** The thing as it stands in all tables, to see that nothing of it changed. */
  const state = async (home: Home) => {
    const all: unknown[] = []
    for (const table of rows.tenantTables) {
      // What keeps a record of the tries, or of when somebody was last here.
      if (/^(audit.*|events|service_keys|sign_ins|registrations)$/.test(table)) continue
      const text = `select t::text as row from "${table}" t where organisation_id = $1 order by 1`
      const found = (await rows.client.query<{ row: string }>(text, [home.organisationId])).rows
      // Kalnet itself says again and again that it is there.
      all.push(found.filter(({ row }) => table !== 'services' || !row.includes(',platform,')))
    }
    return all
  }

  it('each has its thing, or its reason', () => {
    const without = withThings.filter((it) => !entryOf(OBJECTS, it.path) && !entryOf(NOT_OF_ONE, it.path))
    expect(without.map(nameOf)).toEqual([])
  })
  it.each(tried.map((route) => [nameOf(route), route] as const))('%s', async (_, route) => {
    const make = entryOf(OBJECTS, route.path)
    if (!make) throw new Error('no such thing')
    const id = await make(rows, owner)
    const before = await state(owner)
    const byKey = (SCOPES as readonly string[]).includes(route.permission)
    for (const options of [stranger.options, ...(byKey ? [stranger.key] : [])]) {
      const foreign = await asked(route, id, options)
      expect(foreign.status, foreign.text).toBe(404)
      expect(foreign.text).not.toContain('route.unknown')
      // Word for word what is answered about a thing that never was.
      const none = await asked(route, randomUUID(), options)
      const bare = (text: string) =>
        text.replace(/"requestId":"[^"]*"/, '').replaceAll(/(id|request) [0-9a-f-]{36}/g, '')
      expect(bare(foreign.text)).toBe(bare(none.text))
    }
    expect(await state(owner)).toEqual(before)
    if (['me.secure', 'me.change', 'key.own', 'stream.open'].includes(route.permission)) {
      const theirs = await asked(route, id, housemate.options)
      expect([403, 404], theirs.text).toContain(theirs.status)
      expect(await state(owner)).toEqual(before)
    }
    // The control: the thing is real, and whose it is reaches it.
    const reached = await asked(route, id, owner.options)
    expect([401, 404], reached.text).not.toContain(reached.status)
  })
})
