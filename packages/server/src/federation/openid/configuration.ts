/** An OpenID Connect provider as its issuer address describes it, asked only through our own way out. */
import { isIP } from 'node:net'
import type { Clock } from '@kalnet/io/clock'
import { type Outbound, OutboundError } from '@kalnet/io/outbound'
import * as client from 'openid-client'
import type { OpenIdRow } from '../store.ts'
import { refuse } from '../vouched.ts'

const KEPT_MS = 10 * 60_000
const MOST = 200
const BYTES = 512 * 1024
/** Signed by a private key of the provider's. `none` and HMAC (where the "key" may be something public) never count. */
export const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

const isLoopback = (host: string) =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))

/** Plain http is for a provider on this very machine only. */
export function issuerUrl(text: string): URL {
  const url = new URL(text)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url
  throw refuse('it is not https', 'provider.unreachable')
}

/** openid-client's requests, by our way out. */
export function fetchBy(outbound: Outbound): client.CustomFetch {
  return async (url, options) => {
    const body = options.body
    const answer = await outbound.ask(url, {
      method: options.method === 'POST' ? 'POST' : 'GET',
      headers: options.headers,
      body: body === undefined || body === null ? undefined : String(body),
      signal: options.signal ?? AbortSignal.timeout(10_000),
      redirects: 0,
      maxBytes: BYTES,
    })
    const empty = answer.status === 204 || answer.status === 304
    return new Response(empty ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: answer.headers,
    })
  }
}

export async function discover(
  outbound: Outbound,
  issuer: string,
  clientId: string,
  secret: string | null,
): Promise<client.Configuration> {
  const url = issuerUrl(issuer)
  const ask = fetchBy(outbound)
  const execute = url.protocol === 'http:' ? [client.allowInsecureRequests] : []
  const found = await client.discovery(url, clientId, undefined, undefined, {
    [client.customFetch]: ask,
    execute,
    timeout: 10,
  })
  const { supportsPKCE: _, ...said } = found.serverMetadata()
  const algorithms = said.id_token_signing_alg_values_supported?.filter((it) =>
    (ALGORITHMS as readonly string[]).includes(it),
  )
  const server = { ...said, id_token_signing_alg_values_supported: algorithms ?? ['RS256'] }
  const made = new client.Configuration(server, clientId, undefined, authentication(said, secret))
  made[client.customFetch] = ask
  made.timeout = 10
  for (const step of execute) step(made)
  // Also of a token that came straight from the provider the signature is checked.
  client.enableNonRepudiationChecks(made)
  return made
}

function authentication(said: client.ServerMetadata, secret: string | null): client.ClientAuth {
  if (secret === null) return client.None()
  const known = said.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  return known.includes('client_secret_basic') || !known.includes('client_secret_post')
    ? client.ClientSecretBasic(secret)
    : client.ClientSecretPost(secret)
}

export interface Configurations {
  of(provider: OpenIdRow, secret: string | null): Promise<client.Configuration>
  forget(providerId: string): void
}

/** Kept for a while, with the keys that were fetched; a changed provider is asked anew. */
export function createConfigurations({
  outbound,
  clock,
}: {
  outbound: Outbound
  clock: Clock
}): Configurations {
  const kept = new Map<string, { changedAt: string; until: number; made: Promise<client.Configuration> }>()
  return {
    of(provider, secret) {
      const now = clock.now().getTime()
      const before = kept.get(provider.id)
      if (before && before.changedAt === provider.changed_at && before.until > now) return before.made
      const { issuer, clientId } = provider.settings
      const made = discover(outbound, issuer, clientId, secret)
      kept.delete(provider.id)
      for (const oldest of kept.keys()) if (kept.size >= MOST) kept.delete(oldest)
      kept.set(provider.id, { changedAt: provider.changed_at, until: now + KEPT_MS, made })
      // A failure is not kept; who asked hears of it.
      made.catch(() => kept.delete(provider.id))
      return made
    },
    forget: (providerId) => void kept.delete(providerId),
  }
}

/** Why a provider could not be asked, in words that tell nothing secret. */
export function problemOf(error: unknown): string {
  if (error instanceof OutboundError) return error.message.replace(/\.$/, '')
  const inner = error instanceof Error ? error.cause : null
  if (inner instanceof OutboundError) return inner.message.replace(/\.$/, '')
  if (error instanceof Error && 'code' in error)
    switch (error.code) {
      case 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED':
        return 'it calls itself by another name than this address'
      case 'OAUTH_RESPONSE_IS_NOT_CONFORM':
      case 'OAUTH_RESPONSE_IS_NOT_JSON':
      case 'OAUTH_PARSE_ERROR':
      case 'OAUTH_INVALID_RESPONSE':
        return 'there is no OpenID Connect provider at this address'
      case 'OAUTH_TIMEOUT':
        return 'it did not answer in time'
    }
  return inner instanceof Error && inner.message.startsWith('it ')
    ? inner.message
    : 'it answered in an unexpected way'
}
