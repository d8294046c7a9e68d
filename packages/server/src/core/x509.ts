/** Making and reading certificates: the few shapes this installation signs, all with P-256, which every browser and television takes. */
import { createHash, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
// @peculiar/x509 needs it when it loads.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(crypto)

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
export const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

export type X509 = x509.X509Certificate
/** An authority with its key. */
export interface Signer {
  certificate: X509
  keys: CryptoKeyPair
}
/** PEM, both. */
export interface Issued {
  certificate: string
  key: string
  notAfter: Date
}

export const readX509 = (pem: string): X509 => new x509.X509Certificate(pem)
export const pemOf = (certificate: X509): string => `${certificate.toString('pem')}\n`

/** `AB:CD:…`, SHA-256 over the DER form, as browsers and telephones show it. */
export const fingerprintOf = (pem: string): string => {
  const der = readX509(pem).rawData
  const hex = createHash('sha256').update(Buffer.from(der)).digest('hex').toUpperCase()
  return hex.match(/../g)?.join(':') ?? ''
}

export const keyPem = async (keys: CryptoKeyPair): Promise<string> => {
  const der = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return x509.PemConverter.encode(der, 'PRIVATE KEY')
}
export const readKeys = async (pem: string, certificate: X509): Promise<CryptoKeyPair> => ({
  privateKey: await crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), ALGORITHM, true, [
    'sign',
  ]),
  publicKey: await certificate.publicKey.export(ALGORITHM, ['verify']),
})
const newKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
/** Positive and not too long (RFC 5280 §4.1.2.2). */
const serial = () => `01${randomBytes(15).toString('hex')}`

/** A new authority that signs end certificates only. */
export async function newAuthority(title: string, now: number, days: number): Promise<Signer> {
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${title} ${randomBytes(3).toString('hex')}`,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate, keys }
}

export const namesOf = (certificate: X509): string[] =>
  certificate
    .getExtension(x509.SubjectAlternativeNameExtension)
    ?.names.toJSON()
    .map(({ value }) => value) ?? []

const alternative = (name: string) => {
  if (name.includes('://')) return { type: 'url' as const, value: name }
  return { type: isIP(name) ? ('ip' as const) : ('dns' as const), value: name }
}

interface Wanted {
  title: string
  /** DNS names, addresses and URIs. */
  names: readonly string[]
  now: number
  hours: number
  /** How far back it begins, for devices whose clock is behind. */
  backHours?: number
  /** It also proves who somebody is that connects. */
  client?: boolean
}
/** A certificate with a new key, for one end of a connection. */
export async function issue(signer: Signer, wanted: Wanted): Promise<Issued> {
  const { title, names, now, hours, backHours = 24, client = false } = wanted
  const keys = await newKeys()
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage
  // Nothing outlives who vouches for it.
  const notAfter = new Date(Math.min(now + hours * HOUR_MS, signer.certificate.notAfter.getTime()))
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${title}`,
    issuer: signer.certificate.subject,
    notBefore: new Date(now - backHours * HOUR_MS),
    notAfter,
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: signer.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(client ? [serverAuth, clientAuth] : [serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map(alternative)),
      await x509.AuthorityKeyIdentifierExtension.create(signer.keys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: pemOf(certificate), key: await keyPem(keys), notAfter }
}
