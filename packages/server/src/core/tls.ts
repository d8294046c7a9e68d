/** The local certificate authority behind `up --lan`: made once, its key 0600, server certificates renewed by themselves. */
import { createHash, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { type Clock, systemClock } from '@kalnet/io/clock'
import { readIfThere, writeWhole } from '@kalnet/io/files'
// @peculiar/x509 needs it when it loads.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(crypto)

/** P-256: every browser and television takes it. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 3650
/** Apple refuses certificates of more than 398 days, of local authorities 825. */
const SERVER_DAYS = 397
const RENEW_DAYS = 30

interface Pair {
  certificate: x509.X509Certificate
  keys: CryptoKeyPair
}
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

/** `AB:CD:…`, SHA-256 over the DER form. */
export const fingerprintOf = (pem: string): string => {
  const der = new x509.X509Certificate(pem).rawData
  const hex = createHash('sha256').update(Buffer.from(der)).digest('hex').toUpperCase()
  return hex.match(/../g)?.join(':') ?? ''
}

/** The authority's fingerprint, or null while there is none. */
export async function readFingerprint(configFolder: string): Promise<string | null> {
  const pem = await readIfThere(authorityFile(configFolder))
  return pem ? fingerprintOf(pem) : null
}

const keyPem = async (keys: CryptoKeyPair) => {
  const der = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return x509.PemConverter.encode(der, 'PRIVATE KEY')
}
const readKeys = async (pem: string, certificate: x509.X509Certificate): Promise<CryptoKeyPair> => ({
  privateKey: await crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), ALGORITHM, true, [
    'sign',
  ]),
  publicKey: await certificate.publicKey.export(ALGORITHM, ['verify']),
})
const newKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
/** Positive and not too long (RFC 5280 §4.1.2.2). */
const serial = () => `01${randomBytes(15).toString('hex')}`

async function ensureAuthority(folder: string, clock: Clock): Promise<Pair> {
  const [pem, key] = await Promise.all([
    readIfThere(join(folder, 'authority.crt')),
    readIfThere(join(folder, 'authority.key')),
  ])
  if (pem && key) {
    const certificate = new x509.X509Certificate(pem)
    if (certificate.notAfter.getTime() > clock.now().getTime() + SERVER_DAYS * DAY_MS)
      return { certificate, keys: await readKeys(key, certificate) }
  }
  const keys = await newKeys()
  const now = clock.now().getTime()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=Kalnet authority ${randomBytes(3).toString('hex')}`,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  // The key first: a certificate without its key would be taken for a finished authority.
  await writeWhole(join(folder, 'authority.key'), await keyPem(keys), 0o600)
  await writeWhole(join(folder, 'authority.crt'), `${certificate.toString('pem')}\n`, 0o644)
  return { certificate, keys }
}

const namesOf = (certificate: x509.X509Certificate): string[] =>
  certificate
    .getExtension(x509.SubjectAlternativeNameExtension)
    ?.names.toJSON()
    .map(({ value }) => value) ?? []

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
  const authority = await ensureAuthority(folder, clock)
  const authorityPem = `${authority.certificate.toString('pem')}\n`
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
    const old = new x509.X509Certificate(pem)
    const has = new Set(namesOf(old))
    const fits =
      names.every((name) => has.has(name)) &&
      old.notAfter.getTime() > now + RENEW_DAYS * DAY_MS &&
      (await old.verify({ publicKey: authority.keys.publicKey, date: clock.now() }))
    if (fits) return done(pem, key)
  }
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: 'CN=Kalnet',
    issuer: authority.certificate.subject,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + SERVER_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isIP(name) ? ('ip' as const) : ('dns' as const), value: name })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const text = `${certificate.toString('pem')}\n`
  const secret = await keyPem(keys)
  await writeWhole(join(folder, 'server.key'), secret, 0o600)
  await writeWhole(join(folder, 'server.crt'), text, 0o644)
  return done(text, secret)
}
