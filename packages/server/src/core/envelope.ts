/** AES-256-GCM envelopes: each secret under a key of its own, that key under the master key, both bound to whose and which it is. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

const FORM = 'k1'
const ALGORITHM = 'aes-256-gcm'
const NONCE = 12
const TAG = 16

function lock(key: Buffer, text: Buffer, about: string): Buffer {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(about))
  const body = Buffer.concat([cipher.update(text), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body])
}

function unlock(key: Buffer, locked: Buffer, about: string): Buffer {
  const decipher = createDecipheriv(ALGORITHM, key, locked.subarray(0, NONCE), { authTagLength: TAG })
  decipher.setAAD(Buffer.from(about)).setAuthTag(locked.subarray(NONCE, NONCE + TAG))
  return Buffer.concat([decipher.update(locked.subarray(NONCE + TAG)), decipher.final()])
}

/** Which master key closed it: the first 8 bytes of the SHA-256 of the key's own hash, so that a wrong key is named as such. */
export const keyId = (master: Buffer) =>
  createHash('sha256').update('kalnet master key').update(master).digest('hex').slice(0, 16)

/** `k1.<key id>.<locked data key>.<locked secret>`; it opens only with the same `about`. */
export function seal(master: Buffer, secret: string, about: string): string {
  const key = randomBytes(32)
  const parts = [lock(master, key, about), lock(key, Buffer.from(secret, 'utf8'), about)]
  return [FORM, keyId(master), ...parts.map((part) => part.toString('base64url'))].join('.')
}

/** Throws when it was made by another key, for something else, or was changed. */
export function unseal(master: Buffer, envelope: string, about: string): string {
  const [form, id, lockedKey = '', locked = ''] = envelope.split('.')
  if (form !== FORM) throw new Error('This secret was sealed by a newer release.')
  if (id !== keyId(master)) throw new Error('This secret was sealed with another master key.')
  const key = unlock(master, Buffer.from(lockedKey, 'base64url'), about)
  return unlock(key, Buffer.from(locked, 'base64url'), about).toString('utf8')
}
