/** A person's own linked accounts: link, prove, unlink, sign out there. */
import { fail } from '@kalnet/contracts/errors'
import { linkedRoutes } from '@kalnet/contracts/federation-routes'
import { type Call, type Handler, handle } from '../core/http.ts'
import type { Store } from '../core/store.ts'
import { clearCookie } from '../identity/cookie.ts'
import type { SignIns } from '../identity/sign-ins.ts'
import type { Federation } from './federation.ts'
import { setFlowCookie } from './flow-secret.ts'
import { assertHere } from './routes.ts'

export function routesOfLinked(options: {
  federation: Federation
  store: Store
  signIns: SignIns
  address(): string
}): Handler[] {
  const { federation, store, signIns, address } = options
  const { linked } = federation

  /** Only a person at a screen has a sign-in that somebody can come back to. */
  const mine = (call: Pick<Call<never>, 'actor' | 'signIn'>) => {
    if (!call.signIn || call.actor.kind !== 'user') throw fail('permission.denied')
    return { userId: call.actor.userId, signInId: call.signIn.id }
  }
  async function begin(
    call: Pick<Call<never>, 'actor' | 'signIn' | 'request' | 'reply' | 'secure'>,
    providerId: string,
    purpose: 'link' | 'prove',
    back = '/settings',
  ) {
    assertHere(call, address())
    const { secret, link } = await federation.begin(providerId, { purpose, ...mine(call), back })
    call.reply.header('set-cookie', setFlowCookie(secret, call.secure))
    return { link }
  }
  return [
    handle(linkedRoutes.list, ({ actor }) => linked.list(actor.organisationId, actor.userId)),
    handle(linkedRoutes.link, async (call) => {
      const { organisationId } = call.actor
      // Providers of another organisation are not there.
      await federation.providers.within(organisationId, call.body.providerId)
      call.audit({}, call.body.providerId)
      return begin(call, call.body.providerId, 'link', call.body.back)
    }),
    handle(linkedRoutes.prove, async (call) => {
      const own = await linked.own(call.actor.organisationId, call.actor.userId, call.params.id)
      return begin(call, own.provider_id, 'prove', call.body.back)
    }),
    handle(linkedRoutes.unlink, async ({ actor, signIn, params }) => {
      await linked.unlink(actor.organisationId, actor.userId, params.id, signIn?.id ?? null)
      return {}
    }),
    handle(linkedRoutes.signOutThere, async (call) => {
      const { userId: _, signInId } = mine(call)
      const back = new URL('/', address()).href
      // A provider that cannot be asked keeps nobody in here.
      const link = await federation.sessions
        .signOutLink(call.actor.organisationId, signInId, back)
        .catch(() => null)
      await store.as(call.actor.organisationId).transaction((tx) => signIns.end(tx, signInId))
      call.reply.header('set-cookie', clearCookie(call.secure))
      return { link }
    }),
  ]
}
