/** People by SCIM: added, changed, switched off. Owners are people's own affair: nothing from outside lowers or removes them. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import type { ScimResource } from '@kalnet/contracts/scim'
import { stamp } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { type PersonInput, personFrom, shownPerson } from './person.ts'
import { taken } from './refusal.ts'
import type { ScimRoomOptions } from './room.ts'
import { type PersonRow, statements } from './store.ts'
import { createThings, type Later, type Things } from './things.ts'

const emailTaken = (error: unknown): never => {
  throw isDuplicate(error, 'users_email_key') ? taken('Somebody else has this e-mail address.') : error
}

export function createScimPeople(options: ScimRoomOptions): Things {
  const { store, clock, address, tellPerson, endAll, stopAllOf } = options
  const shown = (row: PersonRow) => shownPerson(row, address())
  const row = async (tx: Tx, id: string) => (await statements.person({ id }).execute(tx)).rows[0]
  const named = async (tx: Tx, userName: string) =>
    (await statements.personByName({ userName }).execute(tx)).rows[0]

  async function write(tx: Tx, row: PersonRow, input: PersonInput, removedAt: string | null, later: Later) {
    const state = input.active === null ? row.state : input.active ? 'active' : 'off'
    const role = input.role ?? row.role
    const lowered = role !== row.role || state !== row.state || input.email !== row.email
    if (row.role === 'owner' && (lowered || removedAt !== null))
      throw fail('scim.refused', { problem: 'Owners are changed in Kalnet itself only.' })
    if (role === 'owner' && row.role !== 'owner')
      throw fail('scim.refused', { problem: 'Nobody becomes an owner from outside.' })
    const other = await named(tx, input.userName)
    if (other && other.id !== row.id) throw taken('Somebody else has this userName.')
    const { id, organisation_id: organisationId } = row
    const at = stamp(clock)
    const { name, email, userName, externalId } = input
    const attributes = JSON.stringify(input.attributes)
    await statements.changeUser({ id, name, email, role, state, at }).execute(tx).catch(emailTaken)
    await statements.keep({ id, organisationId, userName, externalId, attributes, removedAt, at }).execute(tx)
    // What is open was opened in the old role, or by somebody who may do nothing now.
    if (role !== row.role || state !== row.state) await endAll(tx, id)
    // The other directory says that they left: nothing of theirs runs on, unlike when somebody here takes a break.
    if (state === 'off') later(await stopAllOf(tx, id))
    await tellPerson(tx, id)
  }

  async function begin(tx: Tx, actor: Actor, resource: ScimResource, later: Later): Promise<PersonRow> {
    const input = personFrom(resource)
    const before = await named(tx, input.userName)
    if (before && before.removed_at === null) throw taken('Somebody has this userName already.')
    const id = before?.id ?? newId()
    if (!before) {
      const { name, email } = input
      const whose = { id, organisationId: actor.organisationId }
      await statements
        .addUser({ ...whose, name, email, role: 'member', state: 'active', at: stamp(clock) })
        .execute(tx)
        .catch(emailTaken)
    }
    const made = before ?? (await row(tx, id))
    if (!made) throw fail('internal')
    // Who comes back is switched on again, unless it is said otherwise.
    await write(tx, made, { ...input, active: input.active ?? true }, null, later)
    return made
  }

  return createThings<PersonRow>({
    store,
    kind: 'User',
    rows: async (tx) => (await statements.people().execute(tx)).rows,
    row,
    shown,
    write: (tx, one, resource, later) => write(tx, one, personFrom(resource), null, later),
    begin,
    /** Switched off and out of sight of the other side. What the person made stays until somebody here removes it. */
    remove: (tx, one, later) =>
      write(tx, one, { ...personFrom(shown(one)), active: false }, stamp(clock), later),
  })
}
