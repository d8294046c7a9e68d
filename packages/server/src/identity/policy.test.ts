/** Every way to sign in × every policy ends at the assurance demanded; and changing a policy reaches those who are in. */
import type { Role } from '@kalnet/contracts/permission'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeOf, createDoor, type DoorOfTest, movingClock, type Person, secretOf } from '../testing/door.ts'
import type { TestServer } from '../testing/server.ts'
import { testServer } from '../testing/server.ts'
import type { Proof } from './sign-ins.ts'

const clock = movingClock()
let server: TestServer
let door: DoorOfTest
beforeAll(async () => {
  server = await testServer({ clock })
  door = createDoor(server, clock)
})
afterAll(() => server.end())

const DEVICE = { address: '127.0.0.1', userAgent: '', replaces: null }
/** As another capability lets somebody in: a provider, an invitation, a link. */
const byGate = (person: Person, proof: Proof) =>
  server.store.system.transaction(async (tx) => {
    const user = await server.identity.userById(tx, person.userId)
    const { answer, cookie } = await server.identity.gate.enter(tx, user, proof, DEVICE, () => undefined)
    return { body: answer as Record<string, unknown>, secret: cookie?.secret ?? '' }
  })
const byPassword = async (person: Person) => {
  const answer = await door.signIn(person)
  return { body: answer.body as Record<string, unknown>, secret: secretOf(answer) }
}
const PROVIDER = { id: '01920000-0000-7000-8000-0000000000aa', session: 'theirs' }
const FIRST = {
  password: byPassword,
  'a link of ours': (person: Person) => byGate(person, { method: 'link', assurance: 1 }),
  'OpenID, one factor': (person: Person) =>
    byGate(person, { method: 'openid', assurance: 1, provider: PROVIDER }),
  'OpenID, trusted for two': (person: Person) =>
    byGate(person, { method: 'openid', assurance: 2, provider: PROVIDER }),
  'SAML, one factor': (person: Person) =>
    byGate(person, { method: 'saml', assurance: 1, provider: PROVIDER }),
  'SAML, trusted for two': (person: Person) =>
    byGate(person, { method: 'saml', assurance: 2, provider: PROVIDER }),
}
type First = keyof typeof FIRST
const SECOND = ['nothing', 'totp', 'recovery', 'passkey'] as const
const cases = (Object.keys(FIRST) as First[]).flatMap((first) =>
  SECOND.flatMap((second) => ([1, 2] as const).map((demanded) => [first, second, demanded] as const)),
)
const proofOf = async (as: string) => {
  const { body } = await door.ask('GET', '/api/factors', as)
  return { proved: body.proved, demanded: body.demanded }
}
/** May they do what the role may, or only set up a factor? */
const may = async (as: string) => codeOf(await door.ask('PATCH', '/api/me', as, { name: 'Ada' }))

describe('[IDN-1.policy] every way in × every policy', () => {
  it.each(cases)('%s, with %s as second factor, where %s is demanded', async (first, second, demanded) => {
    const person = await door.person('member')
    const trusted = first.endsWith('two')
    const setUp = second === 'nothing' ? null : await door.in(person)
    const key = setUp && second === 'passkey' ? await door.addPasskey(setUp) : null
    const totp = setUp && second !== 'passkey' ? await door.addTotp(setUp) : null
    await door.demand(person.organisationId, 'member', demanded)

    const begun = await FIRST[first](person)
    let as = begun.secret
    if (trusted || second === 'nothing') expect(begun.body.state).toBe('signed-in')
    else {
      // Whoever has a second factor is always asked for it.
      expect([begun.body.state, begun.secret]).toEqual(['second-factor', ''])
      const attempt = String(begun.body.attempt)
      const options = async () =>
        (await door.ask('POST', '/api/sign-in/second-factor/passkey', undefined, { attempt })).body.options
      const proof =
        second === 'passkey'
          ? { method: 'passkey', response: key?.key.get(await options()) }
          : second === 'totp'
            ? { method: 'totp', code: door.code(totp?.secret ?? '') }
            : { method: 'recovery', code: totp?.codes[0] }
      as = secretOf(await door.secondFactor(attempt, proof))
    }
    const two = trusted || second !== 'nothing'
    expect(await proofOf(as)).toEqual({ proved: two ? 2 : 1, demanded })
    if (two || demanded === 1) {
      expect(await may(as)).toBe('done')
      return
    }
    // Nothing but setting up a second factor; then it is enough.
    expect((begun.body.me as { unproved: boolean }).unproved).toBe(true)
    expect((await door.ask('GET', '/api/me', as)).body.unproved).toBe(true)
    expect(await may(as)).toBe('sign-in.unproved')
    const raised = await door.addTotp(as)
    expect(await proofOf(raised.as)).toEqual({ proved: 2, demanded })
    expect(await may(raised.as)).toBe('done')
  })
  it('a passkey alone is two factors', async () => {
    const person = await door.person('member')
    const { key } = await door.addPasskey(await door.in(person))
    await door.demand(person.organisationId, 'member', 2)
    const as = secretOf(await door.byPasskey(key))
    expect(await proofOf(as)).toEqual({ proved: 2, demanded: 2 })
    expect(await may(as)).toBe('done')
  })
})

describe('[IDN-1.policy] the routes', () => {
  const DAY_MS = 24 * 3600_000
  const put = (as: string, role: Role, policy: object) =>
    door.ask('PUT', `/api/sign-in-policies/${role}`, as, policy)
  const POLICY = { assurance: 1, idleMs: DAY_MS, absoluteMs: 2 * DAY_MS }
  it('show what holds for each role, and hold those who are in to a change at once', async () => {
    const owner = await door.person('owner')
    const member = await door.person('member', owner.organisationId)
    const [as, inside] = [await door.in(owner), await door.in(member)]
    const { items } = (await door.ask('GET', '/api/sign-in-policies', as)).body as {
      items: { role: string }[]
    }
    expect(items.map((it) => it.role)).toEqual(['owner', 'admin', 'member', 'child', 'guest'])
    expect((await put(as, 'member', { ...POLICY, assurance: 2 })).body).toEqual({
      role: 'member',
      ...POLICY,
      assurance: 2,
    })
    expect(await may(inside)).toBe('sign-in.unproved')
    expect((await put(as, 'member', POLICY)).status).toBe(200)
    expect(await may(inside)).toBe('done')
    clock.move(DAY_MS + 60_000)
    // Fourteen days were promised at the door; one is what holds now.
    expect((await door.ask('GET', '/api/me', inside)).status).toBe(401)
  })
  it('are for stewards, with a fresh proof; the policy of owners is for owners', async () => {
    const owner = await door.person('owner')
    const [admin, member] = [
      await door.in(await door.person('admin', owner.organisationId)),
      await door.in(await door.person('member', owner.organisationId)),
    ]
    expect(codeOf(await put(member, 'guest', POLICY))).toBe('permission.denied')
    expect(codeOf(await put(admin, 'owner', POLICY))).toBe('permission.denied')
    expect((await put(admin, 'guest', POLICY)).status).toBe(200)
    clock.move(11 * 60_000)
    expect(codeOf(await put(admin, 'guest', POLICY))).toBe('step-up.required')
  })
  it.each([
    ['no assurance of three', { ...POLICY, assurance: 3 }],
    ['no idle time longer than the whole', { ...POLICY, idleMs: 3 * DAY_MS }],
    ['no seconds', { ...POLICY, idleMs: 1000 }],
  ])('%s', async (_, policy) => {
    const as = await door.in(await door.person('owner'))
    expect(codeOf(await put(as, 'guest', policy))).toBe('request.invalid')
  })
})
