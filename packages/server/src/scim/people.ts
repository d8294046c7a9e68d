/** People by SCIM: added, changed, switched off. Owners are people's own affair: nothing from outside lowers or removes them. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import type { ScimQuery, ScimResource } from '@kalnet/contracts/scim'
import { stamp } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { type PersonInput, personFrom, shownPerson } from './person.ts'
import { taken, unknownThing } from './refusal.ts'
import type { ScimRoomOptions } from './room.ts'
import { checkedResource, patchedResource } from './schema.ts'
import { listOf } from './shown.ts'
import { type PersonRow, statements } from './store.ts'

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
export const isId = (text: string) => ID.test(text)
/** Throws unless the version the other side knows is the one there is (RFC 7644 §3.14). */
export type Precondition = (resource: ScimResource) => void

export function createScimPeople(options: ScimRoomOptions) {
  const { store, clock, address, tellPerson, endAll } = options
  const home = (actor: Actor) => store.as(actor.organisationId)
  const shown = (row: PersonRow) => shownPerson(row, address())

  async function reread(tx: Tx, id: string): Promise<PersonRow> {
    const row = isId(id) ? (await statements.person({ id }).execute(tx)).rows[0] : undefined
    if (!row) throw unknownThing('person')
    return row
  }

  async function write(tx: Tx, row: PersonRow, input: PersonInput, removedAt: string | null): Promise<void> {
    const state = input.active === null ? row.state : input.active ? 'active' : 'off'
    const role = input.role ?? row.role
    const lowered = role !== row.role || state !== row.state || input.email !== row.email
    if (row.role === 'owner' && (lowered || removedAt !== null))
      throw fail('scim.refused', { problem: 'Owners are changed in Kalnet itself only.' })
    if (role === 'owner' && row.role !== 'owner')
      throw fail('scim.refused', { problem: 'Nobody becomes an owner from outside.' })
    const other = (await statements.personByName({ userName: input.userName }).execute(tx)).rows[0]
    if (other && other.id !== row.id) throw taken('Somebody else has this userName.')
    const { id, organisation_id: organisationId } = row
    const at = stamp(clock)
    const { name, email, userName, externalId } = input
    const attributes = JSON.stringify(input.attributes)
    await statements
      .changeUser({ id, name, email, role, state, at })
      .execute(tx)
      .catch((error: unknown) => {
        throw isDuplicate(error, 'users_email_key') ? taken('Somebody else has this e-mail address.') : error
      })
    await statements.keep({ id, organisationId, userName, externalId, attributes, removedAt, at }).execute(tx)
    // What is open was opened in the old role, or by somebody who may do nothing now.
    if (role !== row.role || state !== row.state) await endAll(tx, id)
    await tellPerson(tx, id)
  }

  /** One change at a time in an organisation; what it starts from is what there is. */
  const changing = <T>(actor: Actor, work: (tx: Tx) => Promise<T>): Promise<T> =>
    home(actor).transaction(async (tx) => {
      await statements.lock({ organisationId: actor.organisationId }).execute(tx)
      return work(tx)
    })

  return {
    list: (actor: Actor, query: ScimQuery) =>
      home(actor).read(async (tx) => listOf((await statements.people().execute(tx)).rows.map(shown), query)),

    read: (actor: Actor, id: string) => home(actor).read(async (tx) => shown(await reread(tx, id))),

    add: (actor: Actor, body: ScimResource) =>
      changing(actor, async (tx) => {
        const input = personFrom(checkedResource('User', body))
        const { organisationId } = actor
        const before = (await statements.personByName({ userName: input.userName }).execute(tx)).rows[0]
        if (before && before.removed_at === null) throw taken('Somebody has this userName already.')
        const id = before?.id ?? newId()
        if (!before) {
          const { name, email } = input
          await statements
            .addUser({ id, organisationId, name, email, role: 'member', state: 'active', at: stamp(clock) })
            .execute(tx)
            .catch((error: unknown) => {
              throw isDuplicate(error, 'users_email_key')
                ? taken('Somebody has this e-mail address already.')
                : error
            })
        }
        // Who comes back is switched on again, unless it is said otherwise.
        await write(tx, before ?? (await reread(tx, id)), { ...input, active: input.active ?? true }, null)
        return shown(await reread(tx, id))
      }),

    put: (actor: Actor, id: string, body: ScimResource, precondition: Precondition) =>
      changing(actor, async (tx) => {
        const row = await reread(tx, id)
        precondition(shown(row))
        await write(tx, row, personFrom(checkedResource('User', body)), null)
        return shown(await reread(tx, id))
      }),

    patch: (actor: Actor, id: string, body: ScimResource, precondition: Precondition) =>
      changing(actor, async (tx) => {
        const row = await reread(tx, id)
        const before = shown(row)
        precondition(before)
        const after = checkedResource('User', await patchedResource('User', before, body))
        await write(tx, row, personFrom(after), null)
        return shown(await reread(tx, id))
      }),

    /** Switched off and out of sight of the other side. What the person made stays until somebody here removes it. */
    remove: (actor: Actor, id: string, precondition: Precondition) =>
      changing(actor, async (tx) => {
        const row = await reread(tx, id)
        const before = shown(row)
        precondition(before)
        await write(tx, row, { ...personFrom(before), active: false }, stamp(clock))
      }),
  }
}
export type ScimPeople = ReturnType<typeof createScimPeople>
