/** Secrets at rest: sealed by the master key, which is a file and never in the database nor in a backup. */
import { randomBytes } from 'node:crypto'
import { chmod, link, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, stamp } from '@kalnet/io/clock'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import { v7 as newId } from 'uuid'
import { keyId, seal, unseal } from './envelope.ts'
import { statements } from './secrets.store.ts'
import type { Store, Tx } from './store.ts'

export interface Secrets {
  /** `organisationId` null: the installation's own (needs a kalnet_system transaction). Twice replaces. */
  put(tx: Tx, organisationId: string | null, name: string, secret: string): Promise<void>
  get(tx: Tx, organisationId: string | null, name: string): Promise<string | null>
  drop(tx: Tx, organisationId: string | null, name: string): Promise<void>
}

export const masterKeyFile = (configFolder: string, env: NodeJS.ProcessEnv) =>
  env.KALNET_MASTER_KEY_FILE ?? join(configFolder, 'master.key')

async function readKey(path: string): Promise<Buffer | null> {
  const text = await readIfThere(path)
  if (text === null) return null
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length !== 32)
    throw new Error(
      `The master key in ${path} is damaged: it must be 32 bytes in base64. Bring back your copy of it.`,
    )
  const { mode } = await stat(path)
  if (mode & 0o077) await chmod(path, 0o400)
  return key
}

/**
 * The key, made at the first start (0400). Refuses to make one while secrets exist that it could not open, and refuses a key that
 * is not the one they were sealed with.
 */
export async function loadMasterKey(options: {
  configFolder: string
  env: NodeJS.ProcessEnv
  store: Store
}): Promise<Buffer> {
  const { configFolder, env, store } = options
  const path = masterKeyFile(configFolder, env)
  const { rows } = await store.system.read((tx) => statements.any().execute(tx))
  const sealedBy = rows[0]?.envelope.split('.')[1] ?? null
  // A change of the key that was committed and then cut off: the new key takes its place now.
  const next = await readKey(nextKeyFile(path))
  if (next && sealedBy === keyId(next)) await putInPlace(path)
  const existing = await readKey(path)
  if (existing && (sealedBy === null || sealedBy === keyId(existing))) return existing
  if (existing)
    throw new Error(
      `The master key in ${path} is not the one that the secrets were sealed with. Bring back the right one.`,
    )
  if (sealedBy !== null)
    throw new Error(
      `The master key ${path} is missing, and there are secrets that need it. Bring back your copy, or name it: KALNET_MASTER_KEY_FILE.`,
    )
  // Made beside and linked: two starters at the same moment end with one key.
  const beside = `${path}.${randomBytes(6).toString('hex')}`
  await writeWhole(beside, `${randomBytes(32).toString('base64')}\n`, 0o400)
  try {
    await link(beside, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(beside, { force: true })
  }
  return Buffer.from((await readFile(path, 'utf8')).trim(), 'base64')
}

export const nextKeyFile = (path: string) => `${path}.next`

/** The new key becomes the key; the old one stays beside it, for backups made before. Twice gives the same. */
export async function putInPlace(path: string): Promise<string> {
  const old = await readKey(path)
  const kept = old ? `${path}.before-${keyId(old)}` : ''
  if (old)
    await link(path, kept).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  await rename(nextKeyFile(path), path)
  return kept
}

/** The master key in use, and the one before it for whoever read an envelope just before it was sealed anew. */
export interface KeyRing {
  current(): Buffer
  byId(id: string): Buffer | null
  use(next: Buffer): void
}
export function createKeyRing(masterKey: Buffer): KeyRing {
  let current = masterKey
  const known = new Map([[keyId(masterKey), masterKey]])
  return {
    current: () => current,
    byId: (id) => known.get(id) ?? null,
    use(next) {
      known.set(keyId(next), next)
      current = next
    },
  }
}

export const about = (organisationId: string | null, name: string) => JSON.stringify([organisationId, name])

export function createSecrets({ masterKey, clock }: { masterKey: Buffer | KeyRing; clock: Clock }): Secrets {
  const ring = Buffer.isBuffer(masterKey) ? createKeyRing(masterKey) : masterKey
  return {
    async put(tx, organisationId, name, secret) {
      // Waits for a change of the master key, and then takes the new one.
      await statements.lockForWriting().execute(tx)
      const envelope = seal(ring.current(), secret, about(organisationId, name))
      await statements.put({ id: newId(), organisationId, name, envelope, at: stamp(clock) }).execute(tx)
    },
    async get(tx, organisationId, name) {
      const row = (await statements.get({ organisationId, name }).execute(tx)).rows[0]
      if (!row) return null
      const key = ring.byId(row.envelope.split('.')[1] ?? '') ?? ring.current()
      return unseal(key, row.envelope, about(organisationId, name))
    },
    async drop(tx, organisationId, name) {
      await statements.drop({ organisationId, name }).execute(tx)
    },
  }
}
