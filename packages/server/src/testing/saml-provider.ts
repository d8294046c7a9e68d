/** For tests: a SAML identity provider as far as its documents go: keys, metadata, answers of every kind, signed as told. */
import 'reflect-metadata'
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import * as x509 from '@peculiar/x509'
import { SignedXml } from 'xml-crypto'

export interface Keys {
  privateKey: KeyObject
  /** DER in base64. */
  certificate: string
}
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
}

export async function makeKeys(bits = 2048): Promise<Keys> {
  const keys = await crypto.subtle.generateKey({ ...RSA, modulusLength: bits }, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: '01',
      name: 'CN=Test provider',
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: new Date(Date.now() + 86_400_000 * 365),
      signingAlgorithm: RSA,
      keys,
    },
    crypto,
  )
  const der = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    privateKey: createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }),
    certificate: Buffer.from(certificate.rawData).toString('base64'),
  }
}
export const pemOf = (certificate: string) =>
  `-----BEGIN CERTIFICATE-----\n${certificate.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`

export const ENTITY = 'https://idp.example/saml'
export const SIGN_IN = 'https://idp.example/sso'
export const metadataOf = (keys: Keys, entity = ENTITY) => `<?xml version="1.0"?>
<!-- made by the test -->
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entity}">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>
${keys.certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${SIGN_IN}"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>`

/** What the browser was sent with. */
export function requestIn(location: string): { id: string; xml: string } {
  const text = new URL(location).searchParams.get('SAMLRequest') ?? ''
  const xml = inflateRawSync(Buffer.from(text, 'base64')).toString('utf8')
  return { id: / ID="([^"]+)"/.exec(xml)?.[1] ?? '', xml }
}

export interface Answer {
  /** Ours: where it is posted to and our entity id. */
  acsUrl: string
  audience: string
  requestId: string
  nameId?: string
  nameIdFormat?: string
  email?: string
  groups?: string[]
  issuer?: string
  responseIssuer?: string
  destination?: string
  recipient?: string
  /** '' leaves the attribute out. */
  inResponseTo?: string
  subjectInResponseTo?: string
  notBefore?: number
  notOnOrAfter?: number
  subjectNotOnOrAfter?: number | null
  assertionId?: string
  responseId?: string
  status?: string
  method?: string
  context?: string
  /** Instead of the one condition. */
  conditions?: string
}
const at = (ms: number) => new Date(Date.now() + ms).toISOString()
let made = 0
const attribute = (name: string, value: string) => (value === '' ? '' : ` ${name}="${value}"`)

/** An answer without signatures: `%assertion%` and `%response%` mark where they go. */
export function answerXml(it: Answer): string {
  made += 1
  const entity = it.issuer ?? ENTITY
  const until =
    it.subjectNotOnOrAfter === null ? '' : attribute('NotOnOrAfter', at(it.subjectNotOnOrAfter ?? 120_000))
  const groups = (it.groups ?? [])
    .map((group) => `<saml:AttributeValue>${group}</saml:AttributeValue>`)
    .join('')
  const email = it.email ?? `s${made}@example.net`
  return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${it.responseId ?? `_r${made}`}" Version="2.0" IssueInstant="${at(0)}"${attribute('Destination', it.destination ?? it.acsUrl)}${attribute('InResponseTo', it.inResponseTo ?? it.requestId)}><saml:Issuer>${it.responseIssuer ?? entity}</saml:Issuer>%response%<samlp:Status><samlp:StatusCode Value="${it.status ?? 'urn:oasis:names:tc:SAML:2.0:status:Success'}"/></samlp:Status><saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${it.assertionId ?? `_a${made}`}" Version="2.0" IssueInstant="${at(0)}"><saml:Issuer>${entity}</saml:Issuer>%assertion%<saml:Subject><saml:NameID Format="${it.nameIdFormat ?? 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'}">${it.nameId ?? `name-${made}`}</saml:NameID><saml:SubjectConfirmation Method="${it.method ?? 'urn:oasis:names:tc:SAML:2.0:cm:bearer'}"><saml:SubjectConfirmationData${attribute('Recipient', it.recipient ?? it.acsUrl)}${attribute('InResponseTo', it.subjectInResponseTo ?? it.requestId)}${until}/></saml:SubjectConfirmation></saml:Subject>${it.conditions ?? `<saml:Conditions NotBefore="${at(it.notBefore ?? -5_000)}" NotOnOrAfter="${at(it.notOnOrAfter ?? 120_000)}"><saml:AudienceRestriction><saml:Audience>${it.audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`}<saml:AuthnStatement AuthnInstant="${at(0)}" SessionIndex="s${made}"><saml:AuthnContext><saml:AuthnContextClassRef>${it.context ?? 'urn:oasis:names:tc:SAML:2.0:ac:classes:Password'}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="email"><saml:AttributeValue>${email}</saml:AttributeValue></saml:Attribute><saml:Attribute Name="displayName"><saml:AttributeValue>Somebody ${made}</saml:AttributeValue></saml:Attribute><saml:Attribute Name="groups">${groups}</saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>`
}

export interface How {
  keys: Keys
  algorithm?: string
  digest?: string
  canonicalization?: string
  transforms?: string[]
  /** What stands in KeyInfo: another certificate's text. */
  keyInfo?: string
  /** HMAC with this as the key. */
  hmac?: string
  /** Id the reference names; default that of the signed element. */
  reference?: string
}
const DS = 'http://www.w3.org/2000/09/xmldsig#'
export const SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
export const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
export const ENVELOPED = `${DS}enveloped-signature`

/** Puts the signature of the element where its mark is. */
export function signAt(xml: string, mark: '%assertion%' | '%response%', how: How): string {
  const name = mark === '%assertion%' ? 'Assertion' : 'Response'
  const path = `//*[local-name(.)='${name}']`
  const bare = xml.replace(mark, '')
  const signer = new SignedXml({
    privateKey: how.hmac ?? how.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    signatureAlgorithm: how.algorithm ?? SHA256,
    canonicalizationAlgorithm: how.canonicalization ?? EXCLUSIVE,
    getKeyInfoContent: () =>
      how.keyInfo === undefined
        ? ''
        : `<ds:X509Data><ds:X509Certificate>${how.keyInfo}</ds:X509Certificate></ds:X509Data>`,
  } as ConstructorParameters<typeof SignedXml>[0])
  if (how.hmac !== undefined) signer.enableHMAC()
  signer.addReference({
    xpath: path,
    transforms: how.transforms ?? [ENVELOPED, EXCLUSIVE],
    digestAlgorithm: how.digest ?? 'http://www.w3.org/2001/04/xmlenc#sha256',
  })
  signer.computeSignature(bare, {
    prefix: 'ds',
    location: { reference: `${path}/*[local-name(.)='Issuer']`, action: 'after' },
  })
  return signer.getSignedXml()
}
/** Assertion first, then the whole: as providers do. */
export function signBoth(xml: string, how: How): string {
  const first = signAt(xml.replace('%response%', ''), '%assertion%', how)
  return signAt(first, '%response%', how)
}
