/** The one gate: every way to sign in ends here, and what it proved decides what comes next. */
import type { Entered as EnteredAnswer, Me } from '@kalnet/contracts/identity'
import { type Actor, role } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import type { Tx } from '../core/store.ts'
import { actorOf, type DeviceOf, type Proof, type SignIns } from './sign-ins.ts'
import type { UserRow } from './store.ts'

export interface Entered {
  answer: EnteredAnswer
  /** For the cookie: null while a second factor is still asked. */
  cookie: { secret: string; maxAgeMs: number } | null
}
export interface Gate {
  /** In the transaction of whatever let the person in. `known` is told who it is, for the audit row. */
  enter(
    tx: Tx,
    user: UserRow,
    proof: Proof,
    device: DeviceOf,
    known: (actor: Actor) => void,
  ): Promise<Entered>
}

export const shapeMe = (user: UserRow, signedInAt: string | null, unproved = false): Me => ({
  id: user.id,
  name: user.name,
  email: user.email,
  role: role.parse(user.role),
  organisationId: user.organisation_id,
  organisationName: user.organisation_name,
  signedInAt,
  unproved,
})

export function createGate({ signIns, clock }: { signIns: SignIns; clock: Clock }): Gate {
  return {
    async enter(tx, user, proof, device, known) {
      known(actorOf(user))
      const { secret, maxAgeMs } = await signIns.begin(tx, user, device, proof)
      const me = shapeMe(user, clock.now().toISOString())
      return { answer: { state: 'signed-in', me }, cookie: { secret, maxAgeMs } }
    },
  }
}
