/** The provider's word that somebody signed out there (OpenID Connect Back-Channel Logout 1.0 §2.4–2.6), checked whole. */
import { constants, createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import type { Outbound } from '@kalnet/io/outbound'
import type { Configuration } from 'openid-client'
import { refuse } from '../vouched.ts'
import { ALGORITHMS } from './configuration.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const AGE_S = 300
const SKEW_S = 60

export interface SignedOut {
  issuer: string
  subject: string | null
  sid: string | null
  jti: string
  /** Until when the same token could be shown again. ms since 1970. */
  until: number
}
type Claims = Record<string, unknown>
interface Key extends JsonWebKey {
  kid?: string
  use?: string
  alg?: string
}

const json = (part: string): Claims => {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Claims
  } catch {
    // Said below, as for any other thing that is no token.
  }
  throw refuse('not a token')
}
const PADDING = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
const isSigned = (alg: string, data: Buffer, signature: Buffer, jwk: Key): boolean => {
  const kind = alg.startsWith('E') ? (alg.startsWith('ES') ? 'EC' : 'OKP') : 'RSA'
  if (jwk.kty !== kind || (jwk.use ?? 'sig') !== 'sig' || (jwk.alg ?? alg) !== alg) return false
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  if (kind === 'OKP') return verify(null, data, key, signature)
  const digest = `sha${alg.slice(2)}`
  if (kind === 'EC') return verify(digest, data, { key, dsaEncoding: 'ieee-p1363' }, signature)
  return verify(digest, data, alg.startsWith('PS') ? { key, ...PADDING } : key, signature)
}

async function keysOf(outbound: Outbound, config: Configuration, signal: AbortSignal): Promise<Key[]> {
  const url = config.serverMetadata().jwks_uri
  if (!url) throw refuse('no keys', 'provider.unreachable')
  const answer = await outbound.ask(url, { signal, maxBytes: 512 * 1024, redirects: 0 })
  const keys = answer.status === 200 ? json(answer.body.toString('base64url')).keys : null
  return Array.isArray(keys) ? keys.filter((it): it is Key => typeof it === 'object' && it !== null) : []
}

export async function readLogoutToken(options: {
  token: string
  config: Configuration
  outbound: Outbound
  now: number
  signal: AbortSignal
}): Promise<SignedOut> {
  const { token, config, outbound, signal } = options
  const now = options.now / 1_000
  const [head = '', body = '', signature = '', ...rest] = token.split('.')
  if (rest.length > 0 || signature === '') throw refuse('not a token')
  const header = json(head)
  const alg = String(header.alg)
  const known = config.serverMetadata().id_token_signing_alg_values_supported ?? []
  if (!(ALGORITHMS as readonly string[]).includes(alg) || !known.includes(alg)) throw refuse('algorithm')
  if (header.crit !== undefined) throw refuse('critical header')
  // Its own type (§2.4, ASVS 10.5.5): no other token of the provider can be taken for one. Keycloak, Auth0 and oidc-provider send it.
  if (String(header.typ).toLowerCase() !== 'logout+jwt') throw refuse('type')

  const claims = json(body)
  const issuer = config.serverMetadata().issuer
  const audience = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  if (claims.iss !== issuer) throw refuse('issuer')
  if (!audience.includes(config.clientMetadata().client_id)) throw refuse('audience')
  if (typeof claims.iat !== 'number' || claims.iat > now + SKEW_S || claims.iat < now - AGE_S)
    throw refuse('time')
  if (claims.exp !== undefined && (typeof claims.exp !== 'number' || claims.exp < now - SKEW_S))
    throw refuse('expired')
  const events = claims.events
  if (typeof events !== 'object' || events === null || !Object.hasOwn(events, EVENT)) throw refuse('event')
  // A token for signing in is never one for signing out.
  if (claims.nonce !== undefined) throw refuse('nonce')
  const subject = typeof claims.sub === 'string' && claims.sub !== '' ? claims.sub : null
  const sid = typeof claims.sid === 'string' && claims.sid !== '' ? claims.sid : null
  if (!subject && !sid) throw refuse('nobody')
  if (typeof claims.jti !== 'string' || claims.jti === '' || claims.jti.length > 500) throw refuse('no id')

  const data = Buffer.from(`${head}.${body}`)
  const signed = Buffer.from(signature, 'base64url')
  const keys = (await keysOf(outbound, config, signal)).filter(
    (key) => header.kid === undefined || key.kid === header.kid,
  )
  const fits = keys.some((key) => {
    try {
      return isSigned(alg, data, signed, key)
    } catch {
      // A key that cannot be read signs nothing.
      return false
    }
  })
  if (!fits) throw refuse('signature')
  return { issuer, subject, sid, jti: claims.jti, until: (claims.iat + AGE_S + SKEW_S) * 1_000 }
}
