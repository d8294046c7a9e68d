/** Where a person is signed in, and signing out there. */
import { fail } from '@kalnet/contracts/errors'
import { type Device, signInMethod } from '@kalnet/contracts/sign-in'
import type { Clock } from '@kalnet/io/clock'
import type { Store } from '../core/store.ts'
import { deviceWords } from './device-words.ts'
import type { SignIns } from './sign-ins.ts'
import { type DeviceRow, statements } from './store.ts'

export interface Devices {
  list(organisationId: string, userId: string, currentId: string | null): Promise<Device[]>
  /** One of this person's own. */
  end(organisationId: string, userId: string, id: string): Promise<void>
  /** All but the one named. */
  endAll(organisationId: string, userId: string, except: string | null): Promise<void>
}

const shape = (row: DeviceRow, currentId: string | null): Device => ({
  id: row.id,
  device: deviceWords(row.user_agent ?? ''),
  address: row.address ?? '',
  method: signInMethod.parse(row.method),
  assurance: row.assurance === 2 ? 2 : 1,
  createdAt: row.created_at,
  lastSeenAt: row.last_seen_at,
  expiresAt: row.expires_at,
  current: row.id === currentId,
})

export function createDevices(options: { store: Store; signIns: SignIns; clock: Clock }): Devices {
  const { store, signIns, clock } = options
  return {
    list: (organisationId, userId, currentId) =>
      store.as(organisationId).read(async (tx) => {
        const now = clock.now().toISOString()
        const { rows } = await statements.signInsOf({ userId, now }).execute(tx)
        return rows.map((row) => shape(row, currentId))
      }),
    end: (organisationId, userId, id) =>
      store.as(organisationId).transaction(async (tx) => {
        const owner = (await statements.signInOwner({ id }).execute(tx)).rows[0]
        if (owner?.user_id !== userId) throw fail('thing.unknown', { kind: 'sign-in' })
        await signIns.end(tx, id)
      }),
    endAll: (organisationId, userId, except) =>
      store.as(organisationId).transaction((tx) => signIns.endAllOf(tx, userId, except)),
  }
}
