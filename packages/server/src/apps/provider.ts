/** OpenID Connect as oidc-provider speaks it, with our people, our sign-ins and our database behind it. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { timingSafeEqual } from 'node:crypto'
import { appScope, OPENID_PATH } from '@kalnet/contracts/app'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Outbound } from '@kalnet/io/outbound'
import { type Configuration, interactionPolicy, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Store } from '../core/store.ts'
import { createAdapters, hashed } from './adapter.ts'
import { type AppPeople, admits } from './people.ts'
import type { SigningKeys } from './signing-keys.ts'
import { statements } from './store.ts'

export const ACR = { 1: 'urn:kalnet:factors:1', 2: 'urn:kalnet:factors:2' } as const
/** RFC 8176. A link or another provider says nothing of what was shown. */
const AMR: Record<string, string[]> = { password: ['pwd'], passkey: ['hwk', 'user'] }
export const amrOf = (method: string, assurance: number) => [
  ...(AMR[method] ?? []),
  ...(assurance === 2 ? ['mfa'] : []),
]

const MINUTE = 60
const DAY = 24 * 3600
export const QUESTION_SECONDS = 10 * MINUTE

/** `__Host-`: no page of another name below ours can plant one (RFC 6265bis §4.1.3.2); plain http is loopback only. */
export const cookieNames = (secure: boolean) => {
  const prefix = secure ? '__Host-' : ''
  // Bound to one path each, which `__Host-` does not allow.
  const ofPath = secure ? '__Secure-' : ''
  return {
    session: `${prefix}kalnet-openid`,
    interaction: `${ofPath}kalnet-question`,
    resume: `${ofPath}kalnet-resume`,
    /** Ours: shows that the browser on the consent page is the one that began. */
    asked: (uid: string) => `${prefix}kalnet-asked-${uid}`,
  }
}

export interface OpenIdOptions {
  store: Store
  clock: Clock
  log: Log
  outbound: Outbound
  people: AppPeople
  keys: SigningKeys
  address: () => string
  toService?: ToService
}
/** Not in the provider's types. */
interface Told {
  backchannelLogout(sub: string, sid: string): Promise<void>
}
/**
 * A word for an app that is a service of ours, to its own instances and by no public name; the status they answer. Null: this app is no
 * service, or the address is not the one its template names: then it leaves as for everybody else.
 */
export type ToService = (
  appId: string,
  word: { url: string; headers: Record<string, string>; body: string; signal: AbortSignal },
) => Promise<number | null>
export interface OpenId {
  issuer(): string
  secure(): boolean
  /** Made anew when the signing keys or our address changed. */
  provider(): Promise<Provider>
  /** Back-channel logout. Rejects when the app did not take it. */
  tellSignOut(about: { appId: string; clientId: string; userId: string; sid: string }): Promise<void>
}
/** What happens there and belongs on record or in the log. */
export type Heard = (provider: Provider) => void

export function createOpenId(options: OpenIdOptions & { heard: Heard }): OpenId {
  const { store, clock, log, outbound, people, keys, address, heard } = options
  const adapter = createAdapters({ store, clock })
  const issuer = () => `${address().replace(/\/$/, '')}${OPENID_PATH}`
  const secure = () => issuer().startsWith('https:')
  let made: { provider: Provider; keys: readonly unknown[]; issuer: string } | null = null

  const now = () => clock.now().toISOString()

  /** An account exists for an app only while that app is open to the person. */
  const findAccount: Configuration['findAccount'] = async (ctx, accountId) => {
    const person = await people.find(accountId)
    const clientId = ctx.oidc.client?.clientId
    if (!person) return undefined
    if (clientId) {
      const app = (await store.system.read((tx) => statements.appOfClient({ clientId }).execute(tx))).rows[0]
      if (!app || !admits(app, person)) return undefined
    }
    return { accountId: person.id, claims: async () => people.claims(person) }
  }

  /** The one of this sign-in; or a new one without a question, where the app is trusted or the person has allowed it before. */
  async function loadExistingGrant(ctx: KoaContextWithOIDC) {
    const { session, client, account, provider, result, requestParamOIDCScopes } = ctx.oidc
    if (!session || !client || !account) return undefined
    const decided = (result?.consent as { grantId?: string } | undefined)?.grantId
    const grantId = decided ?? session.grantIdFor(client.clientId)
    const existing = grantId ? await provider.Grant.find(grantId) : undefined
    if (decided || !session.jti) return existing
    const wanted = [...(requestParamOIDCScopes as Set<string>)]
    const has = new Set(existing?.getOIDCScope().split(' '))
    if (existing && wanted.every((it) => has.has(it))) return existing
    const signInId = await store.system.read(async (tx) => {
      const kept = await statements
        .findRecord({ kind: 'Session', id: hashed(session.jti), now: now() })
        .execute(tx)
      const app = (await statements.appOfClient({ clientId: client.clientId }).execute(tx)).rows[0]
      if (!app) return null
      const consent = (await statements.consent({ userId: account.accountId, appId: app.id }).execute(tx))
        .rows[0]
      const free = app.trusted || wanted.every((it) => consent?.scopes.includes(it))
      return free ? (kept.rows[0]?.sign_in_id ?? null) : null
    })
    if (!signInId) return existing
    const grant = existing ?? new provider.Grant({ accountId: account.accountId, clientId: client.clientId })
    grant.addOIDCScope(wanted.join(' '))
    const id = await grant.save()
    await store.system.transaction((tx) => statements.bindGrant({ id: hashed(id), signInId }).execute(tx))
    return grant
  }

  function policy() {
    const { base, Check } = interactionPolicy
    const prompts = base()
    // Somebody who may not use this app is told so on our page, instead of a fault here.
    prompts
      .get('login')
      ?.checks.add(
        new Check('not_admitted', 'this app is not open to the person', 'access_denied', (ctx) =>
          Boolean(ctx.oidc.session?.accountId && !ctx.oidc.account),
        ),
        0,
      )
    return prompts
  }

  /** Which app is being told: what the provider sends says only where to. */
  const telling = new AsyncLocalStorage<string>()
  /** Back-channel logout leaves by the one way out; to a service of ours it goes without leaving. */
  const sendOut: Configuration['fetch'] = async (url, given) => {
    const { method } = given ?? {}
    const word = {
      headers: Object.fromEntries(new Headers(given?.headers)),
      body: given?.body ? String(given.body) : '',
      signal: AbortSignal.timeout(10_000),
    }
    const appId = telling.getStore()
    const told = appId ? await options.toService?.(appId, { ...word, url: String(url) }) : null
    if (told) return new Response(null, { status: told })
    const answer = await outbound.ask(String(url), {
      ...word,
      method: method === 'POST' ? 'POST' : 'GET',
      body: word.body || undefined,
      redirects: 0,
    })
    const empty = [204, 205, 304].includes(answer.status)
    return new Response(empty ? null : new Uint8Array(answer.body), { status: answer.status })
  }

  function build(issuerNow: string, jwks: Configuration['jwks']): Provider {
    const overTls = issuerNow.startsWith('https:')
    const names = cookieNames(overTls)
    const cookies = { httpOnly: true, sameSite: 'lax', secure: overTls, signed: false } as const
    const provider = new Provider(issuerNow, {
      adapter,
      jwks,
      findAccount,
      loadExistingGrant,
      scopes: [...appScope.options],
      claims: {
        openid: ['sub', 'acr', 'amr', 'auth_time'],
        profile: ['name', 'preferred_username'],
        email: ['email', 'email_verified'],
        groups: ['groups', 'role', 'roles'],
      },
      // Many apps read the id token only.
      conformIdTokenClaims: false,
      acrValues: Object.values(ACR),
      responseTypes: ['code'],
      clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
      pkce: { required: () => true },
      rotateRefreshToken: true,
      // Everything hangs on the sign-in by the database; nothing needs the word offline_access for it.
      expiresWithSession: async () => false,
      issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
      // Apps that run in a browser, from where they were registered; no cookie goes along.
      clientBasedCORS: (_ctx, origin, client) =>
        client.clientAuthMethod === 'none' &&
        (client.redirectUris ?? []).some((uri) => new URL(uri).origin === origin),
      features: {
        devInteractions: { enabled: false },
        claimsParameter: { enabled: true },
        // An app gives back its own tokens, no others'.
        revocation: {
          enabled: true,
          allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
        },
        backchannelLogout: { enabled: true },
        rpInitiatedLogout: {
          enabled: true,
          async logoutSource(ctx) {
            const word =
              (ctx.oidc.session as { state?: { secret?: string } } | undefined)?.state?.secret ?? ''
            ctx.status = 303
            ctx.redirect(`/leave?ask=${encodeURIComponent(word)}`)
          },
          async postLogoutSuccessSource(ctx) {
            ctx.status = 303
            ctx.redirect('/')
          },
        },
      },
      interactions: {
        policy: policy(),
        url(ctx, interaction) {
          ctx.cookies.set(names.asked(interaction.uid), interaction.uid, {
            ...cookies,
            path: '/',
            maxAge: QUESTION_SECONDS * 1000,
          })
          return `/consent/${interaction.uid}`
        },
      },
      cookies: {
        names: { session: names.session, interaction: names.interaction, resume: names.resume },
        long: { ...cookies, path: '/' },
        short: cookies,
      },
      ttl: {
        Session: DAY,
        Interaction: QUESTION_SECONDS,
        AuthorizationCode: MINUTE,
        AccessToken: 10 * MINUTE,
        IdToken: 10 * MINUTE,
        RefreshToken: 14 * DAY,
        Grant: 31 * DAY,
      },
      async renderError(ctx, out) {
        ctx.status = 303
        ctx.redirect(`/consent/problem?code=${encodeURIComponent(out.error)}`)
      },
      fetch: sendOut,
    })
    provider.proxy = true
    provider.silent = true
    // Only the hash of a secret is kept: the provider compares what was sent with it.
    provider.Client.prototype.compareClientSecret = function (
      this: { clientSecret?: string },
      actual: string,
    ) {
      const [one, other] = [Buffer.from(hashed(actual)), Buffer.from(this.clientSecret ?? '')]
      return one.length === other.length && timingSafeEqual(one, other)
    }
    provider.on('server_error', (_ctx, error: Error) =>
      log.error({ cause: error.stack ?? error.message }, 'the OpenID provider failed'),
    )
    heard(provider)
    return provider
  }

  async function provider() {
    const found = await keys.current()
    const at = issuer()
    if (made?.keys !== found || made.issuer !== at)
      made = { provider: build(at, { keys: [...found] }), keys: found, issuer: at }
    return made.provider
  }
  return {
    issuer,
    secure,
    provider,
    async tellSignOut({ appId, clientId, userId, sid }) {
      const client = (await (await provider()).Client.find(clientId)) as Told | undefined
      await telling.run(appId, async () => client?.backchannelLogout(userId, sid))
    },
  }
}
