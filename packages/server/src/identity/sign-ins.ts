/** A person's authenticated period on a device: begun by one gate, looked up at every request, ended for good. */
import { fail } from '@kalnet/contracts/errors'
import { type Actor, type Role, UNPROVED } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { Events } from '../core/events.ts'
import type { Credentials, Identified } from '../core/http.ts'
import { aside, type Store, type Tx } from '../core/store.ts'
import { hashInCookie, hashOf, newSecret } from './cookie.ts'
import { statements as factorStatements } from './factors.store.ts'
import { DEFAULT_POLICIES, policyOf } from './policy.ts'
import { type EndedRow, statements, type UserRow } from './store.ts'

/** How exact `last seen` is: a write per request would be a waste. */
const TOUCH_MS = 5 * 60_000
/** Nobody's id: the local CLI before anybody has claimed. */
const NOBODY = '00000000-0000-0000-0000-000000000000'

/** `link`: a one-use address made by us (claim, reset, invitation). */
export type SignInMethod = 'password' | 'passkey' | 'openid' | 'saml' | 'link'
/** What was shown at the gate. */
export interface Proof {
  method: SignInMethod
  assurance: 1 | 2
  /** The identity provider it came from, with its own name for the session there. */
  provider?: { id: string; session: string | null }
}
export interface DeviceOf {
  address: string
  userAgent: string
  /** The hash of the cookie that came along: that sign-in ends. */
  replaces: string | null
}

export interface SignIns {
  authenticate(credentials: Credentials): Promise<Identified>
  /** Every way to sign in ends here. The secret goes into the cookie and nowhere else; an earlier sign-in of this device ends. */
  begin(
    tx: Tx,
    user: UserRow,
    device: DeviceOf,
    proof: Proof,
  ): Promise<{ id: string; secret: string; maxAgeMs: number; unproved: boolean }>
  /** The person has proved who it is once more: a new secret, the same sign-in; the old secret is dead at once. */
  renew(tx: Tx, id: string, assurance: 1 | 2): Promise<{ secret: string; maxAgeMs: number }>
  /** The limits and demands of the role hold for those who are signed in already; of one person, or of all with the role. */
  refit(tx: Tx, whose: { organisationId: string; role: Role; userId: string | null }): Promise<void>
  end(tx: Tx, id: string): Promise<void>
  /** All of a person's, but the one named; and those that wait for a second factor. */
  endAllOf(tx: Tx, userId: string, except: string | null): Promise<void>
  /** Of those that hold connections: which have ended, also by age, or prove too little by now. */
  ended(ids: string[]): Promise<string[]>
  /** Removes what has run out. */
  tidy(): Promise<void>
}

export const actorOf = (user: UserRow, kind: Actor['kind'] = 'user'): Actor => ({
  kind,
  userId: user.id,
  organisationId: user.organisation_id,
  role: user.role as Role,
  scopes: null,
})

export function createSignIns(options: { store: Store; events: Events; clock: Clock }): SignIns {
  const { store, events, clock } = options
  const moment = (ms = 0) => new Date(clock.now().getTime() + ms).toISOString()

  async function tell(tx: Tx, rows: EndedRow[]) {
    for (const row of rows) {
      const where = { organisationId: row.organisation_id, userId: row.user_id }
      await events.publish(tx, 'sign-in.ended', where, { signInId: row.id })
    }
  }

  async function asLocal(): Promise<Identified> {
    const owner = (await store.system.read((tx) => statements.firstOwner().execute(tx))).rows[0]
    if (owner) return { actor: actorOf(owner, 'local-cli'), signIn: null }
    const nobody = { userId: NOBODY, organisationId: NOBODY, role: 'owner', scopes: null } as const
    return { actor: { kind: 'local-cli', ...nobody }, signIn: null }
  }

  return {
    async authenticate({ cookie, secure, local }) {
      if (local) return asLocal()
      const hash = hashInCookie(cookie, secure)
      if (!hash) return { actor: null, signIn: null }
      const row = (
        await store.system.read((tx) => statements.findSignIn({ hash, now: moment() }).execute(tx))
      ).rows[0]
      if (!row) return { actor: null, signIn: null }
      if (Date.parse(row.last_seen_at) < clock.now().getTime() - TOUCH_MS)
        await aside(() =>
          store.system.transaction((tx) => statements.touchSignIn({ id: row.id, now: moment() }).execute(tx)),
        )
      const role = row.role as Role
      const demanded = row.policy_assurance ?? DEFAULT_POLICIES[role].assurance
      const actor: Actor = {
        kind: 'user',
        userId: row.user_id,
        organisationId: row.organisation_id,
        role,
        scopes: row.assurance < demanded ? UNPROVED : null,
      }
      const assurance = row.assurance === 2 ? 2 : 1
      return { actor, signIn: { id: row.id, hash, provedAt: row.proved_at, assurance } }
    },
    async begin(tx, user, device, { method, assurance, provider }) {
      const secret = newSecret()
      const id = newId()
      const policy = await policyOf(tx, user.organisation_id, user.role as Role)
      const { idleMs, absoluteMs } = policy
      if (device.replaces)
        await tell(tx, (await statements.endSignInOfHash({ hash: device.replaces }).execute(tx)).rows)
      await statements
        .addSignIn({
          id,
          hash: hashOf(secret),
          organisationId: user.organisation_id,
          userId: user.id,
          at: moment(),
          idleUntil: moment(idleMs),
          expiresAt: moment(absoluteMs),
          address: device.address,
          userAgent: device.userAgent.slice(0, 300),
          method,
          assurance,
          providerId: provider?.id ?? null,
          providerSession: provider?.session ?? null,
        })
        .execute(tx)
      return { id, secret, maxAgeMs: absoluteMs, unproved: assurance < policy.assurance }
    },
    async renew(tx, id, assurance) {
      const secret = newSecret()
      const given = { id, hash: hashOf(secret), assurance, now: moment() }
      const row = (await statements.renewSignIn(given).execute(tx)).rows[0]
      if (!row) throw fail('sign-in.required')
      return { secret, maxAgeMs: Date.parse(row.expires_at) - clock.now().getTime() }
    },
    async refit(tx, whose) {
      const { idleMs, absoluteMs } = await policyOf(tx, whose.organisationId, whose.role)
      await statements.refitSignIns({ ...whose, idleMs, absoluteMs }).execute(tx)
    },
    async end(tx, id) {
      await tell(tx, (await statements.endSignIn({ id }).execute(tx)).rows)
    },
    async endAllOf(tx, userId, except) {
      await factorStatements.dropAttemptsOf({ userId }).execute(tx)
      await tell(tx, (await statements.endSignInsOf({ userId, except }).execute(tx)).rows)
    },
    async ended(ids) {
      if (ids.length === 0) return []
      const { rows } = await store.system.read((tx) =>
        statements.stillSignedIn({ ids, now: moment() }).execute(tx),
      )
      const alive = new Set(rows.map((row) => row.id))
      return ids.filter((id) => !alive.has(id))
    },
    async tidy() {
      await store.system.transaction(async (tx) =>
        tell(tx, (await statements.endOldSignIns({ now: moment() }).execute(tx)).rows),
      )
    },
  }
}
