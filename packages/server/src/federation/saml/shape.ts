/** What an answer must look like before anybody checks its signatures: where each element and each signature may stand, and made of what. */
import { refuse } from '../vouched.ts'
import { attributeOf, childrenOf, elementsIn, isElement, NS, named, only, textOf } from './document.ts'

export interface Expected {
  /** Our address that answers are posted to. */
  acsUrl: string
  /** Our entity id. */
  audience: string
  /** The provider's entity id. */
  issuer: string
  /** The id of the request this browser was sent with. */
  requestId: string
  /** ms since 1970. */
  now: number
}

const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success'
/** SHA-256 and better with RSA. HMAC is not among them: its "key" would be the provider's public one. */
const SIGNATURES = new Set([
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
])
const DIGESTS = new Set([
  'http://www.w3.org/2001/04/xmlenc#sha256',
  'http://www.w3.org/2001/04/xmlenc#sha512',
])
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'

/** The request that this claims to answer: unchecked, only to find which it was. */
export function requestIdOf(root: Element): string {
  if (!isElement(root, NS.protocol, 'Response')) throw refuse('not a Response')
  const id = attributeOf(root, 'InResponseTo')
  if (!id) throw refuse('InResponseTo is missing')
  return id
}

export function checkShape(root: Element, expected: Expected): void {
  if (!isElement(root, NS.protocol, 'Response')) throw refuse('not a Response')
  if (attributeOf(root, 'Version') !== '2.0') throw refuse('version')
  if (attributeOf(root, 'InResponseTo') !== expected.requestId) throw refuse('InResponseTo')
  if (attributeOf(root, 'Destination') !== expected.acsUrl) throw refuse('destination')
  if (textOf(only(root, NS.assertion, 'Issuer')) !== expected.issuer) throw refuse('issuer')
  const status = only(only(root, NS.protocol, 'Status'), NS.protocol, 'StatusCode')
  if (attributeOf(status, 'Value') !== SUCCESS) throw refuse('the provider says no', 'provider.refused')

  // One assertion in the whole document, and it stands directly in the answer: wrapping needs another place or a second one.
  if (named(root, 'EncryptedAssertion').length > 0) throw refuse('an encrypted assertion')
  if (named(root, 'Response').length !== 1) throw refuse('two answers')
  if (named(root, 'Assertion').length !== 1) throw refuse('not one assertion')
  const assertion = only(root, NS.assertion, 'Assertion')
  const order = elementsIn(root).map((it) => it.localName)
  if (order.join(' ') !== 'Issuer Signature Status Assertion') throw refuse('elements of the answer')

  // Two signatures, each directly in what it signs, right behind its issuer.
  if (named(root, 'Signature').length !== 2) throw refuse('not two signatures')
  for (const signed of [root, assertion]) {
    const [first, second] = elementsIn(signed)
    if (!first || !isElement(first, NS.assertion, 'Issuer')) throw refuse('issuer')
    if (!second || !isElement(second, NS.signature, 'Signature')) throw refuse('not signed')
    checkSignature(second, signed)
  }
}

function checkSignature(signature: Element, signed: Element): void {
  const parts = elementsIn(signature).map((it) => it.localName)
  if (!['SignedInfo SignatureValue', 'SignedInfo SignatureValue KeyInfo'].includes(parts.join(' ')))
    throw refuse('elements of a signature')
  const info = only(signature, NS.signature, 'SignedInfo')
  const algorithm = (name: string, of: Element) =>
    attributeOf(only(of, NS.signature, name), 'Algorithm') ?? ''
  if (!SIGNATURES.has(algorithm('SignatureMethod', info))) throw refuse('the algorithm of a signature')
  if (algorithm('CanonicalizationMethod', info) !== EXCLUSIVE) throw refuse('canonicalisation')
  const reference = only(info, NS.signature, 'Reference')
  if (!DIGESTS.has(algorithm('DigestMethod', reference))) throw refuse('the digest of a signature')
  const id = attributeOf(signed, 'ID')
  if (!id || !/^[A-Za-z_][\w.-]{0,200}$/.test(id)) throw refuse('id')
  if (attributeOf(reference, 'URI') !== `#${id}`) throw refuse('what a signature refers to')
  const transforms = childrenOf(only(reference, NS.signature, 'Transforms'), NS.signature, 'Transform')
  if (transforms.map((it) => attributeOf(it, 'Algorithm')).join(' ') !== `${ENVELOPED} ${EXCLUSIVE}`)
    throw refuse('transforms')
}
