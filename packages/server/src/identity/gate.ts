/** The one gate: every way to sign in ends here, and what it proved decides what comes next. */
import { fail } from '@kalnet/contracts/errors'
import type { Entered as EnteredAnswer, Me } from '@kalnet/contracts/identity'
import { type Actor, role } from '@kalnet/contracts/permission'
import type { FactorProof } from '@kalnet/contracts/sign-in'
import type { Clock } from '@kalnet/io/clock'
import { aside, type Store, type Tx } from '../core/store.ts'
import { hashOf, newSecret } from './cookie.ts'
import { statements as factorStatements } from './factors.store.ts'
import type { Factors } from './factors.ts'
import { actorOf, type DeviceOf, type Proof, type SignInMethod, type SignIns } from './sign-ins.ts'
import { statements, type UserRow } from './store.ts'
import type { Throttle } from './throttle.ts'

export interface Entered {
  answer: EnteredAnswer
  /** For the cookie: null while a second factor is still asked. */
  cookie: { secret: string; maxAgeMs: number } | null
}
export interface Gate {
  /**
   * In the transaction of whatever let the person in. `known` is told who it is, for the audit row. One who has a second factor
   * and has not shown two is asked for it; one whose role demands two and who has none gets in to set one up, and no further.
   */
  enter(
    tx: Tx,
    user: UserRow,
    proof: Proof,
    device: DeviceOf,
    known: (actor: Actor) => void,
  ): Promise<Entered>
  /** The second factor for an attempt. Throws second-factor.wrong, or second-factor.over when it is dead. */
  secondFactor(
    input: { attempt: string; proof: FactorProof },
    device: DeviceOf,
    known: (actor: Actor) => void,
  ): Promise<Entered>
  /** Whose attempt it is; nothing is used up. */
  attempted(attempt: string): Promise<UserRow>
}

const ATTEMPT_MS = 10 * 60_000
const WRONG_AT_MOST = 5

export const shapeMe = (user: UserRow, signedInAt: string | null, unproved = false): Me => ({
  id: user.id,
  name: user.name,
  // A service account has none.
  email: user.email ?? '',
  role: role.parse(user.role),
  organisationId: user.organisation_id,
  organisationName: user.organisation_name,
  signedInAt,
  unproved,
})

export function createGate(options: {
  store: Store
  signIns: SignIns
  factors: Factors
  throttle: Throttle
  clock: Clock
}): Gate {
  const { store, signIns, factors, throttle, clock } = options
  const moment = (ms = 0) => new Date(clock.now().getTime() + ms).toISOString()

  async function begin(tx: Tx, user: UserRow, proof: Proof, device: DeviceOf): Promise<Entered> {
    const { secret, maxAgeMs, unproved } = await signIns.begin(tx, user, device, proof)
    return {
      answer: { state: 'signed-in', me: shapeMe(user, moment(), unproved) },
      cookie: { secret, maxAgeMs },
    }
  }
  async function activeUser(tx: Tx, id: string): Promise<UserRow> {
    const user = (await statements.userById({ id }).execute(tx)).rows[0]
    if (user?.state !== 'active') throw fail('second-factor.over')
    return user
  }
  const given = (attempt: string) => ({ hash: hashOf(attempt), now: moment(), most: WRONG_AT_MOST })

  const attempted = (attempt: string) =>
    store.system.read(async (tx) => {
      const row = (await factorStatements.attempt(given(attempt)).execute(tx)).rows[0]
      if (!row) throw fail('second-factor.over')
      return activeUser(tx, row.user_id)
    })

  return {
    async enter(tx, user, proof, device, known) {
      known(actorOf(user))
      const methods = proof.assurance === 1 ? await factors.methodsOf(tx, user.id) : []
      if (methods.length === 0) return begin(tx, user, proof, device)
      const attempt = newSecret()
      const expiresAt = moment(ATTEMPT_MS)
      await factorStatements
        .addAttempt({
          hash: hashOf(attempt),
          organisationId: user.organisation_id,
          userId: user.id,
          method: proof.method,
          providerId: proof.provider?.id ?? null,
          providerSession: proof.provider?.session ?? null,
          expiresAt,
        })
        .execute(tx)
      return { answer: { state: 'second-factor', attempt, methods, expiresAt }, cookie: null }
    },
    async secondFactor({ attempt, proof }, device, known) {
      const user = await attempted(attempt)
      known(actorOf(user))
      // Across attempts too: who knows the password may not try code after code. One who is told to wait loses no try.
      await throttle.attempt('factor', user.id, device.address)
      const { rows: counted } = await aside(() =>
        store.system.transaction((tx) => factorStatements.countAttempt(given(attempt)).execute(tx)),
      )
      const row = counted[0]
      if (!row) throw fail('second-factor.over')
      const rightly = await factors.prepare('second-factor', user, proof)
      const entered = await store.system.transaction(async (tx) => {
        const { rows } = await factorStatements.useAttempt({ hash: hashOf(attempt) }).execute(tx)
        if (rows.length === 0) throw fail('second-factor.over')
        if (!(await rightly(tx))) throw fail('second-factor.wrong', { left: WRONG_AT_MOST - row.tries })
        const provider = row.provider_id ? { id: row.provider_id, session: row.provider_session } : undefined
        const method = row.method as SignInMethod
        return begin(tx, user, { method, assurance: 2, provider }, device)
      })
      await throttle.succeeded('factor', user.id, device.address)
      return entered
    },
    attempted,
  }
}
