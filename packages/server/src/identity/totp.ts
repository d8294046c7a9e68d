/** Codes of an authenticator app (RFC 6238): the seed is sealed, and each code works once. */
import { fail } from '@kalnet/contracts/errors'
import type { Clock } from '@kalnet/io/clock'
import { Secret, TOTP } from 'otpauth'
import type { Secrets } from '../core/secrets.ts'
import type { Tx } from '../core/store.ts'
import { statements } from './factors.store.ts'
import type { UserRow } from './store.ts'

const PERIOD_S = 30
/** A phone's clock may be one step off. */
const WINDOW = 1
const SET_UP_MS = 15 * 60_000
type Whose = Pick<UserRow, 'id' | 'organisation_id'>

export interface Totp {
  /** A new seed; counts for nothing until a code confirmed it. Beginning again replaces it. */
  begin(tx: Tx, user: UserRow): Promise<{ secret: string; uri: string }>
  /** Throws second-factor.wrong or factor.not-begun. An earlier app stops working. */
  confirm(tx: Tx, user: Whose, code: string): Promise<void>
  /** Whether the code is right now and was never used; uses it up. */
  use(tx: Tx, user: Whose, code: string): Promise<boolean>
  remove(tx: Tx, user: Whose): Promise<boolean>
}

const nameOf = (user: Whose) => `totp ${user.id}`
const newNameOf = (user: Whose) => `totp-new ${user.id}`

export function createTotp({ secrets, clock }: { secrets: Secrets; clock: Clock }): Totp {
  /** The step a code belongs to, null when it is of none near now. */
  function stepOf(seed: string, code: string): number | null {
    const totp = new TOTP({ secret: Secret.fromBase32(seed), period: PERIOD_S })
    const timestamp = clock.now().getTime()
    const delta = /^\d{6}$/.test(code) ? totp.validate({ token: code, timestamp, window: WINDOW }) : null
    return delta === null ? null : totp.counter({ timestamp }) + delta
  }
  return {
    async begin(tx, user) {
      const secret = new Secret({ size: 20 })
      const until = new Date(clock.now().getTime() + SET_UP_MS).toISOString()
      await statements.beginTotp({ userId: user.id, organisationId: user.organisation_id, until }).execute(tx)
      await secrets.put(tx, user.organisation_id, newNameOf(user), secret.base32)
      const label = user.email ?? user.name
      const uri = new TOTP({ issuer: 'Kalnet', label, secret, period: PERIOD_S }).toString()
      return { secret: secret.base32, uri }
    },
    async confirm(tx, user, code) {
      const row = (await statements.totp({ userId: user.id }).execute(tx)).rows[0]
      const seed = await secrets.get(tx, user.organisation_id, newNameOf(user))
      const late = !row?.new_until || Date.parse(row.new_until) <= clock.now().getTime()
      if (late || seed === null) throw fail('factor.not-begun')
      const step = stepOf(seed, code)
      if (step === null) throw fail('second-factor.wrong')
      await statements.confirmTotp({ userId: user.id, at: clock.now().toISOString(), step }).execute(tx)
      await secrets.put(tx, user.organisation_id, nameOf(user), seed)
      await secrets.drop(tx, user.organisation_id, newNameOf(user))
    },
    async use(tx, user, code) {
      const seed = await secrets.get(tx, user.organisation_id, nameOf(user))
      const step = seed === null ? null : stepOf(seed, code)
      if (step === null) return false
      return (await statements.useStep({ userId: user.id, step }).execute(tx)).rows.length === 1
    },
    async remove(tx, user) {
      for (const name of [nameOf(user), newNameOf(user)]) await secrets.drop(tx, user.organisation_id, name)
      return (await statements.dropTotp({ userId: user.id }).execute(tx)).rows.length === 1
    },
  }
}
