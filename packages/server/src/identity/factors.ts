/** A person's second factors as one thing: which there are, whether one was rightly shown, and none left behind. */
import type { FactorProof } from '@kalnet/contracts/sign-in'
import type { Clock } from '@kalnet/io/clock'
import type { Secrets } from '../core/secrets.ts'
import type { Store, Tx } from '../core/store.ts'
import { statements } from './factors.store.ts'
import { createPasskeys, type Passkeys, type Shown } from './passkeys.ts'
import { useCode } from './recovery.ts'
import type { UserRow } from './store.ts'
import { createTotp, type Totp } from './totp.ts'

type Whose = Pick<UserRow, 'id' | 'organisation_id'>
export type FactorMethod = FactorProof['method']

export interface Factors {
  totp: Totp
  passkeys: Passkeys
  /** Empty: there is no second factor. */
  methodsOf(tx: Tx, userId: string): Promise<FactorMethod[]>
  /** What can be checked before the transaction: a passkey's signature. The rest is checked where it is used up. */
  prepare(purpose: 'second-factor' | 'step-up', user: Whose, proof: FactorProof): Promise<Prepared>
  /** Takes all of them away: with the person, or because the owner of the machine says so. */
  clear(tx: Tx, user: Whose): Promise<void>
  tidy(tx: Tx): Promise<void>
}
/** Whether it was right; uses up the code. */
export type Prepared = (tx: Tx) => Promise<boolean>

export function createFactors(options: { store: Store; secrets: Secrets; clock: Clock }): Factors {
  const { store, secrets, clock } = options
  const totp = createTotp({ secrets, clock })
  const passkeys = createPasskeys({ store, clock })
  const used = async (tx: Tx, shown: Shown) => {
    await shown.use(tx)
    return true
  }
  return {
    totp,
    passkeys,
    async methodsOf(tx, userId) {
      const row = (await statements.summary({ userId }).execute(tx)).rows[0]
      if (!row || (!row.totp && row.passkeys === 0)) return []
      const methods: FactorMethod[] = []
      if (row.passkeys > 0) methods.push('passkey')
      if (row.totp) methods.push('totp')
      if (row.codes > 0) methods.push('recovery')
      return methods
    },
    async prepare(purpose, user, proof) {
      if (proof.method === 'totp') return (tx) => totp.use(tx, user, proof.code)
      if (proof.method === 'recovery') return (tx) => useCode(tx, user, proof.code)
      const shown = await passkeys.shown(purpose, user, proof.response)
      return (tx) => used(tx, shown)
    },
    async clear(tx, user) {
      await totp.remove(tx, user)
      await statements.dropCodes({ userId: user.id }).execute(tx)
      await statements.dropPasskeysOf({ userId: user.id }).execute(tx)
    },
    async tidy(tx) {
      const now = clock.now().toISOString()
      await statements.dropOldChallenges({ now }).execute(tx)
      await statements.dropOldAttempts({ now }).execute(tx)
      await statements.dropOldResets({ now }).execute(tx)
      await statements.dropLostSeeds().execute(tx)
    },
  }
}
