/** The database's folder: made once, whole or not at all; its major is recorded and another one refused. */
import { chmod, chown, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from '@kalnet/io/files'
import { must } from '@kalnet/io/spawn'
import { type Owner, runAs } from './owner.ts'
import type { Programs } from './programs.ts'

export const SUPERUSER = 'kalnet'
export const DATABASE = 'kalnet'

/** A folder of the owner's, 0700. */
export async function ownFolder(path: string, owner: Owner): Promise<void> {
  await mkdir(path, { recursive: true })
  if (owner.drop) await chown(path, owner.uid, owner.gid)
  await chmod(path, 0o700)
}

/** PostgreSQL writes PG_VERSION itself, inside the cluster, so that the record travels with every copy and backup. */
export async function recordedMajor(cluster: string): Promise<number | null> {
  const text = await readIfThere(join(cluster, 'PG_VERSION'))
  return text === null ? null : Number.parseInt(text, 10)
}

/** Makes the cluster when there is none. A crash half-way leaves only a folder that the next start removes. */
export async function ensureCluster(
  folder: string,
  owner: Owner,
  programs: Programs,
  signal?: AbortSignal,
): Promise<string> {
  const cluster = join(folder, 'cluster')
  const major = await recordedMajor(cluster)
  if (major !== null && major !== programs.major) {
    throw new Error(
      `The data in ${cluster} was written by PostgreSQL ${major}; the programs here are ${programs.version}. ` +
        `Start once with PostgreSQL ${major} (database.system: true where it is installed), back up, and restore into a new data folder.`,
    )
  }
  if (major !== null) return cluster
  const fresh = join(folder, 'cluster.new')
  await rm(fresh, { recursive: true, force: true })
  const [command, args] = runAs(owner, programs.initdb, [
    ...['-D', fresh, '--username', SUPERUSER, '--encoding', 'UTF8', '--no-locale', '--auth', 'trust'],
    '--no-instructions',
  ])
  await must(command, args, {
    signal,
    timeoutMs: 120_000,
    cwd: '/',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  })
  await rename(fresh, cluster)
  return cluster
}
