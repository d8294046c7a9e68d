/** The local certificate authority behind `up --lan`: made once, its key 0600, server certificates renewed by themselves. */
import { join } from 'node:path'
import { type Clock, systemClock } from '@kalnet/io/clock'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import {
  DAY_MS,
  fingerprintOf,
  issue,
  keyPem,
  namesOf,
  newAuthority,
  pemOf,
  readKeys,
  readX509,
  type Signer,
} from './x509.ts'

export { fingerprintOf } from './x509.ts'

const AUTHORITY_DAYS = 3650
/** Apple refuses certificates of more than 398 days, of local authorities 825. */
const SERVER_DAYS = 397
const RENEW_DAYS = 30

export interface Tls {
  /** PEM; the server's own first, then the authority. */
  certificate: string
  key: string
  /** PEM of the authority, for controllers and devices. */
  authority: string
  /** SHA-256 of the authority's certificate, as browsers and telephones show it. */
  fingerprint: string
}

export const authorityFile = (configFolder: string) => join(configFolder, 'ca', 'authority.crt')

/** The authority's fingerprint, or null while there is none. */
export async function readFingerprint(configFolder: string): Promise<string | null> {
  const pem = await readIfThere(authorityFile(configFolder))
  return pem ? fingerprintOf(pem) : null
}

/** The authority in `<config>/ca`, made when there is none or when it would end before what it signs. */
export async function ensureAuthority(configFolder: string, clock: Clock = systemClock): Promise<Signer> {
  const folder = join(configFolder, 'ca')
  const [pem, key] = await Promise.all([
    readIfThere(authorityFile(configFolder)),
    readIfThere(join(folder, 'authority.key')),
  ])
  const now = clock.now().getTime()
  if (pem && key) {
    const certificate = readX509(pem)
    if (certificate.notAfter.getTime() > now + SERVER_DAYS * DAY_MS)
      return { certificate, keys: await readKeys(key, certificate) }
  }
  const made = await newAuthority('Kalnet authority', now, AUTHORITY_DAYS)
  // The key first: a certificate without its key would be taken for a finished authority.
  await writeWhole(join(folder, 'authority.key'), await keyPem(made.keys), 0o600)
  await writeWhole(authorityFile(configFolder), pemOf(made.certificate), 0o644)
  return made
}

/**
 * A certificate for these names and addresses, signed by the local authority in `<config>/ca`. Idempotent: the one
 * there is kept while it has all names and a month to live.
 */
export async function ensureTls(
  configFolder: string,
  names: readonly string[],
  clock: Clock = systemClock,
): Promise<Tls> {
  const folder = join(configFolder, 'ca')
  const authority = await ensureAuthority(configFolder, clock)
  const authorityPem = pemOf(authority.certificate)
  const done = (certificate: string, key: string): Tls => ({
    certificate: certificate + authorityPem,
    key,
    authority: authorityPem,
    fingerprint: fingerprintOf(authorityPem),
  })
  const [pem, key] = await Promise.all([
    readIfThere(join(folder, 'server.crt')),
    readIfThere(join(folder, 'server.key')),
  ])
  const now = clock.now().getTime()
  if (pem && key) {
    const old = readX509(pem)
    const has = new Set(namesOf(old))
    const fits =
      names.every((name) => has.has(name)) &&
      old.notAfter.getTime() > now + RENEW_DAYS * DAY_MS &&
      (await old.verify({ publicKey: authority.keys.publicKey, date: clock.now() }))
    if (fits) return done(pem, key)
  }
  const made = await issue(authority, { title: 'Kalnet', names, now, hours: SERVER_DAYS * 24 })
  await writeWhole(join(folder, 'server.key'), made.key, 0o600)
  await writeWhole(join(folder, 'server.crt'), made.certificate, 0o644)
  return done(made.certificate, made.key)
}
