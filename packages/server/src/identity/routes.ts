/** Claim, sign-in, sign-out, me, and the two links that only this machine's CLI may ask for. */
import { fail } from '@kalnet/contracts/errors'
import { identityRoutes } from '@kalnet/contracts/identity'
import { localRoutes } from '@kalnet/contracts/local'
import { type Clock, stamp } from '@kalnet/io/clock'
import { type Call, type Handler, handle } from '../core/http.ts'
import type { Claims } from './claims.ts'
import { clearCookie, hashInCookie, setCookie } from './cookie.ts'
import type { Entered, People } from './identity.ts'
import { ABSOLUTE_MS } from './sign-ins.ts'

const deviceOf = (call: Pick<Call<never>, 'address' | 'request' | 'secure'>) => ({
  address: call.address,
  userAgent: call.request.headers['user-agent'] ?? '',
  replaces: hashInCookie(call.request.headers.cookie ?? '', call.secure),
})

export function routesOfIdentity(options: {
  people: People
  claims: Claims
  clock: Clock
  version: string
}): Handler[] {
  const { people, claims, clock, version } = options

  function entered(call: Pick<Call<never>, 'reply' | 'secure'>, { me, secret }: Entered) {
    call.reply.header('set-cookie', setCookie(secret, call.secure, ABSOLUTE_MS))
    return me
  }

  return [
    handle(identityRoutes.status, async () => ({
      version,
      claimed: await claims.claimed(),
      now: stamp(clock),
    })),
    handle(identityRoutes.claim, async (call) =>
      entered(call, await people.claim(call.body, deviceOf(call), call.actAs)),
    ),
    handle(identityRoutes.signIn, async (call) =>
      entered(call, await people.signIn(call.body, deviceOf(call), call.actAs)),
    ),
    handle(identityRoutes.signOut, async ({ signIn, reply, secure }) => {
      if (signIn) await people.signOut(signIn.hash)
      reply.header('set-cookie', clearCookie(secure))
      return {}
    }),
    handle(identityRoutes.me, ({ actor, signIn }) => people.me(actor.userId, signIn?.hash ?? null)),
    handle(identityRoutes.changeMe, ({ actor, signIn, body, address }) =>
      people.change({ ...actor, signInHash: signIn?.hash ?? null, address, ...body }),
    ),
    handle(localRoutes.claimLink, async () => ({ link: await claims.issue() })),
    handle(localRoutes.resetOwner, async () => {
      const link = await claims.issueReset()
      if (!link) throw fail('claim.unknown')
      return { link }
    }),
  ]
}
