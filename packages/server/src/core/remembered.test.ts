/** Who asks is remembered for a second, and no longer than the sign-in lives. */

import type { AnyRoute } from '@kalnet/contracts/route'
import { ROUTES } from '@kalnet/contracts/routes'
import { expect, test } from 'vitest'
import type { Credentials } from './http.ts'
import { createRemembered } from './remembered.ts'

const asker = (signInId: string) => ({
  actor: { kind: 'user' as const, userId: 'u', organisationId: 'o', role: 'member' as const, scopes: null },
  signIn: { id: signInId, hash: 'h', provedAt: '' },
})
const credentials = (more: Partial<Credentials> = {}): Credentials => ({
  cookie: 'kalnet=a',
  authorization: '',
  secure: false,
  local: false,
  address: '127.0.0.1',
  ...more,
})
function setUp() {
  let now = 0
  let asked = 0
  const remembered = createRemembered({
    clock: { now: () => new Date(now), sleep: async () => undefined },
    authenticate: async ({ cookie }) => {
      asked += 1
      return cookie === 'kalnet=nobody' ? { actor: null, signIn: null } : asker(cookie)
    },
  })
  const pass = (ms: number) => {
    now += ms
  }
  return { remembered, asked: () => asked, pass }
}

test('[MSH-2.remembered] the same asker is looked up once in a second', async () => {
  const { remembered, asked, pass } = setUp()
  for (const _ of [1, 2, 3]) await remembered.authenticate(credentials())
  expect(asked()).toBe(1)
  pass(1_000)
  await remembered.authenticate(credentials())
  expect(asked()).toBe(2)
})

test.each([
  ['another cookie', { cookie: 'kalnet=b' }],
  ['a key beside it', { authorization: 'Bearer kal_x' }],
  ['the other scheme', { secure: true }],
])('[MSH-2.remembered] %s is another asker', async (_, more) => {
  const { remembered, asked } = setUp()
  await remembered.authenticate(credentials())
  await remembered.authenticate(credentials(more))
  expect(asked()).toBe(2)
})

test('[MSH-2.remembered] nobody and the control socket are never remembered', async () => {
  const { remembered, asked } = setUp()
  for (const more of [{ cookie: 'kalnet=nobody' }, { local: true }])
    for (const _ of [1, 2]) await remembered.authenticate(credentials(more))
  expect(asked()).toBe(4)
})

test('[MSH-2.remembered] what ended is forgotten, also while it is being looked up', async () => {
  const { remembered, asked } = setUp()
  await remembered.authenticate(credentials())
  remembered.forget('kalnet=a')
  const late = remembered.authenticate(credentials())
  remembered.forget('kalnet=a')
  await late
  await remembered.authenticate(credentials())
  expect(asked()).toBe(3)
})

test('[MSH-2.remembered] only what reads, and leaves no row, may say so', () => {
  const routes: AnyRoute[] = Object.values(ROUTES).flatMap((group) => Object.values(group))
  const said = routes.filter((route) => route.remembered)
  expect(said.map((route) => `${route.method} ${route.path}`)).toEqual([
    'GET /api/registry/lookup',
    // What a gateway asks about a request is a body; nothing is changed by it.
    'POST /api/gateway/judge',
  ])
  for (const route of said) expect([route.audit, route.stepUp]).toEqual([null, undefined])
})
