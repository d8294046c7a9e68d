/** A new master key: every secret sealed anew in one transaction; a crash at any moment leaves the old state or the new one. */
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { keeperRoutes } from '@kalnet/contracts/audit'
import { writeWhole } from '@kalnet/io/files'
import type { Log } from '@kalnet/io/log'
import { type Handler, handle } from './call.ts'
import { keyId, seal, unseal } from './envelope.ts'
import { statements } from './secrets.store.ts'
import { about, type KeyRing, nextKeyFile, putInPlace } from './secrets.ts'
import type { Store } from './store.ts'

export interface RotationOptions {
  store: Store
  ring: KeyRing
  /** The master key's file. */
  path: string
  log: Log
  /** Told at each step, for tests that end the process there. */
  reached?: (step: 'written' | 'sealed' | 'committed') => void
}
export interface Rotated {
  secrets: number
  keyFile: string
  oldKeyFile: string
}

export function createRotation(options: RotationOptions) {
  const { store, ring, path, log, reached = () => undefined } = options

  async function rotate(): Promise<Rotated> {
    const before = ring.current()
    const next = randomBytes(32)
    let swapped = false
    try {
      const secrets = await store.system.transaction(async (tx) => {
        await statements.lockAll().execute(tx)
        const { rows } = await statements.all().execute(tx)
        const foreign = rows.find(({ envelope }) => envelope.split('.')[1] !== keyId(before))
        if (foreign)
          throw new Error('Another server changed the master key. Restart this one with the new key first.')
        // What an attempt that was cut off left behind was never used.
        await rm(nextKeyFile(path), { force: true })
        await writeWhole(nextKeyFile(path), `${next.toString('base64')}\n`, 0o400)
        reached('written')
        const envelopes = rows.map(({ organisation_id, name, envelope }) => {
          const bound = about(organisation_id, name)
          return seal(next, unseal(before, envelope, bound), bound)
        })
        await statements.reseal({ ids: rows.map(({ id }) => id), envelopes }).execute(tx)
        reached('sealed')
        // Whoever waits for the lock takes the new key when this is committed.
        ring.use(next)
        swapped = true
        return rows.length
      })
      reached('committed')
      const oldKeyFile = await putInPlace(path)
      log.info({ secrets, key: keyId(next) }, 'the master key was changed')
      return { secrets, keyFile: path, oldKeyFile }
    } catch (error) {
      // Both stay known, so whichever the database has, it opens.
      if (swapped && !(await sealedWith(next))) ring.use(before)
      throw error
    }
  }
  async function sealedWith(key: Buffer): Promise<boolean> {
    const { rows } = await store.system.read((tx) => statements.any().execute(tx))
    return rows[0]?.envelope.split('.')[1] === keyId(key)
  }

  let running: Promise<Rotated> | null = null
  return {
    /** Two that come at once get one change. */
    rotate(): Promise<Rotated> {
      running ??= rotate().finally(() => {
        running = null
      })
      return running
    },
  }
}

export const routesOfSecrets = (rotation: ReturnType<typeof createRotation>): Handler[] => [
  handle(keeperRoutes.rotateSecrets, async ({ audit }) => {
    const done = await rotation.rotate()
    audit({ secrets: done.secrets })
    return done
  }),
]
