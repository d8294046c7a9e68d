/** What a service key looks like: a short public part to find it by, and 256 random bits of which only the SHA-256 is kept. */
import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { KEY_FORM, KEY_PREFIX } from '@kalnet/contracts/key'

const SIGNS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SMALL = '0123456789abcdefghijklmnopqrstuvwxyz'
/** 43 signs of 62 hold 256 bits; no sign breaks a double click. */
const LENGTH = 43

function newSecretPart(): string {
  let rest = BigInt(`0x${randomBytes(32).toString('hex')}`)
  let text = ''
  while (text.length < LENGTH) {
    text = SIGNS[Number(rest % 62n)] + text
    rest /= 62n
  }
  return text
}
export const newPublicId = () => Array.from({ length: 12 }, () => SMALL[randomInt(SMALL.length)]).join('')

export const hashOfSecret = (secret: string) => createHash('sha256').update(secret).digest('hex')
export const tokenOf = (publicId: string, secret: string) => `${KEY_PREFIX}${publicId}_${secret}`
export function newSecret() {
  const secret = newSecretPart()
  return { secret, hash: hashOfSecret(secret) }
}

export function parseToken(token: string): { publicId: string; secret: string } | null {
  const match = KEY_FORM.exec(token)
  return match ? { publicId: match[1] ?? '', secret: match[2] ?? '' } : null
}

/** In the same time, wherever they differ. */
export function sameHash(stored: string | null, shown: string): boolean {
  if (stored === null) return false
  const [one, other] = [Buffer.from(stored, 'hex'), Buffer.from(shown, 'hex')]
  return one.length === other.length && timingSafeEqual(one, other)
}
