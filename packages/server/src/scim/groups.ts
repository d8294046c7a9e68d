/** Groups by SCIM: made, renamed, filled, removed. */
import type { Actor } from '@kalnet/contracts/permission'
import { SCIM_PATH, type ScimQuery, type ScimResource } from '@kalnet/contracts/scim'
import { stamp } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { isId, type Precondition } from './people.ts'
import { versionOf } from './person.ts'
import { refused, taken, unknownThing } from './refusal.ts'
import type { ScimRoomOptions } from './room.ts'
import { checkedResource, patchedResource, URN } from './schema.ts'
import { listOf } from './shown.ts'
import { type GroupRow, statements } from './store.ts'

function shownGroup(row: GroupRow, base: string): ScimResource {
  const resource = {
    schemas: [URN.Group],
    id: row.id,
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    displayName: row.name,
    members: row.members.map((it) => ({
      ...it,
      $ref: `${base}${SCIM_PATH}/Users/${it.value}`,
      type: 'User',
    })),
  }
  return {
    ...resource,
    meta: {
      resourceType: 'Group',
      created: row.created_at,
      lastModified: row.changed_at,
      location: `${base}${SCIM_PATH}/Groups/${row.id}`,
      version: versionOf(resource),
    },
  }
}

function groupFrom(resource: ScimResource) {
  const name = typeof resource.displayName === 'string' ? resource.displayName.trim() : ''
  if (name === '' || name.length > 60) throw refused('invalidValue', 'displayName is missing or too long.')
  const members = Array.isArray(resource.members) ? resource.members : []
  const ids = members.map((it: unknown) => String((it as { value?: unknown } | null)?.value ?? ''))
  if (!ids.every(isId)) throw refused('invalidValue', 'A member is nobody here.')
  const externalId = typeof resource.externalId === 'string' ? resource.externalId : null
  return { name, externalId, members: [...new Set(ids)] }
}
type GroupInput = ReturnType<typeof groupFrom>

export function createScimGroups({
  store,
  clock,
  address,
  tellGroup,
  tellPerson,
  groupGone,
}: ScimRoomOptions) {
  const home = (actor: Actor) => store.as(actor.organisationId)
  const shown = (row: GroupRow) => shownGroup(row, address())

  async function reread(tx: Tx, id: string): Promise<GroupRow> {
    const row = isId(id) ? (await statements.group({ id }).execute(tx)).rows[0] : undefined
    if (!row) throw unknownThing('group')
    return row
  }

  async function write(tx: Tx, row: GroupRow, input: GroupInput): Promise<void> {
    const { id: groupId, organisation_id: organisationId } = row
    const before = row.members.map((it) => it.value)
    const joined = input.members.filter((it) => !before.includes(it))
    const left = before.filter((it) => !input.members.includes(it))
    const known = (await statements.knownPeople({ ids: joined }).execute(tx)).rows.length
    if (known !== joined.length) throw refused('invalidValue', 'A member is nobody here.')
    await statements
      .changeGroup({ id: groupId, name: input.name, at: stamp(clock) })
      .execute(tx)
      .catch((error: unknown) => {
        throw isDuplicate(error, 'groups_by_name') ? taken('There is a group with this name.') : error
      })
    await (input.externalId === null
      ? statements.unnameGroup({ id: groupId })
      : statements.nameGroup({ id: groupId, organisationId, externalId: input.externalId })
    ).execute(tx)
    if (joined.length > 0) await statements.join({ organisationId, groupId, userIds: joined }).execute(tx)
    if (left.length > 0) await statements.part({ groupId, userIds: left }).execute(tx)
    const touched =
      input.name === row.name ? [...joined, ...left] : [...new Set([...before, ...input.members])]
    for (const userId of touched) await tellPerson(tx, userId)
    await tellGroup(tx, groupId)
  }

  const changing = <T>(actor: Actor, work: (tx: Tx) => Promise<T>): Promise<T> =>
    home(actor).transaction(async (tx) => {
      await statements.lock({ organisationId: actor.organisationId }).execute(tx)
      return work(tx)
    })

  return {
    list: (actor: Actor, query: ScimQuery) =>
      home(actor).read(async (tx) => listOf((await statements.groups().execute(tx)).rows.map(shown), query)),

    read: (actor: Actor, id: string) => home(actor).read(async (tx) => shown(await reread(tx, id))),

    add: (actor: Actor, body: ScimResource) =>
      changing(actor, async (tx) => {
        const input = groupFrom(checkedResource('Group', body))
        const id = newId()
        const { organisationId } = actor
        await statements
          .addGroup({ id, organisationId, name: input.name, at: stamp(clock) })
          .execute(tx)
          .catch((error: unknown) => {
            throw isDuplicate(error, 'groups_by_name') ? taken('There is a group with this name.') : error
          })
        await write(tx, await reread(tx, id), input)
        return shown(await reread(tx, id))
      }),

    put: (actor: Actor, id: string, body: ScimResource, precondition: Precondition) =>
      changing(actor, async (tx) => {
        const row = await reread(tx, id)
        precondition(shown(row))
        await write(tx, row, groupFrom(checkedResource('Group', body)))
        return shown(await reread(tx, id))
      }),

    patch: (actor: Actor, id: string, body: ScimResource, precondition: Precondition) =>
      changing(actor, async (tx) => {
        const row = await reread(tx, id)
        const before = shown(row)
        precondition(before)
        await write(
          tx,
          row,
          groupFrom(checkedResource('Group', await patchedResource('Group', before, body))),
        )
        return shown(await reread(tx, id))
      }),

    remove: (actor: Actor, id: string, precondition: Precondition) =>
      changing(actor, async (tx) => {
        const row = await reread(tx, id)
        precondition(shown(row))
        await statements.removeGroup({ id }).execute(tx)
        for (const { value } of row.members) await tellPerson(tx, value)
        await groupGone(tx, { organisationId: row.organisation_id, id })
      }),
  }
}
export type ScimGroups = ReturnType<typeof createScimGroups>
