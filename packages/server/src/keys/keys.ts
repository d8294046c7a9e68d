/** Service keys: made, shown once, looked up at every request, changed, revoked; what a key holds open ends with it. */
import { fail } from '@kalnet/contracts/errors'
import { KEY_DAYS, type NewKey, type ServiceKey } from '@kalnet/contracts/key'
import { type Actor, can, type KeyScope, SCOPES } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import type { Events } from '../core/events.ts'
import type { Store, Tx } from '../core/store.ts'
import { newPublicId, newSecret, tokenOf } from './secret.ts'
import { type KeyRow, statements } from './store.ts'

export interface Made {
  key: ServiceKey
  token: string
}
export interface Keys {
  /** Of one person or service account. The list of one's own needs no page: there are at most fifty. */
  of(actor: Actor, userIds: string[]): Promise<ServiceKey[]>
  all(actor: Actor, page: { after?: string | undefined; limit: number }): Promise<ServiceKey[]>
  make(actor: Actor, userId: string, input: NewKey): Promise<Made>
  /** `reach`: by which right: one's own, or any of the organisation's service accounts. */
  rotate(actor: Actor, reach: Reach, id: string, overlapMinutes: number): Promise<Made>
  revoke(actor: Actor, reach: Reach, id: string): Promise<ServiceKey>
  /** Cuts whatever the keys of a user hold open; the keys themselves stay. */
  cutAllOf(tx: Tx, userId: string): Promise<void>
}
export type Reach = 'key.own' | 'key.manage'

const MOST_KEYS = 50
const DAY_MS = 24 * 3600_000
const MINUTE_MS = 60_000

export const isScope = (name: string): name is KeyScope => (SCOPES as readonly string[]).includes(name)

export const shapeKey = (row: KeyRow): ServiceKey => ({
  id: row.id,
  begins: `kal_${row.public_id}`,
  name: row.name,
  userId: row.user_id,
  userName: row.user_name,
  userKind: row.user_kind,
  scopes: row.scopes.filter(isScope),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
  lastUsedAddress: row.last_used_address,
  overlapUntil: row.old_until,
})

export function createKeys({ store, events, clock }: { store: Store; events: Events; clock: Clock }): Keys {
  const moment = (ms = 0) => new Date(clock.now().getTime() + ms).toISOString()
  const home = (actor: Actor) => store.as(actor.organisationId)

  async function tell(
    tx: Tx,
    row: Pick<KeyRow, 'organisation_id' | 'user_id'>,
    secretIds: (string | null)[],
  ) {
    const where = { organisationId: row.organisation_id, userId: row.user_id }
    for (const signInId of secretIds)
      if (signInId !== null) await events.publish(tx, 'sign-in.ended', where, { signInId })
  }

  async function reread(tx: Tx, id: string): Promise<ServiceKey> {
    const row = (await statements.byId({ id }).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'key' })
    return shapeKey(row)
  }

  /** The key, if this actor may do that to it by this right; locked until the change is committed. */
  async function mine(tx: Tx, actor: Actor, reach: Reach, id: string): Promise<KeyRow> {
    await statements.lock({ id }).execute(tx)
    const row = (await statements.byId({ id }).execute(tx)).rows[0]
    // Of one's own keys one knows; of those of others only stewards do.
    if (!row || (reach === 'key.own' && row.user_id !== actor.userId))
      throw fail('thing.unknown', { kind: 'key' })
    demand(actor, reach, { organisationId: row.organisation_id, userId: row.user_id }, 'key')
    return row
  }

  const expiryOf = (days: number | null) => (days === null ? null : moment(days * DAY_MS))

  return {
    async of(actor, userIds) {
      const { rows } = await home(actor).read((tx) => statements.ofUsers({ userIds }).execute(tx))
      return rows.map(shapeKey)
    },
    async all(actor, { after = null, limit }) {
      const { rows } = await home(actor).read((tx) => statements.all({ after, limit }).execute(tx))
      return rows.map(shapeKey)
    },
    async make(actor, userId, { name, scopes, expiresInDays }) {
      if (expiresInDays === null && actor.role !== 'owner') throw fail('key.lifetime')
      const id = newId()
      const publicId = newPublicId()
      const { secret, hash } = newSecret()
      const key = await home(actor).transaction(async (tx) => {
        const { count } = (await statements.count({ userId }).execute(tx)).rows[0] ?? { count: 0 }
        if (count >= MOST_KEYS)
          throw fail('request.invalid', { problem: `there are ${MOST_KEYS} keys already; revoke one first` })
        await statements
          .add({
            id,
            organisationId: actor.organisationId,
            userId,
            name,
            publicId,
            scopes,
            at: moment(),
            days: expiresInDays,
            expiresAt: expiryOf(expiresInDays),
            secretId: newId(),
            secretHash: hash,
          })
          .execute(tx)
        return reread(tx, id)
      })
      return { key, token: tokenOf(publicId, secret) }
    },
    async rotate(actor, reach, id, overlapMinutes) {
      const { secret, hash } = newSecret()
      return home(actor).transaction(async (tx) => {
        const row = await mine(tx, actor, reach, id)
        // Whoever could read a person's new secret would be that person.
        if (reach === 'key.manage' && row.user_kind === 'person') throw fail('permission.denied')
        // A key that never expires was an owner's decision; nobody else renews it.
        const days = row.days === null && actor.role !== 'owner' ? KEY_DAYS.most : row.days
        const oldUntil = overlapMinutes === 0 ? null : moment(overlapMinutes * MINUTE_MS)
        const secretId = newId()
        await statements
          .rotate({ id, secretId, secretHash: hash, days, expiresAt: expiryOf(days), oldUntil })
          .execute(tx)
        await tell(tx, row, oldUntil === null ? [row.secret_id, row.old_secret_id] : [row.old_secret_id])
        return { key: await reread(tx, id), token: tokenOf(row.public_id, secret) }
      })
    },
    async revoke(actor, reach, id) {
      return home(actor).transaction(async (tx) => {
        const row = await mine(tx, actor, reach, id)
        if (row.user_role === 'owner' && actor.role !== 'owner') throw fail('permission.denied')
        await statements.remove({ id }).execute(tx)
        await tell(tx, row, [row.secret_id, row.old_secret_id])
        return shapeKey(row)
      })
    },
    async cutAllOf(tx, userId) {
      for (const { organisation_id, id } of (await statements.secretsOf({ userId }).execute(tx)).rows)
        await tell(tx, { organisation_id, user_id: userId }, [id])
    },
  }
}

/** May somebody with this role still have keys of their own? */
export const mayHoldKeys = (row: Pick<KeyRow, 'user_kind' | 'user_role' | 'organisation_id' | 'user_id'>) =>
  row.user_kind === 'service' ||
  can(
    {
      kind: 'user',
      userId: row.user_id,
      organisationId: row.organisation_id,
      role: row.user_role as Actor['role'],
      scopes: null,
    },
    'key.own',
  )
