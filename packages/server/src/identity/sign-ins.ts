/** A person's authenticated period on a device: begun by one gate, looked up at every request, ended for good. */
import type { Actor, Role } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import type { Events } from '../core/events.ts'
import type { Credentials, Identified } from '../core/http.ts'
import { aside, type Store, type Tx } from '../core/store.ts'
import { hashInCookie, hashOf, newSecret } from './cookie.ts'
import { statements, type UserRow } from './store.ts'

export const ABSOLUTE_MS = 30 * 24 * 3600_000
export const IDLE_MS = 14 * 24 * 3600_000
/** How exact `last seen` is: a write per request would be a waste. */
const TOUCH_MS = 5 * 60_000
/** Nobody's id: the local CLI before anybody has claimed. */
const NOBODY = '00000000-0000-0000-0000-000000000000'

export interface SignIns {
  authenticate(credentials: Credentials): Promise<Identified>
  /** Every way to sign in ends here. The secret goes into the cookie and nowhere else; an earlier sign-in of this device ends. */
  begin(
    tx: Tx,
    user: UserRow,
    device: { address: string; userAgent: string; replaces: string | null },
  ): Promise<{ secret: string; hash: string }>
  end(tx: Tx, hash: string): Promise<void>
  /** All of a person's, but the one named. */
  endAllOf(tx: Tx, userId: string, except: string | null): Promise<void>
  /** Of those that hold connections: which have ended (also by age). */
  ended(hashes: string[]): Promise<string[]>
  /** Removes what has run out. */
  tidy(): Promise<void>
}

export const actorOf = (user: UserRow, kind: Actor['kind'] = 'user'): Actor => ({
  kind,
  userId: user.id,
  organisationId: user.organisation_id,
  role: user.role as Role,
})

export function createSignIns({
  store,
  events,
  clock,
}: {
  store: Store
  events: Events
  clock: Clock
}): SignIns {
  const moment = (ms = 0) => new Date(clock.now().getTime() + ms).toISOString()
  const window = () => ({ now: moment(), idleSince: moment(-IDLE_MS) })

  async function tell(tx: Tx, rows: { hash: string; organisation_id: string; user_id: string }[]) {
    for (const row of rows) {
      const where = { organisationId: row.organisation_id, userId: row.user_id }
      await events.publish(tx, 'sign-in.ended', where, { signInHash: row.hash })
    }
  }
  const end = async (tx: Tx, hash: string) =>
    tell(tx, (await statements.endSignIn({ hash }).execute(tx)).rows)

  async function asLocal(): Promise<Identified> {
    const owner = (await store.system.read((tx) => statements.firstOwner().execute(tx))).rows[0]
    const nobody: Actor = { kind: 'local-cli', userId: NOBODY, organisationId: NOBODY, role: 'owner' }
    return { actor: owner ? actorOf(owner, 'local-cli') : nobody, signIn: null }
  }

  return {
    async authenticate({ cookie, secure, local }) {
      if (local) return asLocal()
      const hash = hashInCookie(cookie, secure)
      if (!hash) return { actor: null, signIn: null }
      const row = (await store.system.read((tx) => statements.findSignIn({ hash, ...window() }).execute(tx)))
        .rows[0]
      if (!row) return { actor: null, signIn: null }
      if (Date.parse(row.last_seen_at) < clock.now().getTime() - TOUCH_MS)
        await aside(() =>
          store.system.transaction((tx) => statements.touchSignIn({ hash, now: moment() }).execute(tx)),
        )
      const actor: Actor = {
        kind: 'user',
        userId: row.user_id,
        organisationId: row.organisation_id,
        role: row.role as Role,
      }
      return { actor, signIn: { hash } }
    },
    async begin(tx, user, device) {
      const secret = newSecret()
      const hash = hashOf(secret)
      if (device.replaces) await end(tx, device.replaces)
      await statements
        .addSignIn({
          hash,
          organisationId: user.organisation_id,
          userId: user.id,
          at: moment(),
          expiresAt: moment(ABSOLUTE_MS),
          address: device.address,
          userAgent: device.userAgent.slice(0, 300),
        })
        .execute(tx)
      return { secret, hash }
    },
    end,
    async endAllOf(tx, userId, except) {
      await tell(tx, (await statements.endSignInsOf({ userId, except }).execute(tx)).rows)
    },
    async ended(hashes) {
      if (hashes.length === 0) return []
      const { rows } = await store.system.read((tx) =>
        statements.stillSignedIn({ hashes, ...window() }).execute(tx),
      )
      const alive = new Set(rows.map((row) => row.hash))
      return hashes.filter((hash) => !alive.has(hash))
    },
    async tidy() {
      await store.system.transaction(async (tx) =>
        tell(tx, (await statements.endOldSignIns(window()).execute(tx)).rows),
      )
    },
  }
}
