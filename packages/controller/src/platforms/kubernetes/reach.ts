/** Why a cluster was not reached, in words that say what to look at. Codes of Node's sockets, names and TLS. */
import { PlatformAway } from '../away.ts'
import { problemInWords } from '../reasons.ts'

const WORDS: Record<string, (at: string) => string> = {
  ECONNREFUSED: (at) => `nobody listens at ${at}`,
  ENOTFOUND: (at) => `the name of ${at} is not known`,
  EAI_AGAIN: (at) => `the name of ${at} cannot be looked up now`,
  EHOSTUNREACH: (at) => `no way leads to ${at}`,
  ENETUNREACH: (at) => `no way leads to ${at}`,
  ETIMEDOUT: (at) => `${at} does not answer`,
  ECONNRESET: (at) => `${at} broke the connection off`,
  EPIPE: (at) => `${at} broke the connection off`,
  EPROTO: (at) => `${at} does not speak TLS`,
  ERR_SSL_WRONG_VERSION_NUMBER: (at) => `${at} does not speak TLS`,
  CERT_HAS_EXPIRED: (at) => `the certificate of ${at} is over`,
  ERR_TLS_CERT_ALTNAME_INVALID: (at) => `the certificate of ${at} is for other names`,
}
/** Signed by somebody whom we do not know. */
const UNKNOWN = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
  'CERT_SIGNATURE_FAILURE',
])

function reachInWords(error: unknown, url: string, hasAuthority: boolean): string {
  const { code = '' } = error as NodeJS.ErrnoException
  const at = URL.canParse(url) ? new URL(url).host : url
  if (UNKNOWN.has(code))
    return hasAuthority
      ? `the certificate of ${at} is not of the authority that the kubeconfig names (certificate-authority)`
      : `the certificate of ${at} is of an authority that is not known here: the kubeconfig must name it (certificate-authority)`
  if (code.startsWith('ERR_OSSL')) return 'the certificates or keys of the kubeconfig are none'
  return WORDS[code]?.(at) ?? problemInWords(error)
}

/** An answer that never came. What was stopped by ourselves stays what it is. */
export function notReached(error: unknown, url: string, hasAuthority: boolean): unknown {
  if (error instanceof PlatformAway || (error instanceof Error && error.name === 'AbortError')) return error
  return new PlatformAway(reachInWords(error, url, hasAuthority), { cause: error })
}
