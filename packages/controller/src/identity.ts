/**
 * Who this controller is: an Ed25519 key made here that never leaves, and the id it was enrolled under.
 * While its key is being changed there are two; which one counts, only the control plane knows: the one it lets in.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { join } from 'node:path'
import { keyText } from '@kalnet/contracts/controller'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import type { Folders } from '@kalnet/io/folders'
import { z } from 'zod'

const saved = z.object({
  /** PKCS #8, PEM. */
  privateKey: z.string(),
  /** A new one that the control plane may know already. */
  pending: z.string().nullable().default(null),
  /** null until the control plane has answered. */
  controllerId: z.string().nullable(),
  url: z.string().nullable(),
})
type Saved = z.infer<typeof saved>

export interface Identity {
  controllerId: string | null
  /** Raw, base64 (RFC 8032, 32 bytes). */
  publicKey: string
  /** base64, by the key that is to be tried now. */
  sign(text: string): string
  /** Remembers what the control plane calls us. */
  enrolled(controllerId: string, url: string): Promise<void>
  /** The last signature was refused: true when the other key is worth a try at once. */
  refused(): boolean
  /** The last signature was good: its key is the one, the other is forgotten. */
  proved(): Promise<void>
  /** A new key, on the disk before anybody hears of it, and the proof that we have it. */
  renew(requestId: string): Promise<{ publicKey: string; signature: string }>
  /** The control plane knows the new key, and no other. */
  accepted(requestId: string): Promise<void>
  /** Resolves when nothing is being written any more. */
  idle(): Promise<void>
}

const rawPublicKey = (key: KeyObject): string => {
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  return Buffer.from(x ?? '', 'base64url').toString('base64')
}
const newKey = (): string => {
  const { privateKey } = generateKeyPairSync('ed25519')
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
const signBy = (pem: string, text: string): string =>
  sign(null, Buffer.from(text), createPrivateKey(pem)).toString('base64')

/** Reads the identity, or makes and keeps a new key. `write` is replaced by tests that kill it there. */
export async function openIdentity(folders: Folders, write = writeWhole): Promise<Identity> {
  const file = join(folders.data, 'controller', 'identity.json')
  const text = await readIfThere(file)
  let content: Saved
  let lastUsed: string | null = null
  let refusals = 0
  const answered = new Set<string>()
  let queue: Promise<unknown> = Promise.resolve()

  const keep = async (change: Partial<Saved>) => {
    const next = { ...content, ...change }
    await write(file, JSON.stringify(next), 0o600)
    content = next
  }
  /** One after the other: what one link left is settled before the next one asks. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(work)
    // Whoever asked hears of the failure; the next one goes on.
    queue = done.catch(() => undefined)
    return done
  }

  if (text !== null) content = saved.parse(JSON.parse(text))
  else {
    content = { privateKey: newKey(), pending: null, controllerId: null, url: null }
    await keep({})
  }
  return {
    get controllerId() {
      return content.controllerId
    },
    get publicKey() {
      return rawPublicKey(createPrivateKey(content.privateKey))
    },
    sign(message) {
      // The new one first, then by turns.
      lastUsed = content.pending !== null && refusals % 2 === 0 ? content.pending : content.privateKey
      return signBy(lastUsed, message)
    },
    enrolled: (controllerId, url) => inTurn(() => keep({ controllerId, url })),
    refused() {
      refusals += 1
      return content.pending !== null && refusals === 1
    },
    proved() {
      const key = lastUsed
      refusals = 0
      return inTurn(async () => {
        answered.clear()
        if (content.pending === null || key === null) return
        await keep({ privateKey: key, pending: null })
      })
    },
    renew: (requestId) =>
      inTurn(async () => {
        // One that was told on this link may be known already: it is told again, never replaced.
        const pending = content.pending ?? newKey()
        if (content.pending === null) await keep({ pending })
        answered.add(requestId)
        return {
          publicKey: rawPublicKey(createPrivateKey(pending)),
          signature: signBy(pending, keyText(content.controllerId ?? '', requestId)),
        }
      }),
    accepted: (requestId) =>
      inTurn(async () => {
        if (!answered.has(requestId) || content.pending === null) return
        await keep({ privateKey: content.pending, pending: null })
        answered.clear()
      }),
    idle: async () => void (await queue),
  }
}
