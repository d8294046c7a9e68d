/** The ways in that need no sign-in yet: second factor, passkey, forgotten password; and what each role must prove. */
import { fail } from '@kalnet/contracts/errors'
import type { AnyRoute } from '@kalnet/contracts/route'
import { signInRoutes } from '@kalnet/contracts/sign-in'
import { type Call, type Handler, handle } from '../core/http.ts'
import type { Mail } from '../core/mail.ts'
import type { Store } from '../core/store.ts'
import type { Accounts } from './accounts.ts'
import type { Factors } from './factors.ts'
import type { Gate } from './gate.ts'
import { placeOf } from './passkey-place.ts'
import { policiesOf, setPolicy } from './policy.ts'
import type { Resets } from './resets.ts'
import { deviceOf, entered } from './routes.ts'
import type { SignIns } from './sign-ins.ts'

export function routesOfSignIn(options: {
  accounts: Accounts
  gate: Gate
  factors: Factors
  resets: Resets
  signIns: SignIns
  store: Store
  mail: Mail
  publicUrl: string | null
}): Handler[] {
  const { accounts, gate, factors, resets, signIns, store, mail, publicUrl } = options
  const placeAt = (call: Pick<Call<AnyRoute>, 'request'>) => placeOf(call.request.raw, publicUrl)

  return [
    handle(signInRoutes.methods, async (call) => {
      const place = placeAt(call)
      return { passkey: place.available ? { available: true as const } : place, resetByMail: mail.configured }
    }),
    handle(signInRoutes.secondFactor, async (call) => {
      call.audit({ factor: call.body.proof.method })
      return entered(call, await gate.secondFactor(call.body, deviceOf(call), call.actAs))
    }),
    handle(signInRoutes.secondFactorPasskey, async (call) => {
      const place = placeAt(call)
      const user = await gate.attempted(call.body.attempt)
      if (!place.available) return place
      const options = await factors.passkeys.requestOptions('second-factor', user, place)
      return { available: true as const, options }
    }),
    handle(signInRoutes.passkeyOptions, async (call) => {
      const place = placeAt(call)
      if (!place.available) return place
      const options = await factors.passkeys.requestOptions('sign-in', null, place)
      return { available: true as const, options }
    }),
    handle(signInRoutes.passkey, async (call) =>
      entered(call, await accounts.signInByPasskey(call.body.response, deviceOf(call), call.actAs)),
    ),
    handle(signInRoutes.askReset, async ({ body, address }) => {
      await resets.ask(body.email, address)
      return {}
    }),
    handle(signInRoutes.useReset, async (call) =>
      entered(call, await resets.use(call.body, deviceOf(call), call.actAs)),
    ),

    handle(signInRoutes.policies, ({ actor }) =>
      store.as(actor.organisationId).read(async (tx) => ({
        items: await policiesOf(tx, actor.organisationId),
        next: null,
      })),
    ),
    handle(signInRoutes.setPolicy, async ({ actor, params, body, audit }) => {
      const { organisationId } = actor
      // Nobody loosens what holds for those above them.
      if (params.role === 'owner' && actor.role !== 'owner') throw fail('permission.denied')
      audit({ ...body }, params.role)
      const policy = { role: params.role, ...body }
      await store.as(organisationId).transaction(async (tx) => {
        await setPolicy(tx, organisationId, policy)
        await signIns.refit(tx, { organisationId, role: params.role, userId: null })
      })
      return policy
    }),
  ]
}
