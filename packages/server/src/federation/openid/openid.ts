/** Signing in by OpenID Connect: going there, coming back, asking again, signing out there. */
import { fail, KalnetError } from '@kalnet/contracts/errors'
import type { Outbound } from '@kalnet/io/outbound'
import * as client from 'openid-client'
import type { FlowParts } from '../flow-secret.ts'
import { groupsAt } from '../mapping.ts'
import type { OpenIdRow } from '../store.ts'
import { refuse, tidyEmail, tidyText, type Vouched } from '../vouched.ts'
import { type Configurations, createConfigurations, problemOf } from './configuration.ts'

/** The provider says that the account may no longer be here. */
export class Gone extends Error {
  override readonly name = 'Gone'
}
/** How long ago somebody who proves again may have done so. */
const FRESH_S = 120

export interface OpenId {
  configurations: Configurations
  /** Where the browser goes. `again`: whoever is signed in there must prove it anew. */
  begin(
    provider: OpenIdRow,
    secret: string | null,
    flow: FlowParts,
    callback: string,
    again: boolean,
  ): Promise<string>
  finish(
    provider: OpenIdRow,
    secret: string | null,
    flow: FlowParts,
    current: URL,
    again: boolean,
  ): Promise<Vouched>
  /** Throws Gone when the provider refuses; anything else means that it cannot be asked now. */
  refresh(provider: OpenIdRow, secret: string | null, refreshToken: string, subject: string): Promise<Vouched>
  signOutAt(
    provider: OpenIdRow,
    secret: string | null,
    idToken: string | null,
    back: string,
  ): Promise<string | null>
}

export function createOpenId({ configurations }: { configurations: Configurations }): OpenId {
  async function configured(provider: OpenIdRow, secret: string | null) {
    try {
      return await configurations.of(provider, secret)
    } catch (error) {
      throw fail('provider.unreachable', { problem: problemOf(error) }, error)
    }
  }
  return {
    configurations,
    async begin(provider, secret, flow, callback, again) {
      const config = await configured(provider, secret)
      const scopes = new Set(['openid', ...provider.settings.scopes])
      const asked: Record<string, string> = {
        redirect_uri: callback,
        scope: [...scopes].join(' '),
        state: flow.state,
        nonce: flow.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: 'S256',
      }
      if (again) Object.assign(asked, { prompt: 'login', max_age: '0' })
      return client.buildAuthorizationUrl(config, asked).href
    },
    async finish(provider, secret, flow, current, again) {
      const config = await configured(provider, secret)
      const checks: client.AuthorizationCodeGrantChecks = {
        expectedState: flow.state,
        expectedNonce: flow.nonce,
        pkceCodeVerifier: flow.verifier,
        idTokenExpected: true,
        ...(again ? { maxAge: FRESH_S } : {}),
      }
      try {
        const tokens = await client.authorizationCodeGrant(config, current, checks)
        return await vouchedBy(config, provider, tokens, null)
      } catch (error) {
        throw asRefusal(error)
      }
    },
    async refresh(provider, secret, refreshToken, subject) {
      const config = await configured(provider, secret)
      try {
        const tokens = await client.refreshTokenGrant(config, refreshToken)
        return await vouchedBy(config, provider, tokens, { refreshToken, subject })
      } catch (error) {
        if (error instanceof client.ResponseBodyError && error.status >= 400 && error.status < 500)
          throw new Gone(error.error, { cause: error })
        throw error
      }
    },
    async signOutAt(provider, secret, idToken, back) {
      const config = await configured(provider, secret)
      if (!config.serverMetadata().end_session_endpoint) return null
      const said: Record<string, string> = { post_logout_redirect_uri: back }
      if (idToken) said.id_token_hint = idToken
      return client.buildEndSessionUrl(config, said).href
    },
  }
}

export const openIdBy = (outbound: Outbound, clock: Parameters<typeof createConfigurations>[0]['clock']) =>
  createOpenId({ configurations: createConfigurations({ outbound, clock }) })

type Tokens = Awaited<ReturnType<typeof client.authorizationCodeGrant>>

/** Claims of the signed token; what is missing there is asked at the provider's userinfo, for the same subject. */
async function vouchedBy(
  config: client.Configuration,
  provider: OpenIdRow,
  tokens: Tokens,
  before: { refreshToken: string; subject: string } | null,
): Promise<Vouched> {
  const signed: Record<string, unknown> = { ...tokens.claims() }
  const subject = typeof signed.sub === 'string' ? signed.sub : before?.subject
  if (!subject || subject.length > 255) throw refuse('no subject')
  if (before && subject !== before.subject) throw new Gone('another subject')
  const { groupsClaim } = provider.settings
  const complete = signed.email !== undefined && groupsAt(signed, groupsClaim).length > 0
  const more: Record<string, unknown> =
    complete || !config.serverMetadata().userinfo_endpoint
      ? {}
      : { ...(await client.fetchUserInfo(config, tokens.access_token, subject)) }
  const claims = { ...more, ...signed }
  const text = (name: string) => (typeof claims[name] === 'string' ? claims[name] : null)
  const list = (value: unknown) =>
    (Array.isArray(value) ? value : [value]).filter((it) => typeof it === 'string')
  const email = tidyEmail(claims.email)
  const account = tidyText(text('preferred_username') ?? email ?? text('name') ?? subject, 200)
  return {
    issuer: typeof signed.iss === 'string' ? signed.iss : config.serverMetadata().issuer,
    subject,
    account: account ?? subject,
    name: tidyText(text('name') ?? text('preferred_username'), 60),
    email,
    // What the provider says now: a group that only userinfo knows counts too.
    groups: [...new Set([...groupsAt(signed, groupsClaim), ...groupsAt(more, groupsClaim)])],
    contexts: [...list(signed.acr), ...list(signed.amr)],
    sid: tidyText(typeof signed.sid === 'string' ? signed.sid : null, 255),
    provedAt: typeof signed.auth_time === 'number' ? signed.auth_time * 1_000 : null,
    tokens: { refresh: tokens.refresh_token ?? before?.refreshToken ?? null, idToken: tokens.id_token ?? '' },
  }
}

/** What the provider itself refused is said in its sense; all else is not to be trusted. */
function asRefusal(error: unknown): KalnetError {
  if (error instanceof KalnetError) return error
  if (error instanceof client.AuthorizationResponseError)
    return fail('provider.refused', { problem: plain(error.error) }, error)
  if (error instanceof client.ResponseBodyError)
    return fail('provider.refused', { problem: plain(error.error) }, error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  if (code === 'OAUTH_TIMEOUT')
    return fail('provider.unreachable', { problem: 'it did not answer in time' }, error)
  // The code of the library names the check that failed; the values stay out of log and audit.
  return refuse(code)
}
/** The error words of OAuth are a fixed list; what is not on it is not repeated. */
const plain = (word: string) => (/^[a-z_]{3,40}$/.test(word) ? word.replaceAll('_', ' ') : 'refused')
