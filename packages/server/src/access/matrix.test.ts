/** Every route × every asker, through the real pipeline with real sign-ins; and every permission × whose thing it is. */
import { fail, KalnetError } from '@kalnet/contracts/errors'
import { type Actor, PERMISSIONS, type Permission, type Role } from '@kalnet/contracts/permission'
import type { AnyRoute } from '@kalnet/contracts/route'
import { ROUTES } from '@kalnet/contracts/routes'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { handle } from '../core/http.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { demand } from './access.ts'
import { ASKERS, type Asker, MATRIX } from './matrix.ts'

const routes: AnyRoute[] = Object.values(ROUTES).flatMap((group) => Object.values(group))
const nameOf = (route: AnyRoute) => `${route.method} ${route.path}`
const roles: readonly Role[] = ['owner', 'admin', 'member', 'child', 'guest']

describe('[IDN-3.matrix] every route × every asker', () => {
  let server: TestServer
  const secrets = new Map<Asker, string>()
  beforeAll(async () => {
    // Behind the pipeline stands a mark instead of the work: what reaches it was let in.
    const mark = (route: AnyRoute) =>
      handle({ ...route, limits: undefined }, () => Promise.reject(fail('thing.unknown', { kind: 'mark' })))
    server = await testServer({ bare: true, handlers: routes.map(mark) })
    const owner = await server.person('owner')
    secrets.set('owner', owner.secret)
    for (const role of roles.slice(1))
      secrets.set(role, (await server.person(role, owner.organisationId)).secret)
  })
  afterAll(() => server.end())

  it('the matrix names exactly the routes there are', () => {
    expect(routes.map(nameOf).sort()).toEqual(Object.keys(MATRIX).sort())
  })
  it('every route there is goes through the pipeline', () => {
    expect(server.http.routes().map(nameOf).sort()).toEqual(Object.keys(MATRIX).sort())
  })

  const REFUSED = new Set(['sign-in.required', 'permission.denied', 'route.unknown'])
  const cases = routes.flatMap((route) => ASKERS.map((asker) => [nameOf(route), asker, route] as const))
  it.each(cases)('%s as %s', async (name, asker, route) => {
    const as = secrets.get(asker)
    const path = route.path.replace(':id', '01920000-0000-7000-8000-000000000001')
    const body = route.method === 'GET' || route.method === 'DELETE' ? undefined : {}
    const answer = await server.ask(route.method, path, { as, body, local: asker === 'local' })
    const code = answer.body.error?.code ?? 'done'
    expect(REFUSED.has(code) ? 'refused' : 'let in').toBe(
      MATRIX[name]?.may.includes(asker) ? 'let in' : 'refused',
    )
    if (asker === 'nobody' && !MATRIX[name]?.may.includes(asker))
      expect(['sign-in.required', 'route.unknown']).toContain(code)
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
