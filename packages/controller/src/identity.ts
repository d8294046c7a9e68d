/** Who this controller is: an Ed25519 key made here that never leaves, and the id it was enrolled under. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { join } from 'node:path'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import type { Folders } from '@kalnet/io/folders'
import { z } from 'zod'

const saved = z.object({
  /** PKCS #8, PEM. */
  privateKey: z.string(),
  /** null until the control plane has answered. */
  controllerId: z.string().nullable(),
  url: z.string().nullable(),
})
type Saved = z.infer<typeof saved>

export interface Identity {
  controllerId: string | null
  /** Raw, base64 (RFC 8032, 32 bytes). */
  publicKey: string
  /** base64 */
  sign(text: string): string
  /** Remembers what the control plane calls us. */
  enrolled(controllerId: string, url: string): Promise<void>
}

const rawPublicKey = (key: KeyObject): string => {
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  return Buffer.from(x ?? '', 'base64url').toString('base64')
}

/** Reads the identity, or makes and keeps a new key. */
export async function openIdentity(folders: Folders): Promise<Identity> {
  const file = join(folders.data, 'controller', 'identity.json')
  const text = await readIfThere(file)
  let content: Saved
  if (text !== null) content = saved.parse(JSON.parse(text))
  else {
    const { privateKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    content = { privateKey: pem, controllerId: null, url: null }
    await writeWhole(file, JSON.stringify(content))
  }
  const key = createPrivateKey(content.privateKey)
  return {
    get controllerId() {
      return content.controllerId
    },
    publicKey: rawPublicKey(key),
    sign: (message) => sign(null, Buffer.from(message), key).toString('base64'),
    async enrolled(controllerId, url) {
      content = { ...content, controllerId, url }
      await writeWhole(file, JSON.stringify(content))
    },
  }
}
