/** Groups: people who share rights later on; here who is in which. */
import { fail } from '@kalnet/contracts/errors'
import type { Group } from '@kalnet/contracts/people'
import type { Actor } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import type { Events } from '../core/events.ts'
import type { Store, Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { statements } from './groups.store.ts'
import { pageOf, readPlace, shapeGroup, shapePerson } from './shape.ts'
import { statements as personStatements } from './store.ts'

export interface GroupChange {
  name?: string
  add?: readonly string[]
  remove?: readonly string[]
}
export type Groups = ReturnType<typeof createGroups>

export function createGroups({ store, events, clock }: { store: Store; events: Events; clock: Clock }) {
  const now = () => clock.now().toISOString()
  const named = (error: unknown): never => {
    throw isDuplicate(error, 'groups_by_name') ? fail('group.name-taken') : error
  }

  /** Tells everybody what the group is now. */
  async function tell(tx: Tx, id: string): Promise<Group> {
    const row = (await statements.read({ id }).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'group' })
    await events.publish(
      tx,
      'group.changed',
      { organisationId: row.organisation_id, userId: null },
      shapeGroup(row),
    )
    return shapeGroup(row)
  }
  async function tellPerson(tx: Tx, id: string) {
    const row = (await personStatements.read({ id }).execute(tx)).rows[0]
    if (!row) return
    const where = { organisationId: row.organisation_id, userId: row.id }
    await events.publish(tx, 'person.changed', where, shapePerson(row))
  }

  async function hold(tx: Tx, actor: Actor, id: string) {
    const row = (await statements.lock({ id }).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'group' })
    demand(actor, 'group.manage', { organisationId: row.organisation_id, userId: null }, 'group')
    return row
  }
  async function assertPeople(tx: Tx, organisationId: string, ids: string[]) {
    const there = (await statements.countPeople({ organisationId, ids }).execute(tx)).rows[0]?.count
    if (there !== ids.length) throw fail('thing.unknown', { kind: 'person' })
  }

  async function changeMembers(tx: Tx, organisationId: string, id: string, change: GroupChange) {
    const add = [...new Set(change.add ?? [])]
    const remove = [...new Set(change.remove ?? [])]
    const changed = new Set<string>()
    if (add.length > 0) {
      await assertPeople(tx, organisationId, add)
      const { rows } = await statements.join({ organisationId, groupIds: [id], userIds: add }).execute(tx)
      for (const { user_id } of rows) changed.add(user_id)
    }
    if (remove.length > 0) {
      const { rows } = await statements.part({ groupIds: [id], userIds: remove }).execute(tx)
      for (const { user_id } of rows) changed.add(user_id)
    }
    return changed
  }

  return {
    tell,

    async list(actor: Actor, query: { after?: string; limit: number }) {
      const { organisationId } = actor
      const { rows } = await store
        .as(organisationId)
        .read((tx) =>
          statements.list({ organisationId, ...readPlace(query.after), limit: query.limit + 1 }).execute(tx),
        )
      return pageOf(rows, query.limit, shapeGroup)
    },

    add: (
      actor: Actor,
      { name, members = [] }: { name: string; members?: readonly string[] },
    ): Promise<Group> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        const { organisationId } = actor
        const id = newId()
        await statements.add({ id, organisationId, name, at: now() }).execute(tx).catch(named)
        for (const each of await changeMembers(tx, organisationId, id, { add: members }))
          await tellPerson(tx, each)
        return tell(tx, id)
      }),

    change: (actor: Actor, id: string, change: GroupChange): Promise<Group> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        const { organisation_id } = await hold(tx, actor, id)
        const changed = await changeMembers(tx, organisation_id, id, change)
        if (change.name === undefined) await statements.touch({ id, at: now() }).execute(tx)
        else {
          await statements.rename({ id, name: change.name, at: now() }).execute(tx).catch(named)
          // The name stands beside everybody who is in it.
          for (const { user_id } of (await statements.membersOf({ id }).execute(tx)).rows)
            changed.add(user_id)
        }
        for (const each of changed) await tellPerson(tx, each)
        return tell(tx, id)
      }),

    remove: (actor: Actor, id: string): Promise<void> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        const { organisation_id } = await hold(tx, actor, id)
        const members = (await statements.membersOf({ id }).execute(tx)).rows
        await statements.remove({ id }).execute(tx)
        for (const { user_id } of members) await tellPerson(tx, user_id)
        await events.publish(tx, 'group.removed', { organisationId: organisation_id, userId: null }, { id })
      }),
  }
}
