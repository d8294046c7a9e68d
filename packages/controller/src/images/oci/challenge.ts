/** How a registry asks who we are (WWW-Authenticate), and the token that another server gives for the answer (distribution spec, "token"). */
import { z } from 'zod'
import { RegistryProblem } from './pushed.ts'

export type Challenge =
  | { scheme: 'basic' }
  | { scheme: 'bearer'; realm: string; service: string | null; scope: string | null }

const PARAMETER = /([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/gi

/** The first that we speak; several may stand in one header. Null: none of them. */
export function readChallenge(header: string | undefined): Challenge | null {
  const text = (header ?? '').slice(0, 4_000)
  const bearer = /(?:^|,)\s*bearer\s+/i.exec(text)
  if (bearer) {
    const found = new Map<string, string>()
    for (const [, name = '', quoted, bare] of text.slice(bearer.index + bearer[0].length).matchAll(PARAMETER))
      if (!found.has(name.toLowerCase()))
        found.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '')
    const realm = found.get('realm')
    if (realm && URL.canParse(realm))
      return {
        scheme: 'bearer',
        realm,
        service: found.get('service') ?? null,
        scope: found.get('scope') ?? null,
      }
  }
  return /(?:^|,)\s*basic(\s|$)/i.test(text) ? { scheme: 'basic' } : null
}

/** Where a token for these scopes is asked for. http only where the registry itself is on loopback: the password goes there. */
export function tokenAddress(
  challenge: Challenge & { scheme: 'bearer' },
  registry: URL,
  scopes: readonly string[],
): URL {
  const url = new URL(challenge.realm)
  const isPlain =
    url.protocol === 'http:' && url.hostname === registry.hostname && registry.protocol === 'http:'
  if ((url.protocol !== 'https:' && !isPlain) || url.username || url.password)
    throw new RegistryProblem(
      'refused',
      `${registry.host} asks us to sign in at ${url.host} without encryption, so nothing was sent there. Its address for tokens must be https.`,
    )
  if (challenge.service !== null) url.searchParams.set('service', challenge.service)
  for (const scope of new Set([...(challenge.scope?.split(' ') ?? []), ...scopes]))
    if (scope) url.searchParams.append('scope', scope)
  return url
}

const answer = z.object({
  token: z.string().max(32_768).optional(),
  access_token: z.string().max(32_768).optional(),
  expires_in: z.number().optional(),
})
/** What the specification gives a token that does not say. */
const USUAL_S = 60

/** The token and how long it may be used; a little less than it is good for. */
export function readToken(body: Buffer, host: string): { token: string; goodMs: number } {
  const parsed = answer.safeParse(parseJson(body))
  const token = parsed.data?.token || parsed.data?.access_token
  if (!token || !/^[\w\-.~+/]+=*$/.test(token))
    throw new RegistryProblem('failed', `${host} signed us in, but its answer has no token in it.`)
  const seconds = Math.min(Math.max(parsed.data?.expires_in ?? USUAL_S, 10), 3_600)
  return { token, goodMs: seconds * 800 }
}

/** Undefined where it is none. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
