/** What somebody brings: a chain and its key in PEM, put in order and judged before it is kept. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { fail } from '@kalnet/contracts/errors'
import { fingerprintOf, namesOf, readX509 } from '../core/x509.ts'
import type { Facts } from './store.ts'

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g
/** Longer chains than this exist nowhere. */
const MOST_CHAIN = 10
/** RSA keys that nobody accepts any more (CA/Browser Forum, baseline requirements §6.1.5). */
const LEAST_RSA_BITS = 2048
const NAMES: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

const invalid = (problem: string) => fail('certificate.invalid', { problem })

function blocksOf(text: string): X509Certificate[] {
  const blocks = text.match(BLOCK) ?? []
  if (blocks.length === 0) throw invalid('there is no certificate in it (PEM)')
  if (blocks.length > MOST_CHAIN) throw invalid(`there are more than ${MOST_CHAIN} certificates in it`)
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch {
      throw invalid(`certificate ${index + 1} in it cannot be read`)
    }
  })
}

function readKey(text: string): KeyObject {
  if (/ENCRYPTED/.test(text)) throw invalid('the key is locked by a password; take that off first')
  try {
    return createPrivateKey(text)
  } catch {
    throw invalid('the key cannot be read (PEM)')
  }
}

export function keyTypeOf(certificate: X509Certificate): string {
  const key = certificate.publicKey
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if ((modulusLength ?? 0) < LEAST_RSA_BITS)
        throw invalid(`its RSA key has ${modulusLength} bits; ${LEAST_RSA_BITS} is the least`)
      return `RSA ${modulusLength}`
    case 'ec': {
      const curve = NAMES[namedCurve ?? '']
      if (!curve) throw invalid(`browsers do not know the curve ${namedCurve} of its key`)
      return `ECDSA ${curve}`
    }
    default:
      throw invalid(`browsers do not take a key of the kind ${key.asymmetricKeyType}`)
  }
}

/** The one the key belongs to first, each followed by who signed it; what belongs to none is refused. */
function ordered(all: X509Certificate[], key: KeyObject): X509Certificate[] {
  const first = all.find((it) => it.checkPrivateKey(key))
  if (!first) throw invalid('the key does not belong to the certificate')
  const chain = [first]
  const left = all.filter((it) => it.fingerprint256 !== first.fingerprint256)
  for (let last = first; left.length > 0; ) {
    const index = left.findIndex((it) => last.checkIssued(it) && last.verify(it.publicKey))
    const next = left[index]
    if (!next) throw invalid(`${subjectOf(left[0])} did not sign any certificate of the chain`)
    left.splice(index, 1)
    if (!next.ca) throw invalid(`${subjectOf(next)} may not sign others, and has`)
    chain.push(next)
    last = next
  }
  return chain
}
const subjectOf = (certificate: X509Certificate | undefined) =>
  certificate?.subject.split('\n').at(-1)?.replace(/^\w+=/, '') || 'a certificate'

/** `CN=…` and `O=…` of who signed it, as people know it. */
const issuerName = (certificate: X509Certificate): string => {
  const parts = new Map(
    certificate.issuer.split('\n').map((line) => {
      const at = line.indexOf('=')
      return [line.slice(0, at), line.slice(at + 1)] as const
    }),
  )
  return [parts.get('O'), parts.get('CN')].filter(Boolean).join(', ') || certificate.issuer
}

export interface Brought {
  names: string[]
  key: string
  facts: Facts
}

/** Throws certificate.invalid with what is wrong, in words. */
export function judge(certificates: string, keyText: string, now: Date): Brought {
  const key = readKey(keyText)
  const chain = ordered(blocksOf(certificates), key)
  const [leaf] = chain
  if (!leaf) throw invalid('there is no certificate in it (PEM)')
  const pem = leaf.toString()
  const names = namesOf(readX509(pem)).map((name) => name.toLowerCase())
  if (names.length === 0) throw invalid('it is made out to no name (subject alternative names)')
  const keyType = keyTypeOf(leaf)
  for (const it of chain) {
    const { validFromDate: from, validToDate: to } = it
    const who = it === leaf ? 'it' : subjectOf(it)
    if (now >= to) throw invalid(`${who} ended on ${to.toISOString().slice(0, 10)}`)
    if (now < from) throw invalid(`${who} begins on ${from.toISOString().slice(0, 10)} only`)
  }
  if (leaf.ca) throw invalid('it is the certificate of an authority, not of a server')
  if (leaf.keyUsage && !leaf.keyUsage.includes('1.3.6.1.5.5.7.3.1'))
    throw invalid('it is not made for servers (extended key usage)')
  return {
    names,
    key: String(key.export({ type: 'pkcs8', format: 'pem' })),
    facts: {
      chain: chain.map((it) => it.toString()).join(''),
      issuer: issuerName(leaf),
      serial: leaf.serialNumber,
      fingerprint: fingerprintOf(pem),
      keyType,
      notBefore: leaf.validFromDate.toISOString(),
      notAfter: leaf.validToDate.toISOString(),
    },
  }
}
