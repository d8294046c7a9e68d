/** Every route × every asker, through the real pipeline with real sign-ins; and every permission × whose thing it is. */
import { fail, KalnetError } from '@kalnet/contracts/errors'
import {
  type Actor,
  PERMISSIONS,
  type Permission,
  type Role,
  SCOPES,
  UNPROVED,
} from '@kalnet/contracts/permission'
import type { AnyRoute } from '@kalnet/contracts/route'
import { ROUTES } from '@kalnet/contracts/routes'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { handle } from '../core/http.ts'
import { hashOfSecret } from '../keys/secret.ts'
import { type Rows, rowsOf } from '../testing/rows.ts'
import { type Answer, type AskOptions, type TestServer, testServer } from '../testing/server.ts'
import { demand } from './access.ts'
import { ASKERS, type Asker, MATRIX } from './matrix.ts'

const routes: AnyRoute[] = Object.values(ROUTES).flatMap((group) => Object.values(group))
const nameOf = (route: AnyRoute) => `${route.method} ${route.path}`
const roles: readonly Role[] = ['owner', 'admin', 'member', 'child', 'guest']

/** Who else may ask, beside the roles of the matrix: each is let in where the table of permissions says so, and nowhere else. */
const OTHERS = [
  'owner of another organisation',
  'key with the scope',
  'key without the scope',
  'key of a child',
  'revoked key',
  'expired key',
  'key of somebody switched off',
  'invented key',
  'revoked sign-in',
  'expired sign-in',
  'somebody switched off',
  'unproved sign-in',
] as const
type Other = (typeof OTHERS)[number]

describe('[IDN-3.matrix] every route × every asker', () => {
  let server: TestServer
  let rows: Rows
  /** What each asker brings. */
  const brings = new Map<string, AskOptions>()
  const secretOf = (n: number) => `${n}`.padStart(43, 's')
  let made = 0

  async function key(whose: { organisationId: string; userId: string }, given: object) {
    made += 1
    const publicId = `${made}`.padStart(12, 'k')
    const hash = hashOfSecret(secretOf(made))
    await rows.add('service_keys', {
      organisation_id: whose.organisationId,
      user_id: whose.userId,
      public_id: publicId,
      secret_hash: hash,
      expires_at: new Date(Date.now() + 3600_000),
      ...given,
    })
    return { headers: { authorization: `Bearer kal_${publicId}_${secretOf(made)}` } }
  }

  beforeAll(async () => {
    // Behind the pipeline stands a mark instead of the work: what reaches it was let in.
    const mark = (route: AnyRoute) =>
      handle({ ...route, limits: undefined }, () => Promise.reject(fail('thing.unknown', { kind: 'mark' })))
    server = await testServer({ bare: true, handlers: routes.map(mark) })
    rows = await rowsOf(server.url)
    const owner = await server.person('owner')
    brings.set('nobody', {})
    brings.set('local', { local: true })
    brings.set('owner', { as: owner.secret })
    for (const role of roles.slice(1))
      brings.set(role, { as: (await server.person(role, owner.organisationId)).secret })
    const { organisationId } = owner
    const set = (who: Other, options: AskOptions) => brings.set(who, options)
    set('owner of another organisation', { as: (await server.person('owner')).secret })
    for (const scope of SCOPES) {
      brings.set(`with ${scope}`, await key(owner, { scopes: [scope] }))
      brings.set(`without ${scope}`, await key(owner, { scopes: SCOPES.filter((it) => it !== scope) }))
    }
    const child = await server.person('child', organisationId)
    set('key of a child', await key(child, { scopes: SCOPES }))
    const revoked = await key(owner, { scopes: SCOPES })
    await rows.client.query('delete from service_keys where public_id = $1', [`${made}`.padStart(12, 'k')])
    set('revoked key', revoked)
    set('expired key', await key(owner, { scopes: SCOPES, expires_at: new Date(Date.now() - 1_000) }))
    const off = await server.person('owner', organisationId)
    set('key of somebody switched off', await key(off, { scopes: SCOPES }))
    set('somebody switched off', { as: off.secret })
    await rows.client.query("update users set state = 'off' where id = $1", [off.userId])
    set('invented key', { headers: { authorization: `Bearer kal_inventedkey1_${'x'.repeat(43)}` } })
    const [ended, old] = [
      await server.person('owner', organisationId),
      await server.person('owner', organisationId),
    ]
    await rows.client.query('delete from sign_ins where id = $1', [ended.signInId])
    await rows.client.query("update sign_ins set expires_at = now() - interval '1 s' where id = $1", [
      old.signInId,
    ])
    set('revoked sign-in', { as: ended.secret })
    set('expired sign-in', { as: old.secret })
    const demanding = await server.person('owner')
    await rows.add('sign_in_policies', {
      organisation_id: demanding.organisationId,
      role: 'owner',
      assurance: 2,
      idle_ms: 3600_000,
      absolute_ms: 3600_000,
    })
    set('unproved sign-in', { as: demanding.secret })
  })
  afterAll(async () => {
    await rows.end()
    await server.end()
  })

  it('the matrix names exactly the routes there are', () => {
    expect(routes.map(nameOf).sort()).toEqual(Object.keys(MATRIX).sort())
  })
  it('every route there is goes through the pipeline', () => {
    expect(server.http.routes().map(nameOf).sort()).toEqual(Object.keys(MATRIX).sort())
  })

  /** The code of the answer, in whichever form the route answers. */
  function codeOf(answer: Answer): string {
    const sent = new URL(answer.headers.location ?? '/', 'http://here').searchParams.get('problem')
    if (sent) return sent
    if (answer.body.error) return answer.body.error.code
    const byStatus: Record<string, string> = {
      401: 'sign-in.required',
      403: 'permission.denied',
      404: 'thing.unknown',
      429: 'request.too-many',
    }
    return byStatus[String(answer.body.status)] ?? 'done'
  }
  async function asked(route: AnyRoute, options: AskOptions): Promise<string> {
    const path = route.path.replace(/:(\w+)/g, '01920000-0000-7000-8000-000000000001')
    const body = route.method === 'GET' || route.method === 'DELETE' ? undefined : {}
    return codeOf(await server.ask(route.method, path, { ...options, body }))
  }
  const REFUSED = new Set([
    'sign-in.required',
    'sign-in.unproved',
    'permission.denied',
    'route.unknown',
    'key.invalid',
    'request.too-many',
  ])
  const verdict = (code: string) => (REFUSED.has(code) ? 'refused' : 'let in')
  const may = (name: string, asker: Asker) => (MATRIX[name]?.may.includes(asker) ? 'let in' : 'refused')

  const cases = routes.flatMap((route) => ASKERS.map((asker) => [nameOf(route), asker, route] as const))
  it.each(cases)('%s as %s', async (name, asker, route) => {
    const code = await asked(route, brings.get(asker) ?? {})
    expect(verdict(code)).toBe(may(name, asker))
    if (asker === 'nobody' && may(name, asker) === 'refused')
      expect(['sign-in.required', 'route.unknown']).toContain(code)
  })

  /** What each of the others is, seen from the matrix: like an owner, like a child, like nobody; or refused whatever it asks. */
  function expected(route: AnyRoute, other: Other): string {
    const name = nameOf(route)
    const scoped = (SCOPES as readonly string[]).includes(route.permission)
    switch (other) {
      case 'owner of another organisation':
        return may(name, 'owner')
      case 'key with the scope':
        return route.permission === 'public' ? 'let in' : scoped ? may(name, 'owner') : 'refused'
      case 'key without the scope':
        return route.permission === 'public' ? 'let in' : 'refused'
      case 'unproved sign-in':
        return route.permission === 'public' || UNPROVED.includes(route.permission)
          ? may(name, 'owner')
          : 'refused'
      case 'revoked sign-in':
      case 'expired sign-in':
      case 'somebody switched off':
        return may(name, 'nobody')
      default:
        // A child may have no keys; and whoever shows a key that is none is refused, also where nothing is asked for.
        return 'refused'
    }
  }
  const otherCases = routes.flatMap((route) => OTHERS.map((other) => [nameOf(route), other, route] as const))
  it.each(otherCases)('%s as %s', async (_, other, route) => {
    const scope = (SCOPES as readonly string[]).includes(route.permission) ? route.permission : 'me.read'
    const who =
      other === 'key with the scope'
        ? `with ${scope}`
        : other === 'key without the scope'
          ? `without ${scope}`
          : other
    const code = await asked(route, brings.get(who) ?? {})
    expect(verdict(code), code).toBe(expected(route, other))
  })
})

describe('[IDN-3.matrix] every permission × whose thing it is', () => {
  const HOME = '01920000-0000-7000-8000-00000000000a'
  const ME = '01920000-0000-7000-8000-000000000001'
  const owned = {
    'my own': { organisationId: HOME, userId: ME },
    'of another person': { organisationId: HOME, userId: '01920000-0000-7000-8000-000000000002' },
    "the organisation's": { organisationId: HOME, userId: null },
    'of another organisation': { organisationId: '01920000-0000-7000-8000-00000000000b', userId: ME },
  }
  type Whose = keyof typeof owned
  const judged = (actor: Actor, permission: Permission, whose: Whose) => {
    try {
      demand(actor, permission, owned[whose])
      return 'yes'
    } catch (error) {
      return error instanceof KalnetError ? error.code : 'broken'
    }
  }
  const about = (permission: Permission) =>
    routes.filter((route) => route.permission === permission).map((route) => MATRIX[nameOf(route)]?.about)
  const permissions = (Object.keys(PERMISSIONS) as Permission[]).filter(
    (permission) => permission !== 'public' && permission !== 'local',
  )
  it.each(permissions.flatMap((permission) => roles.map((role) => [permission, role] as const)))(
    '%s as %s',
    (permission, role) => {
      const actor: Actor = { kind: 'user', userId: ME, organisationId: HOME, role, scopes: null }
      expect(judged(actor, permission, 'of another organisation')).toBe('thing.unknown')
      const reach = about(permission)
      const steward = role === 'owner' || role === 'admin'
      if (reach.includes('own'))
        expect(judged(actor, permission, 'of another person')).toBe('permission.denied')
      if (reach.includes('organisation')) {
        expect(judged(actor, permission, 'my own')).toBe('yes')
        expect(judged(actor, permission, 'of another person')).toBe(steward ? 'yes' : 'permission.denied')
      }
      if (permission.startsWith('controller.'))
        expect(judged(actor, permission, "the organisation's")).toBe(steward ? 'yes' : 'permission.denied')
    },
  )
  it('nobody watches the screen of another, not even the owner', () => {
    const owner: Actor = { kind: 'user', userId: ME, organisationId: HOME, role: 'owner', scopes: null }
    expect(judged(owner, 'stream.open', 'of another person')).toBe('permission.denied')
    expect(judged(owner, 'stream.open', 'my own')).toBe('yes')
  })
})
