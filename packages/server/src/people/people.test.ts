/** People, groups and their rules, through the real pipeline: who may do what to whom, and what it ends. */
import type { Role } from '@kalnet/contracts/permission'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { type Act, judge } from './rules.ts'

let server: TestServer
const left: string[] = []
beforeAll(async () => {
  server = await testServer({ doors: true, leaving: async (_tx, userId) => () => void left.push(userId) })
})
afterAll(() => server.end())

type Somebody = Awaited<ReturnType<TestServer['person']>>
const family = async (...roles: Role[]): Promise<Somebody[]> => {
  const owner = await server.person('owner')
  const others = []
  for (const role of roles) others.push(await server.person(role, owner.organisationId))
  return [owner, ...others]
}
const eventsOf = async (organisationId: string, type: string) =>
  (
    await server.store.system.read((tx) =>
      sql<{ data: Record<string, unknown>; user_id: string | null }>`
        select data, user_id from events where organisation_id = ${organisationId} and type = ${type} order by xid, seq`.execute(
        tx,
      ),
    )
  ).rows
const codeOf = (answer: { body: { error?: { code: string } } }) => answer.body.error?.code ?? 'done'

describe('[SEC-2.rules] who may do what to whom', () => {
  const ids = { me: 'me', other: 'other' }
  const cases: [Act, Role, 'me' | 'other', Role, Role | undefined, number, string][] = [
    ['role', 'owner', 'other', 'member', 'owner', 0, 'done'],
    ['role', 'owner', 'other', 'owner', 'member', 1, 'done'],
    ['role', 'owner', 'me', 'owner', 'member', 1, 'person.self'],
    ['role', 'admin', 'me', 'admin', 'owner', 1, 'person.self'],
    ['role', 'admin', 'other', 'member', 'admin', 1, 'done'],
    ['role', 'admin', 'other', 'admin', 'guest', 1, 'done'],
    ['role', 'admin', 'other', 'member', 'owner', 1, 'person.above'],
    ['role', 'admin', 'other', 'owner', 'member', 1, 'person.owner'],
    ['off', 'admin', 'other', 'owner', undefined, 1, 'person.owner'],
    ['off', 'owner', 'other', 'owner', undefined, 0, 'person.last-owner'],
    ['off', 'owner', 'me', 'owner', undefined, 1, 'person.self'],
    ['remove', 'admin', 'other', 'owner', undefined, 1, 'person.owner'],
    ['remove', 'owner', 'other', 'owner', undefined, 1, 'done'],
    ['change', 'admin', 'other', 'owner', undefined, 1, 'person.owner'],
    ['change', 'admin', 'me', 'admin', undefined, 1, 'done'],
    ['reset', 'admin', 'other', 'owner', undefined, 1, 'person.owner'],
    ['sign-out', 'admin', 'other', 'owner', undefined, 1, 'person.owner'],
    ['leave', 'owner', 'me', 'owner', undefined, 0, 'person.last-owner'],
    ['leave', 'owner', 'me', 'owner', undefined, 1, 'done'],
    ['leave', 'guest', 'me', 'guest', undefined, 1, 'done'],
    ['invite', 'admin', 'other', 'guest', 'owner', 1, 'person.above'],
    ['invite', 'admin', 'other', 'guest', 'admin', 1, 'done'],
    ['invite', 'owner', 'other', 'guest', 'owner', 0, 'done'],
  ]
  it.each(cases)(
    '%s by %s, to %s who is %s (to %s, %i other owners): %s',
    (act, by, whom, role, to, otherOwners, expected) => {
      const judged = () => {
        try {
          judge({
            act,
            actor: { userId: ids.me, role: by },
            target: { id: ids[whom], role },
            to,
            otherOwners,
          })
          return 'done'
        } catch (error) {
          return (error as { code?: string }).code
        }
      }
      expect(judged()).toBe(expected)
    },
  )
})

describe('[IDN-3.people] the list of people', () => {
  it('is in the order of names, in pages, searched by name and address', async () => {
    const [owner, ...rest] = await family('member', 'member', 'child', 'guest')
    const names = ['zoë', 'Ada', 'ben', 'Änne', 'a%b_c']
    for (const [at, { userId }] of [owner!, ...rest].entries())
      await server.store.system.transaction((tx) =>
        sql`update users set name = ${names[at]} where id = ${userId}`.execute(tx),
      )
    const ask = async (query: string) =>
      (await server.ask('GET', `/api/people?${query}`, { as: owner!.secret })).body as unknown as {
        items: { name: string }[]
        next: string | null
      }
    const whole = (await ask('')).items.map((it) => it.name)
    expect(whole.length).toBe(5)
    const found: string[] = []
    let after = ''
    for (let round = 0; round < 5; round++) {
      const { items, next } = await ask(`limit=2${after && `&after=${after}`}`)
      found.push(...items.map((it) => it.name))
      if (!next) break
      after = next
    }
    expect(found).toEqual(whole)
    // Letters that no id has: the addresses here are made of ids.
    expect((await ask('search=ZO')).items.map((it) => it.name)).toEqual(['zoë'])
    expect((await ask('search=%25b_')).items.map((it) => it.name)).toEqual(['a%b_c'])
    expect((await ask(`search=${rest[0]!.userId}@`)).items.map((it) => it.name)).toEqual(['Ada'])
    expect((await ask('search=nobody')).items).toEqual([])
    expect(codeOf(await server.ask('GET', '/api/people?after=abc', { as: owner!.secret }))).toBe(
      'request.invalid',
    )
  })
  it.each([
    ['owner', 3],
    ['admin', 3],
    ['member', 3],
    ['child', 1],
    ['guest', 1],
  ] as const)('%s sees %i', async (role, many) => {
    const [, member] = await family('member')
    const who = await server.person(role, member!.organisationId)
    const { body } = await server.ask('GET', '/api/people', { as: who.secret })
    const items = body.items as { id: string }[]
    expect(items.length).toBe(many)
    expect(items.map((it) => it.id)).toContain(who.userId)
    const other = await server.ask('GET', `/api/people/${member!.userId}`, { as: who.secret })
    expect(codeOf(other)).toBe(many === 3 ? 'done' : 'permission.denied')
  })
  it('one person is told with devices; somebody of another organisation is nobody', async () => {
    const [owner, member] = await family('member')
    const [stranger] = await family()
    const { body } = await server.ask('GET', `/api/people/${member!.userId}`, { as: owner!.secret })
    expect(body).toMatchObject({ role: 'member', state: 'active', devices: 1, sessions: 0, groups: [] })
    for (const [method, path] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/role'],
      ['POST', '/off'],
      ['POST', '/on'],
      ['POST', '/sign-out'],
      ['POST', '/reset'],
    ] as const) {
      const body =
        method === 'PATCH'
          ? { name: 'x' }
          : path === '/role'
            ? { role: 'guest' }
            : method === 'POST'
              ? {}
              : undefined
      const answer = await server.ask(method, `/api/people/${member!.userId}${path}`, {
        as: stranger!.secret,
        body,
      })
      expect([method, path, codeOf(answer)]).toEqual([method, path, 'thing.unknown'])
    }
  })
  it('a new name and groups are told to everybody who may see people', async () => {
    const [owner, member] = await family('member')
    const as = owner!.secret
    const group = await server.ask('POST', '/api/groups', { as, body: { name: 'Kitchen' } })
    const changed = await server.ask('PATCH', `/api/people/${member!.userId}`, {
      as,
      body: { name: 'Grace', groups: [group.body.id] },
    })
    expect(changed.body).toMatchObject({ name: 'Grace', groups: [{ id: group.body.id, name: 'Kitchen' }] })
    const told = await eventsOf(owner!.organisationId, 'person.changed')
    expect(told.at(-1)).toMatchObject({ user_id: member!.userId, data: { name: 'Grace' } })
    expect((await eventsOf(owner!.organisationId, 'group.changed')).at(-1)?.data).toMatchObject({
      members: 1,
    })
    const foreign = await family()
    const theirs = await server.ask('POST', '/api/groups', { as: foreign[0]!.secret, body: { name: 'X' } })
    const stolen = await server.ask('PATCH', `/api/people/${member!.userId}`, {
      as,
      body: { groups: [theirs.body.id] },
    })
    expect(codeOf(stolen)).toBe('thing.unknown')
  })
})

describe('[SEC-2.roles] another role, off, removed: at once and everywhere', () => {
  const status = async (secret: string) => (await server.ask('GET', '/api/me', { as: secret })).status
  it('a role: every device has to sign in again, and what they invited others to is taken back', async () => {
    const [owner, admin] = await family('admin')
    const invited = await server.ask('POST', '/api/invitations', {
      as: admin!.secret,
      body: { email: 'late@example.org', role: 'admin' },
    })
    expect(codeOf(invited)).toBe('done')
    const path = `/api/people/${admin!.userId}/role`
    expect(
      (await server.ask('POST', path, { as: owner!.secret, body: { role: 'guest' } })).body,
    ).toMatchObject({ role: 'guest' })
    expect(await status(admin!.secret)).toBe(401)
    expect((await eventsOf(owner!.organisationId, 'sign-in.ended')).at(-1)?.data).toEqual({
      signInId: admin!.signInId,
    })
    expect((await eventsOf(owner!.organisationId, 'invitation.changed')).at(-1)?.data).toMatchObject({
      state: 'revoked',
    })
    // The same again ends nothing.
    const again = await server.person('guest', owner!.organisationId)
    await server.ask('POST', `/api/people/${again.userId}/role`, {
      as: owner!.secret,
      body: { role: 'guest' },
    })
    expect(await status(again.secret)).toBe(200)
  })
  it('off: signed out and kept out, on: in again', async () => {
    const [owner, member] = await family('member')
    const path = `/api/people/${member!.userId}`
    expect((await server.ask('POST', `${path}/off`, { as: owner!.secret, body: {} })).body).toMatchObject({
      state: 'off',
    })
    expect((await server.ask('POST', `${path}/off`, { as: owner!.secret, body: {} })).status).toBe(200)
    expect(await status(member!.secret)).toBe(401)
    expect(await server.identity.ended([member!.signInId])).toEqual([member!.signInId])
    expect(codeOf(await server.ask('POST', `${path}/reset`, { as: owner!.secret, body: {} }))).toBe(
      'request.invalid',
    )
    expect((await server.ask('POST', `${path}/on`, { as: owner!.secret, body: {} })).body).toMatchObject({
      state: 'active',
    })
  })
  it('signed out everywhere by an admin', async () => {
    const [owner, member] = await family('member')
    const path = `/api/people/${member!.userId}/sign-out`
    expect((await server.ask('POST', path, { as: owner!.secret, body: {} })).body).toEqual({ ended: 1 })
    expect(await status(member!.secret)).toBe(401)
    expect((await server.ask('POST', path, { as: owner!.secret, body: {} })).body).toEqual({ ended: 0 })
  })
  it('removed: gone with all that ran for them, and told', async () => {
    const [owner, member] = await family('member')
    const answer = await server.ask('DELETE', `/api/people/${member!.userId}`, { as: owner!.secret })
    expect(codeOf(answer)).toBe('done')
    expect(left).toContain(member!.userId)
    expect(await status(member!.secret)).toBe(401)
    expect((await eventsOf(owner!.organisationId, 'person.removed')).map((it) => it.data)).toEqual([
      { id: member!.userId },
    ])
    expect(codeOf(await server.ask('DELETE', `/api/people/${member!.userId}`, { as: owner!.secret }))).toBe(
      'thing.unknown',
    )
  })
  it('two owners who lower each other at the same moment: one stays', async () => {
    const [one, other] = await family('owner')
    const lower = (by: Somebody, whom: Somebody) =>
      server.ask('POST', `/api/people/${whom.userId}/role`, { as: by.secret, body: { role: 'member' } })
    const codes = (await Promise.all([lower(one!, other!), lower(other!, one!)])).map(codeOf)
    expect(codes.filter((code) => code === 'done').length).toBe(1)
    const { rows } = await server.store.system.read((tx) =>
      sql`select id from users where organisation_id = ${one!.organisationId} and role = 'owner'`.execute(tx),
    )
    expect(rows.length).toBe(1)
  })
  it('the last owner cannot leave; somebody else can', async () => {
    const [owner, guest] = await family('guest')
    expect(codeOf(await server.ask('POST', '/api/me/leave', { as: owner!.secret, body: {} }))).toBe(
      'person.last-owner',
    )
    expect(codeOf(await server.ask('POST', '/api/me/leave', { as: guest!.secret, body: {} }))).toBe('done')
    expect(await status(guest!.secret)).toBe(401)
  })
  it('what is dangerous asks for a proof that is not old; the rest does not', async () => {
    const [owner, member] = await family('member')
    await server.store.system.transaction((tx) =>
      sql`update sign_ins set proved_at = now() - interval '11 minutes' where id = ${owner!.signInId}`.execute(
        tx,
      ),
    )
    const path = `/api/people/${member!.userId}`
    const as = owner!.secret
    for (const [method, where, body] of [
      ['POST', `${path}/role`, { role: 'guest' }],
      ['POST', `${path}/reset`, {}],
      ['DELETE', path, undefined],
      ['POST', '/api/me/leave', {}],
      ['POST', '/api/invitations', { email: 'x@example.org', role: 'admin' }],
    ] as const)
      expect(codeOf(await server.ask(method, where, { as, body }))).toBe('step-up.required')
    expect(codeOf(await server.ask('PATCH', path, { as, body: { name: 'N' } }))).toBe('done')
    expect(codeOf(await server.ask('POST', `${path}/off`, { as, body: {} }))).toBe('done')
  })
  it('a reset link: one use, for that person, one at a time', async () => {
    const [owner, member] = await family('member')
    const make = async () => {
      const { body } = await server.ask('POST', `/api/people/${member!.userId}/reset`, {
        as: owner!.secret,
        body: {},
      })
      return body.link as { url: string; qr: { size: number; rows: string[] } }
    }
    await make()
    const link = await make()
    expect(new URL(link.url).hash.length).toBe(44)
    expect(link.qr.rows.length).toBe(link.qr.size)
    const { rows } = await server.store.system.read((tx) =>
      sql<{
        kind: string
      }>`select 'reset' as kind from password_resets where user_id = ${member!.userId}`.execute(tx),
    )
    expect(rows).toEqual([{ kind: 'reset' }])
  })
})

describe('[IDN-3.groups] groups', () => {
  it('made, renamed, filled, emptied, removed; people are told with them', async () => {
    const [owner, member, child] = await family('member', 'child')
    const as = owner!.secret
    const made = await server.ask('POST', '/api/groups', {
      as,
      body: { name: 'Kids', members: [child!.userId] },
    })
    expect(made.body).toMatchObject({ name: 'Kids', members: 1 })
    const path = `/api/groups/${made.body.id}`
    expect(codeOf(await server.ask('POST', '/api/groups', { as, body: { name: 'kids' } }))).toBe(
      'group.name-taken',
    )
    const changed = await server.ask('PATCH', path, {
      as,
      body: { name: 'Children', add: [member!.userId, child!.userId], remove: [owner!.userId] },
    })
    expect(changed.body).toMatchObject({ name: 'Children', members: 2 })
    const told = await eventsOf(owner!.organisationId, 'person.changed')
    expect(told.at(-1)?.data).toMatchObject({ groups: [{ name: 'Children' }] })
    const inIt = await server.ask('GET', `/api/people?group=${made.body.id}`, { as })
    expect((inIt.body.items as unknown[]).length).toBe(2)
    expect(codeOf(await server.ask('DELETE', path, { as }))).toBe('done')
    expect((await server.ask('GET', '/api/groups', { as })).body).toEqual({ items: [], next: null })
    expect((await server.ask('GET', `/api/people/${child!.userId}`, { as })).body.groups).toEqual([])
  })
  it('somebody of another organisation cannot be put in, nor can their groups be touched', async () => {
    const [owner] = await family()
    const [stranger] = await family()
    const made = await server.ask('POST', '/api/groups', { as: owner!.secret, body: { name: 'Ours' } })
    const path = `/api/groups/${made.body.id}`
    const add = await server.ask('PATCH', path, { as: owner!.secret, body: { add: [stranger!.userId] } })
    expect(codeOf(add)).toBe('thing.unknown')
    expect(codeOf(await server.ask('PATCH', path, { as: stranger!.secret, body: { name: 'Mine' } }))).toBe(
      'thing.unknown',
    )
    expect(codeOf(await server.ask('DELETE', path, { as: stranger!.secret }))).toBe('thing.unknown')
    expect((await server.ask('GET', '/api/groups', { as: stranger!.secret })).body.items).toEqual([])
  })
})

it('[IDN-3.people] who changes his own name is seen with it by the others', async () => {
  const [owner, member] = await family('member')
  await server.ask('PATCH', '/api/me', { as: member!.secret, body: { name: 'Grace Hopper' } })
  const told = await eventsOf(owner!.organisationId, 'person.changed')
  expect(told.at(-1)?.data).toMatchObject({ id: member!.userId, name: 'Grace Hopper' })
})

it('every change is on record, with whom it was about', async () => {
  const [owner, member] = await family('member')
  await server.ask('POST', `/api/people/${member!.userId}/off`, { as: owner!.secret, body: {} })
  const { rows } = await server.store.system.read((tx) =>
    sql`select action, object, user_id, outcome from audit where organisation_id = ${owner!.organisationId}`.execute(
      tx,
    ),
  )
  expect(rows).toEqual([
    { action: 'person.switched-off', object: member!.userId, user_id: owner!.userId, outcome: 'done' },
  ])
})
