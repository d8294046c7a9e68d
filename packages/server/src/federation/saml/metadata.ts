/** A provider's SAML metadata: who it is, where it is asked, and which keys it signs with. */
import { X509Certificate } from 'node:crypto'
import { fail, KalnetError } from '@kalnet/contracts/errors'
import type { SamlFacts } from '@kalnet/contracts/federation'
import { issuerUrl } from '../openid/configuration.ts'
import type { SamlSettings } from '../store.ts'
import { reasonOf, refuse } from '../vouched.ts'
import { attributeOf, childrenOf, isElement, NS, named, only, parseStrictly } from './document.ts'

const REDIRECT = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
const BITS = 2048
const KEYS = 10

export type SamlIdentity = Pick<SamlSettings, 'entityId' | 'signInUrl' | 'certificates'>

export async function readMetadata(text: string): Promise<SamlIdentity> {
  try {
    return await read(text)
  } catch (error) {
    if (error instanceof KalnetError) throw fail('provider.metadata', { problem: reasonOf(error) }, error)
    throw error
  }
}

async function read(text: string): Promise<SamlIdentity> {
  // Metadata is written by people: comments may stand in it. Nothing else that begins so.
  const root = await parseStrictly(text.replace(/<!--[\s\S]*?-->/g, ''))
  const entities = named(root, 'EntityDescriptor').filter(
    (it) =>
      isElement(it, NS.metadata, 'EntityDescriptor') &&
      childrenOf(it, NS.metadata, 'IDPSSODescriptor').length > 0,
  )
  const [entity] = entities
  if (!entity || entities.length > 1) throw refuse(`it describes ${entities.length} identity providers`)
  const entityId = attributeOf(entity, 'entityID')?.trim()
  if (!entityId) throw refuse('it has no entityID')
  const descriptor = only(entity, NS.metadata, 'IDPSSODescriptor')
  const service = childrenOf(descriptor, NS.metadata, 'SingleSignOnService').find(
    (it) => attributeOf(it, 'Binding') === REDIRECT,
  )
  const signInUrl = service ? attributeOf(service, 'Location') : null
  if (!signInUrl || !URL.canParse(signInUrl)) throw refuse('it names no address for signing in by redirect')
  issuerUrl(signInUrl)
  const certificates = childrenOf(descriptor, NS.metadata, 'KeyDescriptor')
    .filter((it) => (attributeOf(it, 'use') ?? 'signing') === 'signing')
    .flatMap((it) => named(it, 'X509Certificate'))
    .map((it) => (it.textContent ?? '').replace(/\s/g, ''))
  if (certificates.length === 0 || certificates.length > KEYS)
    throw refuse('it has no certificate for signing')
  for (const certificate of certificates) assertStrong(certificate)
  return { entityId, signInUrl, certificates: [...new Set(certificates)] }
}

const certificateOf = (base64: string) => new X509Certificate(Buffer.from(base64, 'base64'))
function assertStrong(base64: string): void {
  let key: X509Certificate['publicKey']
  try {
    key = certificateOf(base64).publicKey
  } catch {
    throw refuse('a certificate in it cannot be read')
  }
  if (key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < BITS)
    throw refuse(`a key in it is not RSA of ${BITS} bits or more`)
}

/** For people: which keys, until when. */
export function factsOf(settings: SamlIdentity, now: Date): SamlFacts {
  return {
    entityId: settings.entityId,
    signInUrl: settings.signInUrl,
    certificates: settings.certificates.map((it) => {
      const certificate = certificateOf(it)
      const expiresAt = new Date(certificate.validTo)
      return {
        subject: certificate.subject.replaceAll('\n', ', '),
        fingerprint: certificate.fingerprint256,
        expiresAt: expiresAt.toISOString(),
        expired: expiresAt < now,
      }
    }),
  }
}
