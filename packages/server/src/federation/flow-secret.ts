/** The one secret of a way to a provider and back: only the browser's cookie has it; all else is made from it, and only hashes are stored. */
import { createHash, createHmac, randomBytes } from 'node:crypto'

export const FLOW_MS = 10 * 60_000
/** Lax: it must come along when the provider sends the browser back by a link, which the cookie of a sign-in does not. */
const NAME = 'kalnet-flow'
const nameOf = (secure: boolean) => (secure ? `__Host-${NAME}` : NAME)
const attributes = (secure: boolean) => `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`

export const newFlowSecret = () => randomBytes(32).toString('base64url')
export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const made = (secret: string, word: string) => createHmac('sha256', secret).update(word).digest()

/** Each is 256 bits, and none tells another. */
export const fromSecret = (secret: string) => ({
  hash: sha256(secret),
  state: made(secret, 'state').toString('base64url'),
  nonce: made(secret, 'nonce').toString('base64url'),
  verifier: made(secret, 'verifier').toString('base64url'),
  /** An NCName, as XML ids must be. */
  requestId: `_${made(secret, 'request').toString('hex')}`,
})
export type FlowParts = ReturnType<typeof fromSecret>

export const setFlowCookie = (secret: string, secure: boolean) =>
  `${nameOf(secure)}=${secret}; Max-Age=${FLOW_MS / 1000}; ${attributes(secure)}`
export const clearFlowCookie = (secure: boolean) => `${nameOf(secure)}=; Max-Age=0; ${attributes(secure)}`

export function flowSecretIn(header: string, secure: boolean): string | null {
  const start = `${nameOf(secure)}=`
  for (const pair of header.split(';')) {
    const text = pair.trim()
    if (text.startsWith(start) && /^[\w-]{43}$/.test(text.slice(start.length)))
      return text.slice(start.length)
  }
  return null
}
