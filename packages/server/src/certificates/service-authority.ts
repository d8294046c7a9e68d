/**
 * The authority that services know each other by: one for each organisation and apart from the one that devices trust, so that no
 * library needs to understand our names to refuse another organisation's service. Its keys are sealed; the next one is known a while before it signs.
 */
import type { Clock } from '@kalnet/io/clock'
import { z } from 'zod'
import type { Secrets } from '../core/secrets.ts'
import type { Store } from '../core/store.ts'
import { DAY_MS, keyPem, newAuthority, pemOf, readKeys, readX509, type Signer } from '../core/x509.ts'
import { statements } from './store.ts'

const LIFE_DAYS = 5 * 365
/** The next one is made and told when so much is left … */
const NEXT_MS = 90 * DAY_MS
/** … and signs when so much is left: everybody has heard of it by then. */
const OVER_MS = 30 * DAY_MS
/** Another server may have made a new one. */
const FRESH_MS = 10 * 60_000
const NAME = 'service authority'

const kept = z.array(z.object({ certificate: z.string(), key: z.string() }))
export interface ServiceAuthority {
  signer: Signer
  /** PEM of all that may have signed, for `ca.pem`. */
  bundle: string
}

export function createServiceAuthorities({
  store,
  secrets,
  clock,
}: {
  store: Store
  secrets: Secrets
  clock: Clock
}) {
  const known = new Map<string, { at: number; authority: Promise<ServiceAuthority> }>()

  const leftOf = (pem: string) => readX509(pem).notAfter.getTime() - clock.now().getTime()
  const isDue = (all: z.infer<typeof kept>) => all.every(({ certificate }) => leftOf(certificate) < NEXT_MS)

  async function read(organisationId: string): Promise<z.infer<typeof kept>> {
    const text = await store.as(organisationId).read((tx) => secrets.get(tx, organisationId, NAME))
    const found = text === null ? [] : kept.parse(JSON.parse(text))
    if (!isDue(found)) return found
    const made = await newAuthority('Kalnet services', clock.now().getTime(), LIFE_DAYS)
    const next = { certificate: pemOf(made.certificate), key: await keyPem(made.keys) }
    return store.as(organisationId).transaction(async (tx) => {
      // Two servers at the same moment: the second finds what the first made.
      await statements.lockAuthority({ name: `${NAME} ${organisationId}` }).execute(tx)
      const now = await secrets.get(tx, organisationId, NAME)
      const before = now === null ? [] : kept.parse(JSON.parse(now))
      if (!isDue(before)) return before
      const all = [...before.filter(({ certificate }) => leftOf(certificate) > 0), next]
      await secrets.put(tx, organisationId, NAME, JSON.stringify(all))
      return all
    })
  }

  async function load(organisationId: string): Promise<ServiceAuthority> {
    const all = (await read(organisationId)).filter(({ certificate }) => leftOf(certificate) > 0)
    const one = all.find(({ certificate }) => leftOf(certificate) > OVER_MS) ?? all.at(-1)
    if (!one) throw new Error('there is no authority for services')
    const certificate = readX509(one.certificate)
    return {
      signer: { certificate, keys: await readKeys(one.key, certificate) },
      bundle: all.map((it) => it.certificate).join(''),
    }
  }

  return (organisationId: string): Promise<ServiceAuthority> => {
    const now = clock.now().getTime()
    const found = known.get(organisationId)
    if (found && now - found.at < FRESH_MS) return found.authority
    const authority = load(organisationId)
    known.set(organisationId, { at: now, authority })
    authority.catch(() => known.delete(organisationId))
    return authority
  }
}
