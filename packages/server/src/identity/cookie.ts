/** The cookie of a sign-in: 256 random bits, only their SHA-256 is stored. */
import { createHash, randomBytes } from 'node:crypto'

/** `__Host-` needs https (RFC 6265bis §4.1.3.2); plain http is loopback only, where its plain name is used. */
export const cookieName = (secure: boolean) => (secure ? '__Host-kalnet' : 'kalnet')

export const newSecret = () => randomBytes(32).toString('base64url')
export const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex')

/** The hash of the secret that a Cookie header carries, null without a well-formed one. */
export function hashInCookie(header: string, secure: boolean): string | null {
  const name = `${cookieName(secure)}=`
  for (const pair of header.split(';')) {
    const text = pair.trim()
    if (!text.startsWith(name)) continue
    const secret = text.slice(name.length)
    if (/^[\w-]{43}$/.test(secret)) return hashOf(secret)
  }
  return null
}

const attributes = (secure: boolean) => `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
export const setCookie = (secret: string, secure: boolean, maxAgeMs: number) =>
  `${cookieName(secure)}=${secret}; Max-Age=${Math.floor(maxAgeMs / 1000)}; ${attributes(secure)}`
export const clearCookie = (secure: boolean) => `${cookieName(secure)}=; Max-Age=0; ${attributes(secure)}`
