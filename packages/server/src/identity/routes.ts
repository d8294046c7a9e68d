/** Claim, sign-in, sign-out, me, and the two links that only this machine's CLI may ask for. */
import { fail } from '@kalnet/contracts/errors'
import { identityRoutes } from '@kalnet/contracts/identity'
import { localRoutes } from '@kalnet/contracts/local'
import { UNPROVED } from '@kalnet/contracts/permission'
import { type Clock, stamp } from '@kalnet/io/clock'
import { type Call, type Handler, handle } from '../core/http.ts'
import type { Accounts } from './accounts.ts'
import type { Claims } from './claims.ts'
import { clearCookie, hashInCookie, setCookie } from './cookie.ts'
import type { Entered } from './gate.ts'

/** Where a way to sign in comes from. */
export const deviceOf = (call: Pick<Call<never>, 'address' | 'request' | 'secure'>) => ({
  address: call.address,
  userAgent: call.request.headers['user-agent'] ?? '',
  replaces: hashInCookie(call.request.headers.cookie ?? '', call.secure),
})

/** The last step of every way to sign in: the cookie, when there is one yet. */
export function entered(call: Pick<Call<never>, 'reply' | 'secure' | 'audit'>, { answer, cookie }: Entered) {
  if (answer.state === 'second-factor') call.audit({ waiting: 'second factor' })
  if (cookie) call.reply.header('set-cookie', setCookie(cookie.secret, call.secure, cookie.maxAgeMs))
  return answer
}

export function routesOfIdentity(options: {
  accounts: Accounts
  claims: Claims
  clock: Clock
  version: string
}): Handler[] {
  const { accounts, claims, clock, version } = options

  return [
    handle(identityRoutes.status, async () => ({
      version,
      claimed: await claims.claimed(),
      now: stamp(clock),
    })),
    handle(identityRoutes.claim, async (call) =>
      entered(call, await accounts.claim(call.body, deviceOf(call), call.actAs)),
    ),
    handle(identityRoutes.signIn, async (call) =>
      entered(call, await accounts.signIn(call.body, deviceOf(call), call.actAs, call.tried)),
    ),
    handle(identityRoutes.signOut, async ({ signIn, reply, secure }) => {
      if (signIn) await accounts.signOut(signIn.id)
      reply.header('set-cookie', clearCookie(secure))
      return {}
    }),
    handle(identityRoutes.me, ({ actor, signIn }) =>
      accounts.me(actor.userId, signIn?.id ?? null, actor.scopes === UNPROVED),
    ),
    handle(identityRoutes.changeMe, async ({ actor, signIn, body }) => {
      if (body.name !== undefined) await accounts.rename(actor.userId, actor.organisationId, body.name)
      return accounts.me(actor.userId, signIn?.id ?? null, false)
    }),
    handle(localRoutes.claimLink, async () => ({ link: await claims.issue() })),
    handle(localRoutes.resetOwner, async ({ body, audit }) => {
      audit({ clearFactors: body.clearFactors })
      const link = await claims.issueReset(body)
      if (!link) throw fail('claim.unknown')
      return { link }
    }),
  ]
}
