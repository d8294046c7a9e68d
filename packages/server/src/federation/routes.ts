/** The doors: buttons for the sign-in page, the way to a provider and back, our SAML metadata, sign-outs told by providers, and their settings. */
import { fail, KalnetError } from '@kalnet/contracts/errors'
import { providerRoutes } from '@kalnet/contracts/federation-routes'
import type { AnyRoute } from '@kalnet/contracts/route'
import { type Call, type Handler, handle } from '../core/http.ts'
import type { Store } from '../core/store.ts'
import { setCookie } from '../identity/cookie.ts'
import { deviceOf, entered } from '../identity/routes.ts'
import type { Arrived, Federation } from './federation.ts'
import { clearFlowCookie, flowSecretIn, setFlowCookie } from './flow-secret.ts'
import { isOpenId, isSaml } from './providers.ts'
import { ourMetadata } from './saml/saml.ts'
import { statements } from './store.ts'
import { reasonOf } from './vouched.ts'

type AnyCall = Pick<Call<AnyRoute>, 'reply' | 'request' | 'secure' | 'audit'>

export function redirect({ reply }: Pick<AnyCall, 'reply'>, to: string): string {
  reply.status(303).header('location', to).type('text/plain; charset=utf-8')
  return ''
}
/** The page at our own address says the rest; what is in the fragment stays in the browser. */
function arrive(call: AnyCall & Pick<Call<never>, 'audit'>, arrived: Arrived): string {
  call.audit({ purpose: arrived.kind })
  switch (arrived.kind) {
    case 'entered': {
      const answer = entered(call, arrived.entered)
      if (answer.state === 'signed-in') return redirect(call, arrived.back)
      const { state: _, ...rest } = answer
      const told = Buffer.from(JSON.stringify({ ...rest, back: arrived.back })).toString('base64url')
      return redirect(call, `/#second-factor=${told}`)
    }
    case 'linked':
      return redirect(call, arrived.back)
    case 'proved':
      call.reply.header('set-cookie', setCookie(arrived.cookie.secret, call.secure, arrived.cookie.maxAgeMs))
      return redirect(call, arrived.back)
  }
}
/** Why an answer was refused is for the audit, in our own words; the browser hears only that it was. */
async function explained<T>(call: AnyCall, providerId: string, work: () => Promise<T>): Promise<T> {
  call.audit({}, providerId)
  try {
    return await work()
  } catch (error) {
    if (error instanceof KalnetError && error.code === 'provider.answer')
      call.audit({ reason: reasonOf(error) })
    throw error
  }
}

/** The flow's cookie belongs to one host: the one that the provider sends back to. */
export function assertHere(call: Pick<AnyCall, 'request'>, address: string): void {
  if (call.request.headers.host !== new URL(address).host) throw fail('provider.address', { address })
}

export function routesOfFederation(options: {
  federation: Federation
  store: Store
  address(): string
}): Handler[] {
  const { federation, store, address } = options
  const { providers } = federation
  const secretIn = (call: AnyCall) => flowSecretIn(call.request.headers.cookie ?? '', call.secure)

  return [
    handle(providerRoutes.buttons, async () => ({
      items: (await store.system.read((tx) => statements.buttons().execute(tx))).rows,
      next: null,
    })),
    handle(providerRoutes.start, async (call) => {
      const { id } = call.params
      const here = new URL(address())
      if (call.request.headers.host !== here.host) {
        here.pathname = `/api/sign-in/providers/${id}/start`
        if (call.query.back) here.search = new URLSearchParams({ back: call.query.back }).toString()
        return redirect(call, here.href)
      }
      const purpose = {
        purpose: 'sign-in',
        userId: null,
        signInId: null,
        back: call.query.back ?? '/',
      } as const
      const { secret, link } = await federation.begin(id, purpose)
      call.reply.header('set-cookie', setFlowCookie(secret, call.secure))
      return redirect(call, link)
    }),
    handle(providerRoutes.callback, (call) =>
      explained(call, call.params.id, async () => {
        const secret = secretIn(call)
        const search = new URL(call.request.url, 'http://here').searchParams
        call.reply.header('set-cookie', clearFlowCookie(call.secure))
        return arrive(
          call,
          await federation.fromOpenId(call.params.id, secret, search, deviceOf(call), call.actAs),
        )
      }),
    ),
    handle(providerRoutes.acs, (call) =>
      explained(call, call.params.id, async () => {
        const handle = await federation.fromSaml(call.params.id, call.body.SAMLResponse)
        // Another site sent this request: the cookie of the flow comes along only when the browser comes by itself.
        return redirect(call, `/api/sign-in/providers/${call.params.id}/finish?handle=${handle}`)
      }),
    ),
    handle(providerRoutes.finish, (call) =>
      explained(call, call.params.id, async () => {
        const secret = secretIn(call)
        call.reply.header('set-cookie', clearFlowCookie(call.secure))
        const { handle } = call.query
        return arrive(
          call,
          await federation.finish(call.params.id, secret, handle, deviceOf(call), call.actAs),
        )
      }),
    ),
    handle(providerRoutes.metadata, async ({ params, reply }) => {
      const provider = await providers.known(params.id)
      if (!isSaml(provider)) throw fail('thing.unknown', { kind: 'identity provider' })
      reply.type('application/samlmetadata+xml; charset=utf-8')
      return ourMetadata(providers.ours(params.id))
    }),
    handle(providerRoutes.backchannelLogout, (call) =>
      explained(call, call.params.id, async () => {
        const provider = await providers.usable(call.params.id)
        if (!isOpenId(provider)) throw fail('thing.unknown', { kind: 'identity provider' })
        call.audit({
          ended: await federation.sessions.signedOutThere(provider, call.body.logout_token, call.signal),
        })
        return {}
      }),
    ),

    handle(providerRoutes.list, ({ actor, query }) => providers.list(actor.organisationId, query)),
    handle(providerRoutes.read, ({ actor, params }) => providers.read(actor.organisationId, params.id)),
    handle(providerRoutes.look, ({ body, signal }) => providers.look(body, signal)),
    handle(providerRoutes.add, async ({ actor, body, signal, audit }) => {
      const made = await providers.add(actor.organisationId, body, signal)
      audit({ name: made.name, kind: made.kind }, made.id)
      return made
    }),
    handle(providerRoutes.change, ({ actor, params, body, signal, audit }) => {
      audit({ fields: Object.keys(body).sort().join(', ') })
      return providers.change(actor, params.id, body, signal)
    }),
    handle(providerRoutes.remove, async ({ actor, params }) => {
      await providers.remove(actor.organisationId, params.id)
      return {}
    }),
    handle(providerRoutes.test, ({ actor, params, signal }) =>
      providers.test(actor.organisationId, params.id, signal),
    ),
  ]
}
