/** Groups by SCIM: made, renamed, filled, removed. */
import { fail } from '@kalnet/contracts/errors'
import { SCIM_PATH, type ScimResource } from '@kalnet/contracts/scim'
import { stamp } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { versionOf } from './person.ts'
import { refused, taken } from './refusal.ts'
import type { ScimRoomOptions } from './room.ts'
import { URN } from './schema.ts'
import { type GroupRow, statements } from './store.ts'
import { createThings, isId, type Things } from './things.ts'

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

const nameTaken = (error: unknown): never => {
  throw isDuplicate(error, 'groups_by_name') ? taken('There is a group with this name.') : error
}

export function createScimGroups(options: ScimRoomOptions): Things {
  const { store, clock, address, tellGroup, tellPerson, groupGone } = options
  const row = async (tx: Tx, id: string) => (await statements.group({ id }).execute(tx)).rows[0]

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
      .catch(nameTaken)
    await (input.externalId === null
      ? statements.unnameGroup({ id: groupId })
      : statements.nameGroup({ id: groupId, organisationId, externalId: input.externalId })
    ).execute(tx)
    if (joined.length > 0) await statements.join({ organisationId, groupId, userIds: joined }).execute(tx)
    if (left.length > 0) await statements.part({ groupId, userIds: left }).execute(tx)
    // The name stands beside everybody who is in it.
    const touched =
      input.name === row.name ? [...joined, ...left] : [...new Set([...before, ...input.members])]
    for (const userId of touched) await tellPerson(tx, userId)
    await tellGroup(tx, groupId)
  }

  return createThings<GroupRow>({
    store,
    kind: 'Group',
    rows: async (tx) => (await statements.groups().execute(tx)).rows,
    row,
    shown: (one) => shownGroup(one, address()),
    write: (tx, one, resource) => write(tx, one, groupFrom(resource)),
    async begin(tx, { organisationId }, resource) {
      const input = groupFrom(resource)
      const id = newId()
      await statements
        .addGroup({ id, organisationId, name: input.name, at: stamp(clock) })
        .execute(tx)
        .catch(nameTaken)
      const made = await row(tx, id)
      if (!made) throw fail('internal')
      await write(tx, made, input)
      return made
    },
    async remove(tx, { id, organisation_id: organisationId, members }) {
      await statements.removeGroup({ id }).execute(tx)
      for (const { value } of members) await tellPerson(tx, value)
      await groupGone(tx, { organisationId, id })
    },
  })
}
