/** Whose account at a provider is whose here: found by provider, issuer and subject, never by e-mail. */
import { fail } from '@kalnet/contracts/errors'
import type { CountsAsSecondFactor } from '@kalnet/contracts/federation'
import type { Actor, Role } from '@kalnet/contracts/permission'
import { type Clock, stamp } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { Secrets } from '../core/secrets.ts'
import type { Tx } from '../core/store.ts'
import type { Entered, Gate } from '../identity/gate.ts'
import type { DeviceOf } from '../identity/sign-ins.ts'
import { mapGroups } from './mapping.ts'
import { type IdentityRow, type ProviderRow, statements } from './store.ts'
import type { Vouched } from './vouched.ts'

export interface AccountsOptions {
  clock: Clock
  gate: Gate
  secrets: Secrets
  /** Tells whoever shows people that somebody changed, in the transaction of the change. */
  personChanged(tx: Tx, userId: string): Promise<void>
  /** Gives another role: every sign-in of the person ends, for what is open was opened in the old one. */
  assign(tx: Tx, userId: string, from: Role, to: Role): Promise<void>
}
export interface Accounts {
  signIn(
    tx: Tx,
    provider: ProviderRow,
    vouched: Vouched,
    device: DeviceOf,
    known: (actor: Actor) => void,
  ): Promise<Entered>
  link(tx: Tx, provider: ProviderRow, vouched: Vouched, userId: string): Promise<void>
  /** Role and groups as the provider tells them now; only of those who were made by it. Did anything change? */
  follow(tx: Tx, provider: ProviderRow, vouched: Vouched, identity: IdentityRow): Promise<boolean>
}

export const tokensName = (sessionId: string) => `provider-session.${sessionId}`

export const countsAsTwo = (rule: CountsAsSecondFactor, contexts: readonly string[]): boolean => {
  switch (rule.when) {
    case 'never':
      return false
    case 'always':
      return true
    case 'told':
      return contexts.some((it) => rule.values.includes(it))
  }
}

export function createAccounts({ clock, gate, secrets, personChanged, assign }: AccountsOptions): Accounts {
  const find = async (tx: Tx, provider: ProviderRow, vouched: Vouched): Promise<IdentityRow | null> => {
    const { issuer, subject } = vouched
    const key = JSON.stringify([provider.id, issuer, subject])
    await statements.lockSubject({ key }).execute(tx)
    return (
      (await statements.identity({ providerId: provider.id, issuer, subject }).execute(tx)).rows[0] ?? null
    )
  }
  const add = async (tx: Tx, provider: ProviderRow, vouched: Vouched, userId: string, managed: boolean) => {
    const { issuer, subject, account } = vouched
    const organisationId = provider.organisation_id
    const row = {
      id: newId(),
      organisationId,
      userId,
      providerId: provider.id,
      issuer,
      subject,
      account,
      managed,
    }
    await statements.addIdentity({ ...row, at: stamp(clock) }).execute(tx)
    const added = (await statements.identity({ providerId: provider.id, issuer, subject }).execute(tx))
      .rows[0]
    if (!added) throw new Error('an identity that was just added is not there')
    return added
  }
  async function makePerson(tx: Tx, provider: ProviderRow, vouched: Vouched): Promise<IdentityRow> {
    if (!provider.creates_people) throw fail('provider.stranger')
    if (!vouched.email) throw fail('provider.no-email')
    const { role } = mapGroups(provider.rules, vouched.groups, provider.default_role)
    const made = await statements
      .addPerson({
        id: newId(),
        organisationId: provider.organisation_id,
        name: vouched.name ?? vouched.account.slice(0, 60),
        email: vouched.email,
        role: role ?? provider.default_role,
        at: stamp(clock),
      })
      .execute(tx)
    const userId = made.rows[0]?.id
    // Whoever has the address here may be somebody else: the provider's word for an address joins nothing.
    if (!userId) throw fail('provider.email-taken')
    return add(tx, provider, vouched, userId, true)
  }
  async function follow(tx: Tx, provider: ProviderRow, vouched: Vouched, identity: IdentityRow) {
    if (!identity.managed) return false
    const userId = identity.user_id
    const mapped = mapGroups(provider.rules, vouched.groups, provider.default_role)
    const role = (await statements.person({ id: userId }).execute(tx)).rows[0]?.role
    // An owner stays one.
    const to = mapped.role && role && role !== 'owner' && role !== mapped.role ? mapped.role : null
    if (to) await assign(tx, userId, role as Role, to)
    const { organisation_id: organisationId } = provider
    const moved = [
      (await statements.joinGroups({ userId, organisationId, ids: mapped.in }).execute(tx)).rows,
      (await statements.leaveGroups({ userId, ids: mapped.out }).execute(tx)).rows,
    ].some((rows) => rows.length > 0)
    if (moved) await personChanged(tx, userId)
    return moved || to !== null
  }
  return {
    follow,
    async signIn(tx, provider, vouched, device, known) {
      const before = await find(tx, provider, vouched)
      const identity = before ?? (await makePerson(tx, provider, vouched))
      await follow(tx, provider, vouched, identity)
      if (!before) await personChanged(tx, identity.user_id)
      const user = (await statements.person({ id: identity.user_id }).execute(tx)).rows[0]
      if (user?.state !== 'active') throw fail('provider.off')
      const at = stamp(clock)
      await statements.useIdentity({ id: identity.id, account: vouched.account, at }).execute(tx)
      const id = newId()
      const organisationId = provider.organisation_id
      await statements
        .addSession({
          id,
          organisationId,
          providerId: provider.id,
          identityId: identity.id,
          sid: vouched.sid,
          refreshes: vouched.tokens?.refresh !== null && vouched.tokens !== null,
          at,
        })
        .execute(tx)
      if (vouched.tokens)
        await secrets.put(tx, organisationId, tokensName(id), JSON.stringify(vouched.tokens))
      const assurance = countsAsTwo(provider.second_factor, vouched.contexts) ? 2 : 1
      const from = { id: provider.id, session: id }
      return gate.enter(tx, user, { method: provider.kind, assurance, provider: from }, device, known)
    },
    async link(tx, provider, vouched, userId) {
      const before = await find(tx, provider, vouched)
      if (before && before.user_id !== userId) throw fail('provider.link-taken')
      if (!before) await add(tx, provider, vouched, userId, false)
    },
  }
}
