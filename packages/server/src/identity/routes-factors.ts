/** My own door: second factors, passkeys, proving myself again, devices, a new password. */
import { fail } from '@kalnet/contracts/errors'
import { identityRoutes } from '@kalnet/contracts/identity'
import type { AnyRoute } from '@kalnet/contracts/route'
import { signInRoutes } from '@kalnet/contracts/sign-in'
import type { Clock } from '@kalnet/io/clock'
import { type Call, type Handler, handle } from '../core/http.ts'
import { PROOF_MS } from '../core/pipeline.ts'
import { qrOf } from '../core/qr.ts'
import type { Accounts } from './accounts.ts'
import { clearCookie, setCookie } from './cookie.ts'
import type { Devices } from './devices.ts'
import type { Mine, MyFactors } from './my-factors.ts'
import { type PasskeyPlace, placeOf } from './passkey-place.ts'
import type { StepUp } from './step-up.ts'

/** A person at a screen: neither a service key nor the command line has a door of its own. */
function mineOf({ actor, signIn }: Pick<Call<AnyRoute>, 'actor' | 'signIn'>): Mine {
  if (actor.kind !== 'user' || !signIn) throw fail('permission.denied')
  return { userId: actor.userId, organisationId: actor.organisationId, signIn }
}
const renewed = (call: Pick<Call<AnyRoute>, 'reply' | 'secure'>, it: { secret: string; maxAgeMs: number }) =>
  call.reply.header('set-cookie', setCookie(it.secret, call.secure, it.maxAgeMs))

export function routesOfFactors(options: {
  accounts: Accounts
  myFactors: MyFactors
  stepUp: StepUp
  devices: Devices
  clock: Clock
  publicUrl: string | null
}): Handler[] {
  const { accounts, myFactors, stepUp, devices, clock, publicUrl } = options
  const placeAt = (call: Pick<Call<AnyRoute>, 'request'>): PasskeyPlace =>
    placeOf(call.request.raw, publicUrl)

  return [
    handle(signInRoutes.factors, (call) => myFactors.show(mineOf(call), placeAt(call))),
    handle(signInRoutes.beginTotp, async (call) => {
      const begun = await myFactors.beginTotp(mineOf(call))
      return { ...begun, qr: qrOf(begun.uri) }
    }),
    handle(signInRoutes.confirmTotp, async (call) => {
      call.audit({ factor: 'totp' })
      const { recoveryCodes, cookie } = await myFactors.confirmTotp(mineOf(call), call.body.code)
      renewed(call, cookie)
      return { recoveryCodes }
    }),
    handle(signInRoutes.removeTotp, async (call) => {
      call.audit({ factor: 'totp' })
      await myFactors.removeTotp(mineOf(call))
      return {}
    }),
    handle(signInRoutes.renewRecoveryCodes, async (call) => ({
      recoveryCodes: await myFactors.renewCodes(mineOf(call)),
    })),
    handle(signInRoutes.beginPasskey, async (call) => {
      const place = placeAt(call)
      if (!place.available) return place
      return { available: true as const, options: await myFactors.beginPasskey(mineOf(call), place) }
    }),
    handle(signInRoutes.addPasskey, async (call) => {
      call.audit({ factor: 'passkey' })
      const { name, response } = call.body
      const { cookie, ...answer } = await myFactors.addPasskey(mineOf(call), name, response)
      renewed(call, cookie)
      return answer
    }),
    handle(signInRoutes.renamePasskey, (call) =>
      myFactors.renamePasskey(mineOf(call), call.params.id, call.body.name),
    ),
    handle(signInRoutes.removePasskey, async (call) => {
      call.audit({ factor: 'passkey' })
      await myFactors.removePasskey(mineOf(call), call.params.id)
      return {}
    }),

    handle(signInRoutes.stepUpOptions, async (call) => {
      const { methods, passkey } = await stepUp.options(mineOf(call), placeAt(call))
      return { methods, passkey: passkey && { available: true as const, options: passkey } }
    }),
    handle(signInRoutes.stepUp, async (call) => {
      call.audit({ method: call.body.proof.method })
      renewed(call, await stepUp.prove(mineOf(call), call.body.proof, call.address))
      return { until: new Date(clock.now().getTime() + PROOF_MS).toISOString() }
    }),

    handle(identityRoutes.setPassword, async (call) => {
      await accounts.setPassword(mineOf(call), call.body, call.address)
      return {}
    }),
    handle(signInRoutes.devices, async ({ actor, signIn }) => ({
      items: await devices.list(actor.organisationId, actor.userId, signIn?.id ?? null),
      next: null,
    })),
    handle(signInRoutes.endDevice, async ({ actor, signIn, params, reply, secure }) => {
      await devices.end(actor.organisationId, actor.userId, params.id)
      if (params.id === signIn?.id) reply.header('set-cookie', clearCookie(secure))
      return {}
    }),
    handle(signInRoutes.endOthers, async (call) => {
      const mine = mineOf(call)
      await devices.endAll(mine.organisationId, mine.userId, mine.signIn.id)
      return {}
    }),
    handle(signInRoutes.endAll, async ({ actor, reply, secure }) => {
      await devices.endAll(actor.organisationId, actor.userId, null)
      reply.header('set-cookie', clearCookie(secure))
      return {}
    }),
  ]
}
