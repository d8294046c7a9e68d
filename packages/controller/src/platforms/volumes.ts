/**
 * Volumes of this machine: folders that outlive instances. Each remembers the user number it belongs to by its owner, so that the
 * next generation gets the same; and by small marks who uses it, so that it is never taken from under somebody.
 */
import { chmod, chown, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fail } from '@kalnet/contracts/errors'
import type { Volume } from '@kalnet/contracts/instance'
import type { Folders } from '@kalnet/io/folders'
import { must, run } from '@kalnet/io/spawn'
import type { MeasuredVolume } from './platform.ts'
import { removeTree } from './remove-tree.ts'

export interface Volumes {
  folderOf(volumeId: string): string
  /** The user number of the first of these that has one of those that `isOurs` takes for instances', else null. */
  ownerOf(volumes: readonly Volume[], isOurs: (uid: number) => boolean): Promise<number | null>
  /** Numbers that volumes have: nobody else may get them. */
  owners(): Promise<number[]>
  /** Makes those that are not there, gives them to the number, and marks them as used. Can be done twice. Throws volume.missing. */
  take(instanceId: string, volumes: readonly Volume[], uid: number | null): Promise<void>
  /** The instance is over. */
  drop(instanceId: string): Promise<void>
  /** `isUser` says whether an instance that has a mark of ours still runs; marks a crash left go. */
  remove(volumeId: string, isUser: (instanceId: string) => Promise<boolean>): Promise<void>
  /** What its files take of the disk; null: it is not there. */
  measure(volumeId: string, signal: AbortSignal): Promise<MeasuredVolume | null>
}

const MEASURE_MS = 300_000

const gone = (error: unknown) => {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  return null
}

/** All platforms of a machine share the folder; `platform` tells their marks apart. */
export function createVolumes(folders: Folders, platform: string): Volumes {
  const all = join(resolve(folders.data), 'volumes')
  const folderOf = (id: string) => join(all, id, 'data')
  const marksOf = (id: string) => join(all, id, 'users')
  const list = async () => (await readdir(all).catch(gone)) ?? []
  const own = async (id: string): Promise<number | null> =>
    (await lstat(folderOf(id)).catch(gone))?.uid ?? null
  const marks = async (id: string) => (await readdir(marksOf(id)).catch(gone)) ?? []

  async function giveTo(id: string, instanceId: string, uid: number) {
    const owner = await own(id)
    if (owner === uid) return
    const others = (await marks(id)).filter((it) => !it.endsWith(`.${instanceId}`))
    if (others.length > 0)
      throw new Error('one of its volumes is used by an instance with another user number')
    // Everything in it, but nothing that a link in it leads to.
    await must('chown', ['--recursive', '--no-dereference', '--', `${uid}:${uid}`, folderOf(id)], {
      timeoutMs: 600_000,
    })
  }

  return {
    folderOf,
    async ownerOf(volumes, isOurs) {
      for (const { id } of volumes) {
        const owner = await own(id)
        if (owner !== null && isOurs(owner)) return owner
      }
      return null
    },
    async owners() {
      const found = await Promise.all((await list()).map(own))
      return found.filter((it) => it !== null)
    },
    async take(instanceId, volumes, uid) {
      for (const { id, name, existing } of volumes) {
        if (existing && (await own(id)) === null) throw fail('volume.missing', { name })
        // Nobody but us passes above it: what lies in it is not reachable for others of its number.
        for (const folder of [all, join(all, id), marksOf(id)]) {
          await mkdir(folder, { recursive: true, mode: 0o700 })
          await chmod(folder, 0o700)
        }
        if ((await own(id)) === null) {
          await mkdir(folderOf(id), { mode: 0o700 })
          if (uid !== null) await chown(folderOf(id), uid, uid)
        } else if (uid !== null) await giveTo(id, instanceId, uid)
        await writeFile(join(marksOf(id), `${platform}.${instanceId}`), '')
      }
    },
    async drop(instanceId) {
      for (const id of await list()) await rm(join(marksOf(id), `${platform}.${instanceId}`), { force: true })
    },
    async remove(volumeId, isUser) {
      for (const mark of await marks(volumeId)) {
        const [whose, instanceId = ''] = mark.split('.')
        if (whose !== platform || (await isUser(instanceId)))
          throw new Error(`the instance ${instanceId} uses the volume`)
        await rm(join(marksOf(volumeId), mark), { force: true })
      }
      await removeTree(join(all, volumeId))
    },
    async measure(volumeId, signal) {
      const place = folderOf(volumeId)
      if ((await own(volumeId)) === null) return null
      const words = ['--summarize', '--block-size=1', '--one-file-system', '--', place]
      const { code, stdout } = await run('du', words, { timeoutMs: MEASURE_MS, signal })
      // What it may not read it leaves out: then the sum is none.
      const bytes = code === 0 ? Number.parseInt(stdout, 10) : Number.NaN
      return { bytes: Number.isSafeInteger(bytes) ? bytes : null, reservedBytes: null, place }
    },
  }
}
