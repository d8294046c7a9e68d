/** Service accounts: users that are programs. They belong to the organisation, have a role, and sign in by service keys only. */
import { fail } from '@kalnet/contracts/errors'
import type { AccountRole, ServiceAccount } from '@kalnet/contracts/key'
import type { Actor } from '@kalnet/contracts/permission'
import { type Clock, stamp } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import type { Store, Tx } from '../core/store.ts'
import { type Keys, shapeKey } from './keys.ts'
import { type AccountRow, statements } from './store.ts'

export interface Accounts {
  list(actor: Actor, page: { after?: string | undefined; limit: number }): Promise<ServiceAccount[]>
  /** Throws thing.unknown unless there is one and the actor may manage it. */
  find(actor: Actor, id: string): Promise<ServiceAccount>
  make(actor: Actor, input: { name: string; role: AccountRole }): Promise<ServiceAccount>
  change(actor: Actor, id: string, change: AccountChange): Promise<ServiceAccount>
  remove(actor: Actor, id: string): Promise<void>
}
interface AccountChange {
  name?: string | undefined
  role?: AccountRole | undefined
  state?: 'active' | 'off' | undefined
}

const shape = (row: AccountRow, keys: ServiceAccount['keys']): ServiceAccount => ({
  id: row.id,
  name: row.name,
  role: row.role as AccountRole,
  state: row.state as ServiceAccount['state'],
  createdAt: row.created_at,
  keys,
})

export function createAccounts({ store, clock, keys }: { store: Store; clock: Clock; keys: Keys }): Accounts {
  const home = (actor: Actor) => store.as(actor.organisationId)

  async function managed(tx: Tx, actor: Actor, id: string): Promise<ServiceAccount> {
    const row = (await statements.account({ id }).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'service account' })
    demand(actor, 'key.manage', { organisationId: row.organisation_id, userId: row.id }, 'service account')
    const found = (await statements.ofUsers({ userIds: [id] }).execute(tx)).rows
    return shape(row, found.map(shapeKey))
  }

  return {
    list: (actor, { after = null, limit }) =>
      home(actor).read(async (tx) => {
        const { rows } = await statements.accounts({ after, limit }).execute(tx)
        const found = (await statements.ofUsers({ userIds: rows.map((row) => row.id) }).execute(tx)).rows
        return rows.map((row) => shape(row, found.filter((key) => key.user_id === row.id).map(shapeKey)))
      }),
    find: (actor, id) => home(actor).read((tx) => managed(tx, actor, id)),
    make: (actor, { name, role }) =>
      home(actor).transaction(async (tx) => {
        const id = newId()
        await statements
          .addAccount({ id, organisationId: actor.organisationId, name, role, at: stamp(clock) })
          .execute(tx)
        return managed(tx, actor, id)
      }),
    change: (actor, id, change) =>
      home(actor).transaction(async (tx) => {
        const before = await managed(tx, actor, id)
        const { name = before.name, role = before.role, state = before.state } = change
        await statements.changeAccount({ id, name, role, state, at: stamp(clock) }).execute(tx)
        // What it holds open was opened with what it might do before.
        if (role !== before.role || state !== before.state) await keys.cutAllOf(tx, id)
        return managed(tx, actor, id)
      }),
    remove: (actor, id) =>
      home(actor).transaction(async (tx) => {
        await managed(tx, actor, id)
        const running = (await statements.hasSessions({ userId: id }).execute(tx)).rows[0]?.some
        if (running) throw fail('request.invalid', { problem: 'it has running sessions; stop them first' })
        await keys.cutAllOf(tx, id)
        await statements.removeAccount({ id }).execute(tx)
      }),
  }
}
