/** Proving once more who one is, before what is dangerous. The sign-in stays, its secret is renewed. */
import { fail } from '@kalnet/contracts/errors'
import type { StepUpProof } from '@kalnet/contracts/sign-in'
import type { Store } from '../core/store.ts'
import type { Factors } from './factors.ts'
import type { Mine } from './my-factors.ts'
import type { PasskeyPlace } from './passkey-place.ts'
import type { Passwords } from './passwords.ts'
import type { SignIns } from './sign-ins.ts'
import { statements, type UserRow } from './store.ts'
import type { Throttle } from './throttle.ts'

type Method = StepUpProof['method']
export interface StepUp {
  options(
    mine: Mine,
    place: PasskeyPlace,
  ): Promise<{ methods: Method[]; passkey: { challenge: string } | null }>
  prove(mine: Mine, proof: StepUpProof, address: string): Promise<{ secret: string; maxAgeMs: number }>
}

export function createStepUp(options: {
  store: Store
  factors: Factors
  passwords: Passwords
  signIns: SignIns
  throttle: Throttle
}): StepUp {
  const { store, factors, passwords, signIns, throttle } = options

  /** A password alone is no proof of one who has a second factor and has not shown it. */
  async function allowed(mine: Mine): Promise<{ user: UserRow; methods: Method[] }> {
    return store.as(mine.organisationId).read(async (tx) => {
      const user = (await statements.userById({ id: mine.userId }).execute(tx)).rows[0]
      if (!user) throw fail('sign-in.required')
      const has = await factors.methodsOf(tx, user.id)
      const methods = has.filter(
        (method): method is Exclude<typeof method, 'recovery'> => method !== 'recovery',
      )
      const byPassword = user.password_hash !== null && (has.length === 0 || mine.signIn.assurance === 2)
      return { user, methods: byPassword ? ['password', ...methods] : methods }
    })
  }

  return {
    async options(mine, place) {
      const { user, methods } = await allowed(mine)
      const shows = methods.includes('passkey') && place.available
      return {
        methods: methods.filter((method) => method !== 'passkey' || shows),
        passkey: shows ? await factors.passkeys.requestOptions('step-up', user, place) : null,
      }
    },
    async prove(mine, proof, address) {
      const { user, methods } = await allowed(mine)
      if (!methods.includes(proof.method)) throw fail('step-up.wrong')
      const renew = (rightly?: Awaited<ReturnType<Factors['prepare']>>) =>
        store.as(mine.organisationId).transaction(async (tx) => {
          if (rightly && !(await rightly(tx))) throw fail('step-up.wrong')
          return signIns.renew(tx, mine.signIn.id, rightly ? 2 : 1)
        })
      if (proof.method === 'password') {
        const account = user.email ?? user.id
        await throttle.attempt('password', account, address)
        if (!(await passwords.verify(user.password_hash, proof.password))) throw fail('step-up.wrong')
        await throttle.succeeded('password', account, address)
        return renew()
      }
      await throttle.attempt('factor', user.id, address)
      const renewed = await renew(await factors.prepare('step-up', user, proof))
      await throttle.succeeded('factor', user.id, address)
      return renewed
    },
  }
}
