/** The link that makes the first owner, and the one that lets the owner in again: one use, only the SHA-256 is stored. */
import { fail } from '@kalnet/contracts/errors'
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { Store, Tx } from '../core/store.ts'
import { hashOf, newSecret } from './cookie.ts'
import { statements, type UserRow } from './store.ts'

export interface Link {
  url: string
  expiresAt: string
}
export interface Person {
  name: string
  email: string
  passwordHash: string
  organisationName: string
}
export interface Claims {
  claimed(): Promise<boolean>
  /** A fresh link; null when somebody has claimed already. Earlier links stay good until one is used. */
  issue(): Promise<Link | null>
  /** Null when there is no owner yet. A new one replaces the old. */
  issueReset(also: { clearFactors: boolean }): Promise<Link | null>
  /** Throws claim.unknown unless the token would work now; nothing is used up. */
  check(token: string): Promise<void>
  /** Uses the token up: makes the owner and the organisation, or gives the owner a new name, address and password. */
  use(
    tx: Tx,
    token: string,
    person: Person,
  ): Promise<{ user: UserRow; reset: boolean; clearFactors: boolean }>
}

const CLAIM_MS = 24 * 3600_000
const RESET_MS = 3600_000

/** `address`: where people reach the dashboard. The token stands in the fragment, which no server sees and no log keeps. */
export function createClaims({
  store,
  clock,
  address,
}: {
  store: Store
  clock: Clock
  address: () => string
}): Claims {
  const moment = (ms = 0) => new Date(clock.now().getTime() + ms).toISOString()
  const linkFor = (token: string, expiresAt: string): Link => ({
    url: `${new URL('/claim', address())}#${token}`,
    expiresAt,
  })

  const isClaimed = async (tx: Tx) => (await statements.claimed().execute(tx)).rows[0]?.claimed === true

  async function reread(tx: Tx, id: string): Promise<UserRow> {
    const user = (await statements.userById({ id }).execute(tx)).rows[0]
    if (!user) throw fail('claim.unknown')
    return user
  }

  return {
    claimed: () => store.system.read(isClaimed),
    issue: () =>
      store.system.transaction(async (tx) => {
        if (await isClaimed(tx)) return null
        const token = newSecret()
        const expiresAt = moment(CLAIM_MS)
        await statements.dropOldClaims({ now: moment() }).execute(tx)
        const row = {
          hash: hashOf(token),
          kind: 'claim',
          organisationId: null,
          userId: null,
          clearFactors: false,
          expiresAt,
          at: moment(),
        }
        await statements.addClaim(row).execute(tx)
        return linkFor(token, expiresAt)
      }),
    issueReset: ({ clearFactors }) =>
      store.system.transaction(async (tx) => {
        const owner = (await statements.firstOwner().execute(tx)).rows[0]
        if (!owner) return null
        const token = newSecret()
        const expiresAt = moment(RESET_MS)
        await statements.dropClaims({ kind: 'reset' }).execute(tx)
        const whose = { organisationId: owner.organisation_id, userId: owner.id }
        await statements
          .addClaim({ hash: hashOf(token), kind: 'reset', ...whose, clearFactors, expiresAt, at: moment() })
          .execute(tx)
        return linkFor(token, expiresAt)
      }),
    async check(token) {
      const { rows } = await store.system.read((tx) =>
        statements.findClaim({ hash: hashOf(token), now: moment() }).execute(tx),
      )
      if (rows.length === 0) throw fail('claim.unknown')
    },
    async use(tx, token, person) {
      await statements.lockClaims().execute(tx)
      const claim = (await statements.useClaim({ hash: hashOf(token), now: moment() }).execute(tx)).rows[0]
      if (!claim) throw fail('claim.unknown')
      if (claim.kind === 'reset') {
        const id = claim.user_id ?? ''
        await statements.renameUser({ id, name: person.name }).execute(tx)
        await statements.setEmail({ id, email: person.email }).execute(tx)
        await statements.setPassword({ id, passwordHash: person.passwordHash }).execute(tx)
        return { user: await reread(tx, id), reset: true, clearFactors: claim.clear_factors }
      }
      if (await isClaimed(tx)) throw fail('claim.unknown')
      await statements.dropClaims({ kind: 'claim' }).execute(tx)
      const organisationId = newId()
      const id = newId()
      await statements
        .addOrganisation({ id: organisationId, name: person.organisationName, at: moment() })
        .execute(tx)
      const { name, email, passwordHash } = person
      await statements
        .addUser({ id, organisationId, name, email, role: 'owner', passwordHash, at: moment() })
        .execute(tx)
      return { user: await reread(tx, id), reset: false, clearFactors: false }
    },
  }
}
