/** Signing in by other people's identity providers, put together: going there, coming back, and what becomes of it. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor, Role } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Outbound } from '@kalnet/io/outbound'
import type { Handler, RecordAudit } from '../core/http.ts'
import type { Secrets } from '../core/secrets.ts'
import type { Store, Tx } from '../core/store.ts'
import type { Entered } from '../identity/gate.ts'
import type { Identity } from '../identity/identity.ts'
import type { DeviceOf } from '../identity/sign-ins.ts'
import { countsAsTwo, createAccounts } from './accounts.ts'
import { fromSecret } from './flow-secret.ts'
import { createFlows, type Purpose } from './flows.ts'
import { createLinked, type Linked } from './linked.ts'
import { openIdBy } from './openid/openid.ts'
import { createProviders, isOpenId, isSaml, type Providers } from './providers.ts'
import { routesOfFederation } from './routes.ts'
import { routesOfLinked } from './routes-linked.ts'
import { decodeForm, parseStrictly } from './saml/document.ts'
import { beginSaml, readAnswer } from './saml/saml.ts'
import { requestIdOf } from './saml/shape.ts'
import { createProviderSessions, type ProviderSessions } from './sessions.ts'
import { type FlowRow, type ProviderRow, statements } from './store.ts'
import { refuse, type Vouched } from './vouched.ts'

export interface FederationOptions {
  store: Store
  clock: Clock
  log: Log
  identity: Pick<Identity, 'gate' | 'signIns' | 'factors'>
  secrets: Secrets
  outbound: Outbound
  /** For what nobody asked for here: what a provider decided. */
  record: RecordAudit
  /** Where people reach the dashboard: providers know our addresses by it. */
  address(): string
  personChanged(tx: Tx, userId: string): Promise<void>
  /** Gives another role, with all that hangs on it. */
  assign(tx: Tx, userId: string, from: Role, to: Role): Promise<void>
}
/** Back from a provider: somebody is in (or one proof away), or what was begun from a live sign-in is done. */
export type Arrived =
  | { kind: 'entered'; entered: Entered; back: string }
  | { kind: 'linked'; back: string }
  | { kind: 'proved'; cookie: { secret: string; maxAgeMs: number }; back: string }

export interface Federation {
  routes: Handler[]
  providers: Providers
  sessions: ProviderSessions
  linked: Linked
  begin(providerId: string, purpose: Purpose): Promise<{ secret: string; link: string }>
  /** From an OpenID Connect provider, in the browser that began. */
  fromOpenId(
    providerId: string,
    secret: string | null,
    search: URLSearchParams,
    device: DeviceOf,
    known: Known,
  ): Promise<Arrived>
  /** A SAML answer: checked and kept for the browser that began; answers the handle to come with. */
  fromSaml(providerId: string, answer: string): Promise<string>
  finish(
    providerId: string,
    secret: string | null,
    handle: string,
    device: DeviceOf,
    known: Known,
  ): Promise<Arrived>
  /** Looks after what came in by providers, until the signal. */
  follow(signal: AbortSignal): void
}
type Known = (actor: Actor) => void
/** How fresh a proof asked for again must be. */
const FRESH_MS = 3 * 60_000

export function createFederation(options: FederationOptions): Federation {
  const { store, clock, log, identity, secrets, outbound, address } = options
  const { gate, signIns, factors } = identity
  const openId = openIdBy(outbound, clock)
  const flows = createFlows({ store, clock })
  const accounts = createAccounts({
    clock,
    gate,
    secrets,
    personChanged: options.personChanged,
    assign: options.assign,
  })
  const sessions = createProviderSessions({
    store,
    secrets,
    clock,
    log,
    outbound,
    record: options.record,
    signIns,
    openId,
    accounts,
    providers: () => providers,
  })
  const providers = createProviders({
    store,
    secrets,
    clock,
    outbound,
    address,
    ended: sessions.endProvider,
    forget: openId.configurations.forget,
  })
  const linked = createLinked({ store, sessions })

  /** Somebody who links or proves must still be signed in where it was begun. */
  async function liveUser(flow: FlowRow): Promise<{ userId: string; signInId: string }> {
    const { user_id: userId, sign_in_id: signInId } = flow
    if (!userId || !signInId || (await signIns.ended([signInId])).length > 0) throw fail('provider.flow')
    return { userId, signInId }
  }
  async function arrive(
    provider: ProviderRow,
    flow: FlowRow,
    vouched: Vouched,
    device: DeviceOf,
    known: Known,
  ): Promise<Arrived> {
    const back = flow.back
    if (flow.purpose === 'sign-in') {
      const entered = await store.system.transaction((tx) =>
        accounts.signIn(tx, provider, vouched, device, known),
      )
      return { kind: 'entered', entered, back }
    }
    const { userId, signInId } = await liveUser(flow)
    const home = store.as(flow.organisation_id)
    const user = (await home.read((tx) => statements.person({ id: userId }).execute(tx))).rows[0]
    if (!user) throw fail('provider.flow')
    const { organisation_id: organisationId } = user
    known({ kind: 'user', userId, organisationId, role: user.role as Actor['role'], scopes: null })
    if (flow.purpose === 'link') {
      await home.transaction((tx) => accounts.link(tx, provider, vouched, userId))
      return { kind: 'linked', back }
    }
    if (vouched.provedAt === null || vouched.provedAt < clock.now().getTime() - FRESH_MS)
      throw refuse('not proved anew')
    const cookie = await home.transaction(async (tx) => {
      const { issuer, subject } = vouched
      const own = (await statements.identity({ providerId: provider.id, issuer, subject }).execute(tx))
        .rows[0]
      if (own?.user_id !== userId) throw refuse('another account')
      const two = countsAsTwo(provider.second_factor, vouched.contexts)
      const shown = (await statements.assuranceOf({ signInId }).execute(tx)).rows[0]?.assurance
      // As with a password: one proof is none of somebody who has a second one and has not shown it.
      if (!two && shown !== 2 && (await factors.methodsOf(tx, userId)).length > 0) throw fail('step-up.wrong')
      return signIns.renew(tx, signInId, two ? 2 : 1)
    })
    return { kind: 'proved', cookie, back }
  }

  const federation: Federation = {
    routes: [],
    providers,
    sessions,
    linked,
    follow: sessions.follow,
    async begin(providerId, purpose) {
      const provider = await providers.usable(providerId)
      const { secret } = await flows.begin(provider, purpose)
      const parts = fromSecret(secret)
      const ours = providers.ours(providerId)
      const again = purpose.purpose === 'prove'
      const link = isOpenId(provider)
        ? await openId.begin(provider, await providers.secretOf(provider), parts, ours.callbackUrl, again)
        : await beginSaml(provider, ours, parts.requestId, again)
      return { secret, link }
    },
    async fromOpenId(providerId, secret, search, device, known) {
      const provider = await providers.usable(providerId)
      if (!isOpenId(provider)) throw fail('provider.flow')
      const flow = await flows.take(secret, providerId)
      const current = new URL(providers.ours(providerId).callbackUrl)
      current.search = search.toString()
      const parts = fromSecret(secret ?? '')
      const again = flow.purpose === 'prove'
      const vouched = await openId.finish(provider, await providers.secretOf(provider), parts, current, again)
      return arrive(provider, flow, vouched, device, known)
    },
    async fromSaml(providerId, answer) {
      const provider = await providers.usable(providerId)
      if (!isSaml(provider)) throw fail('provider.flow')
      const xml = decodeForm(answer)
      const root = await parseStrictly(xml)
      const requestId = requestIdOf(root)
      const flow = await flows.ofRequest(requestId, providerId)
      const ours = providers.ours(providerId)
      const asserted = await readAnswer(
        provider,
        ours,
        { xml, root },
        {
          acsUrl: ours.acsUrl,
          audience: ours.metadataUrl,
          issuer: provider.settings.entityId,
          requestId,
          now: clock.now().getTime(),
        },
      )
      const handle = await flows.answer(
        flow,
        { id: asserted.assertionId, until: asserted.until },
        asserted.vouched,
      )
      if (!handle) throw refuse('shown before')
      return handle
    },
    async finish(providerId, secret, handle, device, known) {
      const provider = await providers.usable(providerId)
      const { flow, vouched } = await flows.takeAnswer(secret, handle, providerId)
      return arrive(provider, flow, vouched, device, known)
    },
  }
  federation.routes = [
    ...routesOfFederation({ federation, store, address }),
    ...routesOfLinked({ federation, address, signIns, store }),
  ]
  return federation
}
