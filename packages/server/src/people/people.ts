/** People seen from beside: who is here, in which role and groups, switched on or off. One's own account is identity's. */
import { fail } from '@kalnet/contracts/errors'
import { accountRole } from '@kalnet/contracts/key'
import type { Person, PersonDetails } from '@kalnet/contracts/people'
import { type Actor, can, type Role } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import type { Events } from '../core/events.ts'
import type { Store, Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import type { Link } from '../identity/claims.ts'
import { statements as groupStatements } from './groups.store.ts'
import { statements as invitationStatements } from './invitations.store.ts'
import { type Act, isLower, judge } from './rules.ts'
import { pageOf, readPlace, shapePerson } from './shape.ts'
import { statements } from './store.ts'

export interface NewPerson {
  organisationId: string
  kind?: Person['kind']
  name: string
  email: string | null
  role: Role
  passwordHash?: string | null
  groupIds?: readonly string[]
}
export interface PersonChange {
  name?: string
  email?: string
  /** All of them. */
  groups?: readonly string[]
}
export interface PeopleOptions {
  store: Store
  events: Events
  clock: Clock
  /** Every sign-in, and whatever else is connected in this person's name. */
  endAll(tx: Tx, userId: string): Promise<void>
  /** A one-use link for a new password. */
  resetLink(tx: Tx, user: { id: string; organisation_id: string }): Promise<Link>
  /** What runs for somebody who is being removed goes too; what it answers is called after the commit. */
  leaving(tx: Tx, userId: string): Promise<() => void>
  /** Groups and invitations that changed with a person are told to everybody. */
  tellGroup(tx: Tx, groupId: string): Promise<void>
  tellInvitation(tx: Tx, invitationId: string): Promise<void>
}

export type People = ReturnType<typeof createPeople>

export function createPeople(options: PeopleOptions) {
  const { store, events, clock, endAll } = options
  const now = () => clock.now().toISOString()
  const unknown = () => fail('thing.unknown', { kind: 'person' })

  /** Tells everybody what the person is now. */
  async function tell(tx: Tx, id: string): Promise<Person> {
    const row = (await statements.read({ id }).execute(tx)).rows[0]
    if (!row) throw unknown()
    const where = { organisationId: row.organisation_id, userId: row.id }
    await events.publish(tx, 'person.changed', where, shapePerson(row))
    return shapePerson(row)
  }

  /** Holds the row and all roles of the organisation; throws unless the permission and the rules allow it. */
  async function hold(tx: Tx, actor: Actor, id: string, act: Act, to?: Role) {
    const { organisationId } = actor
    await statements.lockRoles({ organisationId }).execute(tx)
    const row = (await statements.lock({ id }).execute(tx)).rows[0]
    if (!row) throw unknown()
    const object = { organisationId: row.organisation_id, userId: row.id }
    demand(actor, act === 'leave' ? 'me.secure' : 'person.manage', object, 'person')
    const others = (await statements.otherOwners({ organisationId, id }).execute(tx)).rows[0]
    judge({ act, actor, target: row, to, otherOwners: others?.count ?? 0 })
    return row
  }

  const set = (tx: Tx, id: string, to: { name?: string; email?: string; role?: Role; state?: string }) =>
    statements
      .change({ id, name: null, email: null, role: null, state: null, ...to, at: now() })
      .execute(tx)
      .catch((error: unknown) => {
        throw isDuplicate(error, 'users_email_key') ? fail('person.email-taken') : error
      })

  async function revokeInvitationsOf(tx: Tx, userId: string) {
    for (const { id } of (await invitationStatements.revokeBy({ userId, now: now() }).execute(tx)).rows)
      await options.tellInvitation(tx, id)
  }

  /** Puts the person into exactly these groups. */
  async function regroup(tx: Tx, organisationId: string, userId: string, wanted: readonly string[]) {
    const ids = [...new Set(wanted)]
    const there = (await groupStatements.countGroups({ organisationId, ids }).execute(tx)).rows[0]?.count
    if (there !== ids.length) throw fail('thing.unknown', { kind: 'group' })
    const before = (await groupStatements.groupsOf({ userId }).execute(tx)).rows.map((it) => it.group_id)
    const left = before.filter((id) => !ids.includes(id))
    const joined = ids.filter((id) => !before.includes(id))
    const userIds = [userId]
    if (left.length > 0) await groupStatements.part({ groupIds: left, userIds }).execute(tx)
    if (joined.length > 0)
      await groupStatements.join({ organisationId, groupIds: joined, userIds }).execute(tx)
    for (const id of [...left, ...joined]) await options.tellGroup(tx, id)
  }

  async function assign(tx: Tx, id: string, from: Role, to: Role) {
    await set(tx, id, { role: to })
    // What a sign-in must have proved and how long it lasts hangs on the role; and what is open was opened in the old one.
    await endAll(tx, id)
    if (isLower(to, from)) await revokeInvitationsOf(tx, id)
    return tell(tx, id)
  }

  async function erase(tx: Tx, { id, organisation_id }: { id: string; organisation_id: string }) {
    await endAll(tx, id)
    await revokeInvitationsOf(tx, id)
    const groups = (await groupStatements.groupsOf({ userId: id }).execute(tx)).rows
    const gone = await options.leaving(tx, id)
    await statements.remove({ id }).execute(tx)
    for (const { group_id } of groups) await options.tellGroup(tx, group_id)
    await events.publish(tx, 'person.removed', { organisationId: organisation_id, userId: id }, { id })
    return gone
  }

  return {
    /** In the transaction of a change made elsewhere. */
    tell,
    /** The same, of a role that another directory decides: sign-ins end, as with every change of a role. */
    assign,

    async list(
      actor: Actor,
      query: { after?: string; limit: number; search?: string; group?: string; kind?: Person['kind'] },
    ) {
      const { organisationId } = actor
      const everybody = can(actor, 'person.read', { organisationId, userId: null })
      const { rows } = await store.as(organisationId).read((tx) =>
        statements
          .list({
            organisationId,
            only: everybody ? null : actor.userId,
            search: query.search ? `%${query.search.replace(/[\\%_]/g, '\\$&')}%` : null,
            group: query.group ?? null,
            kind: query.kind ?? null,
            ...readPlace(query.after),
            limit: query.limit + 1,
          })
          .execute(tx),
      )
      return pageOf(rows, query.limit, shapePerson)
    },

    read: (actor: Actor, id: string): Promise<PersonDetails> =>
      store.as(actor.organisationId).read(async (tx) => {
        const row = (await statements.read({ id }).execute(tx)).rows[0]
        if (!row) throw unknown()
        demand(actor, 'person.read', { organisationId: row.organisation_id, userId: row.id }, 'person')
        const more = (await statements.details({ id, now: now() }).execute(tx)).rows[0]
        return {
          ...shapePerson(row),
          devices: more?.devices ?? 0,
          lastSeenAt: more?.last_seen_at ?? null,
          sessions: more?.sessions ?? 0,
        }
      }),

    /** In the transaction of whatever brings somebody here: an invitation, SCIM, an identity provider. Judges nothing. */
    async add(
      tx: Tx,
      { organisationId, kind = 'person', groupIds = [], passwordHash = null, ...it }: NewPerson,
    ) {
      const id = newId()
      await statements
        .add({ id, organisationId, kind, ...it, passwordHash, at: now() })
        .execute(tx)
        .catch((error: unknown) => {
          throw isDuplicate(error, 'users_email_key') ? fail('person.email-taken') : error
        })
      if (groupIds.length > 0) await regroup(tx, organisationId, id, groupIds)
      return tell(tx, id)
    },

    change: (actor: Actor, id: string, change: PersonChange): Promise<Person> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        const row = await hold(tx, actor, id, 'change')
        const { groups, ...fields } = change
        if (Object.values(fields).some((it) => it !== undefined)) await set(tx, id, fields)
        if (groups) await regroup(tx, row.organisation_id, id, groups)
        return tell(tx, id)
      }),

    setRole: (actor: Actor, id: string, role: Role): Promise<Person> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        const row = await hold(tx, actor, id, 'role', role)
        if (row.kind === 'service' && !accountRole.safeParse(role).success)
          throw fail('request.invalid', {
            problem: `a program can be ${accountRole.options.join(', ')}, and nothing else`,
          })
        return row.role === role ? tell(tx, id) : assign(tx, id, row.role, role)
      }),

    /** Off: signed out everywhere within seconds, and what they invited others to is taken back. */
    switchTo: (actor: Actor, id: string, state: Person['state']): Promise<Person> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        await hold(tx, actor, id, state === 'off' ? 'off' : 'on')
        await set(tx, id, { state })
        if (state === 'off') {
          await endAll(tx, id)
          await revokeInvitationsOf(tx, id)
        }
        return tell(tx, id)
      }),

    signOut: (actor: Actor, id: string): Promise<{ ended: number }> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        await hold(tx, actor, id, 'sign-out')
        const ended = (await statements.countSignIns({ id }).execute(tx)).rows[0]?.count ?? 0
        await endAll(tx, id)
        return { ended }
      }),

    resetLink: (actor: Actor, id: string): Promise<Link> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        const row = await hold(tx, actor, id, 'reset')
        if (row.kind === 'service')
          throw fail('request.invalid', { problem: 'a service account has no password' })
        if (row.state === 'off')
          throw fail('request.invalid', { problem: 'this person is switched off; switch them on first' })
        return options.resetLink(tx, row)
      }),

    async remove(actor: Actor, id: string, act: 'remove' | 'leave' = 'remove'): Promise<void> {
      const gone = await store
        .as(actor.organisationId)
        .transaction(async (tx) => erase(tx, await hold(tx, actor, id, act)))
      gone()
    },
  }
}
