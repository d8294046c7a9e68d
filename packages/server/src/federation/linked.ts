/** A person's own accounts at providers: which there are, and taking one away, but never the last way in. */
import { fail } from '@kalnet/contracts/errors'
import type { LinkedAccount, ProviderButton } from '@kalnet/contracts/federation'
import type { Store, Tx } from '../core/store.ts'
import type { ProviderSessions } from './sessions.ts'
import { type IdentityRow, statements } from './store.ts'

export interface Linked {
  list(
    organisationId: string,
    userId: string,
  ): Promise<{ items: LinkedAccount[]; next: null; available: ProviderButton[] }>
  /** One of one's own. */
  own(organisationId: string, userId: string, id: string): Promise<IdentityRow>
  unlink(organisationId: string, userId: string, id: string, signInId: string | null): Promise<void>
}

export function createLinked({
  store,
  sessions,
}: {
  store: Store
  sessions: Pick<ProviderSessions, 'endIdentity'>
}): Linked {
  const unknown = () => fail('thing.unknown', { kind: 'linked account' })
  async function looked(tx: Tx, userId: string) {
    const { rows } = await statements.identitiesOf({ userId }).execute(tx)
    const others = (await statements.otherWays({ userId }).execute(tx)).rows[0]?.ways ?? 0
    // A provider that is off lets nobody in.
    const ways = others + rows.filter((row) => row.enabled).length
    return rows.map((row) => ({ row, removable: ways - (row.enabled ? 1 : 0) > 0 }))
  }
  return {
    async list(organisationId, userId) {
      return store.as(organisationId).read(async (tx) => {
        const mine = await looked(tx, userId)
        const buttons = (await statements.buttons().execute(tx)).rows
        const taken = new Set(mine.map(({ row }) => row.provider_id))
        return {
          items: mine.map(({ row, removable }) => ({
            id: row.id,
            provider: { id: row.provider_id, name: row.name, icon: row.icon },
            account: row.account,
            linkedAt: row.created_at,
            lastUsedAt: row.last_used_at,
            removable,
          })),
          next: null,
          available: buttons.filter((it) => !taken.has(it.id)),
        }
      })
    },
    async own(organisationId, userId, id) {
      const row = (
        await store.as(organisationId).read((tx) => statements.identityById({ id, userId }).execute(tx))
      ).rows[0]
      if (!row) throw unknown()
      return row
    },
    unlink: (organisationId, userId, id, signInId) =>
      store.as(organisationId).transaction(async (tx) => {
        // Two that are taken away at the same moment: one after the other, so that one of them is the last.
        await statements.lockSubject({ key: `ways ${userId}` }).execute(tx)
        const found = (await looked(tx, userId)).find(({ row }) => row.id === id)
        if (!found) throw unknown()
        if (!found.removable) throw fail('provider.last-way')
        await sessions.endIdentity(tx, id, signInId)
        await statements.removeIdentity({ id }).execute(tx)
      }),
  }
}
