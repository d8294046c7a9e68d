/** Who a service key says that asks: looked up at every request, within its scopes and the role of whom it acts for. */
import { fail } from '@kalnet/contracts/errors'
import type { Role } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import type { Identified } from '../core/http.ts'
import { aside, type Store } from '../core/store.ts'
import { isScope, mayHoldKeys } from './keys.ts'
import { hashOfSecret, parseToken, sameHash } from './secret.ts'
import { type KeyRow, statements } from './store.ts'
import { createWrongTries } from './wrong-tries.ts'

/** How exact `last used` is: a write for each request would be a waste. */
const TOUCH_MS = 60_000
const KEPT_AFTER_EXPIRY_MS = 30 * 24 * 3600_000
const KNOWN = 1_000

export interface KeyDoor {
  /** Throws key.invalid, or request.too-many after many wrong ones. */
  authenticate(token: string, address: string): Promise<Identified>
  /** Of the secrets that hold connections: those that are good no more. */
  ended(secretIds: string[]): Promise<string[]>
  tidy(): Promise<void>
}

export function createKeyDoor({ store, clock }: { store: Store; clock: Clock }): KeyDoor {
  const moment = (ms = 0) => new Date(clock.now().getTime() + ms).toISOString()
  const wrongTries = createWrongTries(clock)
  const known = new Set<string>()
  /** The role each secret acted in: whatever it holds open was opened in that role, and ends with it. */
  const roles = new Map<string, string>()
  const stale = new Set<string>()

  /** Which of its secrets was shown: null when neither, or when it counts no more. */
  function secretShown(row: KeyRow, hash: string): string | null {
    const now = moment()
    if (row.expires_at !== null && row.expires_at <= now) return null
    if (row.user_state !== 'active' || !mayHoldKeys(row)) return null
    const current = sameHash(row.secret_hash, hash)
    const old = sameHash(row.old_secret_hash, hash)
    if (current) return row.secret_id
    return old && row.old_until !== null && row.old_until > now ? row.old_secret_id : null
  }

  return {
    async authenticate(token, address) {
      const parsed = parseToken(token)
      const publicId = parsed?.publicId ?? 'malformed'
      wrongTries.check(address, publicId, known.has(publicId))
      const row = parsed
        ? (await store.system.read((tx) => statements.byPublicId({ publicId }).execute(tx))).rows[0]
        : undefined
      const hash = hashOfSecret(parsed?.secret ?? '')
      const secretId = row ? secretShown(row, hash) : null
      if (!row || !secretId) {
        wrongTries.wrong(address, publicId)
        throw fail('key.invalid')
      }
      if (known.size >= KNOWN) known.clear()
      known.add(publicId)
      const before = roles.get(secretId)
      if (before !== undefined && before !== row.user_role) stale.add(secretId)
      roles.set(secretId, row.user_role)
      const longAgo = moment(-TOUCH_MS)
      if (row.last_used_at === null || row.last_used_at < longAgo)
        await aside(() =>
          store.system.transaction((tx) =>
            statements.touch({ id: row.id, now: moment(), before: longAgo, address }).execute(tx),
          ),
        )
      return {
        actor: {
          kind: 'service-key',
          userId: row.user_id,
          organisationId: row.organisation_id,
          role: row.user_role as Role,
          scopes: row.scopes.filter(isScope),
        },
        signIn: { id: secretId, hash, provedAt: row.created_at, key: `kal_${row.public_id}` },
      }
    },
    async ended(ids) {
      for (const id of roles.keys()) if (!ids.includes(id)) roles.delete(id)
      if (ids.length === 0) return []
      const { rows } = await store.system.read((tx) => statements.alive({ ids, now: moment() }).execute(tx))
      const alive = new Set<string>()
      for (const { secret_id, role } of rows) {
        if ((roles.get(secret_id) ?? role) === role && !stale.has(secret_id)) alive.add(secret_id)
        roles.set(secret_id, role)
      }
      stale.clear()
      return ids.filter((id) => !alive.has(id))
    },
    async tidy() {
      await store.system.transaction((tx) =>
        statements.dropExpired({ before: moment(-KEPT_AFTER_EXPIRY_MS) }).execute(tx),
      )
    },
  }
}
