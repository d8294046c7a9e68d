/** Signing in by SAML 2.0: the request, our metadata, and the answer: its shape, then its signatures, then its claims. */
import { generateServiceProviderMetadata, SAML, ValidateInResponseTo } from '@node-saml/node-saml'
import type { SamlRow } from '../store.ts'
import { refuse } from '../vouched.ts'
import { type Asserted, readAssertion } from './assertion.ts'
import { parseStrictly } from './document.ts'
import { checkShape, type Expected } from './shape.ts'

const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
const SKEW_MS = 60_000

/** Our two addresses at one provider; the one of the metadata is our entity id. */
export interface OurAddresses {
  metadataUrl: string
  acsUrl: string
}

function samlFor(provider: SamlRow, ours: OurAddresses, requestId: string, again: boolean): SAML {
  const { settings } = provider
  // The library's memory of requests: exactly the one that this browser was sent with.
  const remembered = new Date().toISOString()
  return new SAML({
    issuer: ours.metadataUrl,
    audience: ours.metadataUrl,
    callbackUrl: ours.acsUrl,
    entryPoint: settings.signInUrl,
    idpIssuer: settings.entityId,
    idpCert: settings.certificates,
    identifierFormat: PERSISTENT,
    disableRequestedAuthnContext: true,
    forceAuthn: again,
    wantAuthnResponseSigned: true,
    wantAssertionsSigned: true,
    acceptedClockSkewMs: SKEW_MS,
    validateInResponseTo: ValidateInResponseTo.always,
    generateUniqueId: () => requestId,
    cacheProvider: {
      saveAsync: async () => null,
      getAsync: async (key) => (key === requestId ? remembered : null),
      removeAsync: async () => null,
    },
  })
}

/** Where the browser goes; `handle` comes back with it and is not looked at: the answer names its request. */
export const beginSaml = (
  provider: SamlRow,
  ours: OurAddresses,
  requestId: string,
  again: boolean,
): Promise<string> => samlFor(provider, ours, requestId, again).getAuthorizeUrlAsync('', undefined, {})

export async function readAnswer(
  provider: SamlRow,
  ours: OurAddresses,
  answer: { xml: string; root: Element },
  expected: Expected,
): Promise<Asserted> {
  checkShape(answer.root, expected)
  const saml = samlFor(provider, ours, expected.requestId, false)
  const checked = await saml
    .validatePostResponseAsync({ SAMLResponse: Buffer.from(answer.xml).toString('base64') })
    .catch((error: unknown) => {
      throw refuse(knownReason(error))
    })
  const verified = checked.profile?.getAssertionXml?.()
  if (checked.loggedOut || !verified) throw refuse('no assertion')
  // From here on only what the signature covers.
  return readAssertion(await parseStrictly(verified), provider.settings, expected)
}

/** The library's sentences may hold what came; only the beginnings that are its own go on. */
const KNOWN = [
  'Invalid document signature',
  'Invalid signature',
  'SAML assertion expired',
  'SAML assertion not yet valid',
  'Unknown SAML issuer',
  'SAML assertion audience mismatch',
  'SAML assertion has no AudienceRestriction',
  'No valid subject confirmation',
  'InResponseTo does not match',
]
const knownReason = (error: unknown) =>
  KNOWN.find((it) => error instanceof Error && error.message.startsWith(it)) ?? 'refused by the library'

export const ourMetadata = (ours: OurAddresses): string =>
  generateServiceProviderMetadata({
    issuer: ours.metadataUrl,
    callbackUrl: ours.acsUrl,
    identifierFormat: PERSISTENT,
    wantAssertionsSigned: true,
  })
