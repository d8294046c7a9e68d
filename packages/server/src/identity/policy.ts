/** What a role's sign-in must prove and how long it lasts: long for the family, short for those who can change everything. */
import { type Role, role as roles } from '@kalnet/contracts/permission'
import type { SignInPolicyOf } from '@kalnet/contracts/sign-in'
import type { Tx } from '../core/store.ts'
import { type PolicyRow, statements } from './store.ts'

export interface SignInPolicy {
  /** 1: one factor is enough; 2: two are asked. */
  assurance: 1 | 2
  idleMs: number
  absoluteMs: number
}
const DAY_MS = 24 * 3600_000
const family: SignInPolicy = { assurance: 1, idleMs: 14 * DAY_MS, absoluteMs: 30 * DAY_MS }
const stewards: SignInPolicy = { assurance: 1, idleMs: DAY_MS, absoluteMs: 7 * DAY_MS }
export const DEFAULT_POLICIES: Record<Role, SignInPolicy> = {
  owner: stewards,
  admin: stewards,
  member: family,
  child: family,
  guest: family,
}

export async function policyOf(tx: Tx, organisationId: string, role: Role): Promise<SignInPolicy> {
  const row = (await statements.policy({ organisationId, role }).execute(tx)).rows[0]
  return row ? shape(row) : DEFAULT_POLICIES[role]
}

const shape = (row: PolicyRow): SignInPolicy => ({
  assurance: row.assurance === 2 ? 2 : 1,
  idleMs: Number(row.idle_ms),
  absoluteMs: Number(row.absolute_ms),
})

/** Of every role, those with the most power first. */
export async function policiesOf(tx: Tx, organisationId: string): Promise<SignInPolicyOf[]> {
  const { rows } = await statements.policies({ organisationId }).execute(tx)
  return roles.options.map((role) => {
    const row = rows.find((it) => it.role === role)
    return { role, ...(row ? shape(row) : DEFAULT_POLICIES[role]) }
  })
}

export async function setPolicy(tx: Tx, organisationId: string, policy: SignInPolicyOf): Promise<void> {
  await statements.setPolicy({ organisationId, ...policy }).execute(tx)
}
