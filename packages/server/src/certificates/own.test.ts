/** What somebody may bring: a table of chains and keys, and what is said about each that cannot be served. */
import { generateKeyPairSync } from 'node:crypto'
import { KalnetError } from '@kalnet/contracts/errors'
// @peculiar/x509 needs it when it loads.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { DAY_MS, issue, newAuthority, pemOf, readX509, type Signer } from '../core/x509.ts'
import { judge } from './own.ts'

const NOW = new Date('2026-05-01T12:00:00.000Z')
const now = NOW.getTime()

const RSA = (modulusLength: number) => ({
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength,
})
/** Odd ones, made without our own shapes. */
async function odd(options: {
  algorithm?: Parameters<typeof crypto.subtle.generateKey>[0] & { name: string }
  extensions?: x509.Extension[]
}) {
  const algorithm = options.algorithm ?? { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=odd',
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + DAY_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: options.extensions ?? [
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'odd.example.org' }]),
    ],
  })
  const der = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificate: pemOf(certificate), key: x509.PemConverter.encode(der, 'PRIVATE KEY') }
}

describe('[NET-4.own] a certificate that somebody brings', () => {
  let root: Signer
  let other: Signer
  let good: { certificate: string; key: string }
  beforeAll(async () => {
    root = await newAuthority('Root', now, 100)
    other = await newAuthority('Other', now, 100)
    good = await issue(root, {
      title: 'photos',
      names: ['Photos.example.org', '*.b.example.org'],
      now,
      hours: 48,
    })
  })

  it('is put in order, whatever the order was', () => {
    const brought = judge(`${pemOf(root.certificate)}some words\n${good.certificate}`, good.key, NOW)
    expect(brought.names).toEqual(['photos.example.org', '*.b.example.org'])
    expect(brought.facts).toMatchObject({ keyType: 'ECDSA P-256', notAfter: '2026-05-03T12:00:00.000Z' })
    expect(brought.facts.issuer).toMatch(/^Root /)
    expect(readX509(brought.facts.chain).subject).toBe('CN=photos')
    expect(brought.facts.chain.match(/BEGIN/g)).toHaveLength(2)
  })
  it('RSA of 2048 bits is fine, and so is a key in its old form', async () => {
    const rsa = await odd({ algorithm: RSA(2048) })
    expect(judge(rsa.certificate, rsa.key, NOW).facts.keyType).toBe('RSA 2048')
  })

  const locked = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  }).privateKey
  const cases: [string, () => Promise<{ certificate: string; key: string }>, RegExp][] = [
    ['no certificate', async () => ({ ...good, certificate: 'hello' }), /no certificate in it/],
    [
      'broken',
      async () => ({ ...good, certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }),
      /certificate 1 in it cannot be read/,
    ],
    ['too many', async () => ({ ...good, certificate: good.certificate.repeat(11) }), /more than 10/],
    ['no key', async () => ({ ...good, key: 'hello' }), /the key cannot be read/],
    ['a locked key', async () => ({ ...good, key: locked }), /locked by a password/],
    [
      "another one's key",
      async () => ({ ...good, key: (await issue(root, { title: 'x', names: ['x'], now, hours: 1 })).key }),
      /does not belong to the certificate/,
    ],
    [
      'a strange certificate in the chain',
      async () => ({ ...good, certificate: good.certificate + pemOf(other.certificate) }),
      /^Other \w+ did not sign any certificate of the chain/,
    ],
    [
      'ended',
      () => issue(root, { title: 'x', names: ['x.example'], now: now - 3 * DAY_MS, hours: 24 }),
      /it ended on 2026-04-29/,
    ],
    [
      'not begun',
      () => issue(root, { title: 'x', names: ['x.example'], now: now + 3 * DAY_MS, hours: 24 }),
      /it begins on 2026-05-03 only/,
    ],
    ['no names', () => odd({ extensions: [] }), /made out to no name/],
    [
      'an authority',
      () =>
        odd({
          extensions: [
            new x509.BasicConstraintsExtension(true, 0, true),
            new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'odd.example.org' }]),
          ],
        }),
      /of an authority, not of a server/,
    ],
    [
      'for clients only',
      () =>
        odd({
          extensions: [
            new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
            new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'odd.example.org' }]),
          ],
        }),
      /not made for servers/,
    ],
    ['a weak key', () => odd({ algorithm: RSA(1024) }), /RSA key has 1024 bits; 2048 is the least/],
    [
      'a kind nobody takes',
      () => odd({ algorithm: { name: 'Ed25519' } }),
      /do not take a key of the kind ed25519/,
    ],
  ]
  it.each(cases)('%s is refused', async (_, make, words) => {
    const { certificate, key } = await make()
    let problem: KalnetError | null = null
    try {
      judge(certificate, key, NOW)
    } catch (error) {
      if (error instanceof KalnetError) problem = error
    }
    expect(problem?.code).toBe('certificate.invalid')
    expect(problem?.details.problem).toMatch(words)
    expect(JSON.stringify(problem?.details)).not.toContain('PRIVATE')
  })

  it('whatever text comes, it is refused in words', () => {
    const block = fc
      .base64String({ maxLength: 400 })
      .map((text) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`)
    const text = fc.oneof(fc.string(), block, fc.constant(good.certificate))
    const key = fc.oneof(fc.string(), fc.constant(good.key.replace('A', 'B')))
    fc.assert(
      fc.property(text, key, (certificate, secret) => {
        try {
          judge(certificate, secret, NOW)
        } catch (error) {
          return error instanceof KalnetError && error.code === 'certificate.invalid'
        }
        return false
      }),
    )
  })
})
