/** What a test of a provider looks at, in words for stewards. */
import type { ProviderCheck, SamlFacts } from '@kalnet/contracts/federation'
import type { Outbound } from '@kalnet/io/outbound'
import { ALGORITHMS, discover, problemOf } from './openid/configuration.ts'
import type { SamlIdentity } from './saml/metadata.ts'

type Check = ProviderCheck['checks'][number]
const good = (what: string, text: string): Check => ({ what, state: 'good', text })
const warning = (what: string, text: string): Check => ({ what, state: 'warning', text })
const bad = (what: string, text: string): Check => ({ what, state: 'bad', text })
const summed = (checks: Check[]): ProviderCheck => ({
  good: checks.every((it) => it.state !== 'bad'),
  checks,
})
const SOON_MS = 30 * 24 * 3600_000

export async function checkOpenId(outbound: Outbound, issuer: string): Promise<ProviderCheck> {
  const found = await discover(outbound, issuer, 'kalnet', null).catch((error: unknown) => problemOf(error))
  if (typeof found === 'string') return summed([bad('Address', `It does not answer as it should: ${found}.`)])
  const said = found.serverMetadata()
  const checks = [good('Address', `${said.issuer} answers.`)]
  const algorithms = said.id_token_signing_alg_values_supported ?? []
  checks.push(
    algorithms.some((it) => (ALGORITHMS as readonly string[]).includes(it))
      ? good('Signatures', 'It signs with a key of its own.')
      : bad('Signatures', 'It does not sign in a way that can be trusted.'),
  )
  const keys = await outbound
    .ask(said.jwks_uri ?? '', { signal: AbortSignal.timeout(10_000), redirects: 0, maxBytes: 512 * 1024 })
    .then((answer) => answer.status === 200)
    .catch(() => false)
  checks.push(keys ? good('Keys', 'Its keys can be read.') : bad('Keys', 'Its keys cannot be read.'))
  checks.push(
    said.code_challenge_methods_supported?.includes('S256')
      ? good('Protected codes', 'It knows PKCE.')
      : warning(
          'Protected codes',
          'It does not say that it knows PKCE; codes are sent protected all the same.',
        ),
  )
  checks.push(
    said.backchannel_logout_supported === true
      ? good('Signing out', 'It can tell us when somebody signs out there.')
      : warning('Signing out', 'It cannot tell us when somebody signs out there.'),
  )
  return summed(checks)
}

/** `fresh`: what its metadata says now; null: it could not be read; undefined: it was pasted. */
export function checkSaml(facts: SamlFacts, fresh?: SamlIdentity | null): ProviderCheck {
  const checks = [good('Provider', `${facts.entityId} is asked at ${facts.signInUrl}.`)]
  const alive = facts.certificates.filter((it) => !it.expired)
  const last = Math.max(0, ...alive.map((it) => Date.parse(it.expiresAt)))
  if (alive.length === 0)
    checks.push(warning('Certificate', 'Every certificate has run out. The key still counts.'))
  else if (last < Date.now() + SOON_MS)
    checks.push(
      warning(
        'Certificate',
        `The last certificate runs out on ${new Date(last).toISOString().slice(0, 10)}.`,
      ),
    )
  else checks.push(good('Certificate', `Valid until ${new Date(last).toISOString().slice(0, 10)}.`))
  if (fresh === null) checks.push(bad('Metadata', 'Its metadata cannot be read at its address now.'))
  else if (fresh && fresh.entityId !== facts.entityId)
    checks.push(bad('Metadata', 'Its metadata names another provider now.'))
  else if (fresh) checks.push(good('Metadata', 'Its metadata can be read.'))
  return summed(checks)
}
