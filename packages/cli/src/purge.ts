/** What `down --purge` takes away, named and measured before it is. */
import { existsSync } from 'node:fs'
import { lstat, readdir, rm } from 'node:fs/promises'
import { join, parse } from 'node:path'
import { type DockerRemains, purgeDocker } from '@kalnet/controller/platforms/docker/purge'
import { createLayout } from '@kalnet/controller/platforms/process/layout'
import { createRootNetwork } from '@kalnet/controller/platforms/process/network-root'
import type { Folders } from '@kalnet/io/folders'
import { must } from '@kalnet/io/spawn'
import type { Context } from './context.ts'
import { leaveCluster } from './end-instances.ts'
import { programPlaces, which } from './host/packages.ts'
import { failed } from './problem.ts'
import { removeSystemUser } from './system-user.ts'

export interface Lost {
  path: string
  bytes: number
  what: string
}

const MEANING: Record<string, string> = {
  data: 'people, sessions, their settings; the database and the built images',
  config: 'the configuration, the master key and the certificate authority',
  runtime: 'sockets',
}

/** Bytes below a folder, links not followed; what this user may not look into counts as nothing. */
export async function folderSize(path: string): Promise<number> {
  const entry = await lstat(path).catch(() => null)
  if (!entry) return 0
  if (!entry.isDirectory()) return entry.size
  let total = 0
  for (const name of await readdir(path).catch(() => [])) total += await folderSize(join(path, name))
  return total
}

export async function whatIsLost(folders: Folders): Promise<Lost[]> {
  const things = await Promise.all(
    (['data', 'config', 'runtime'] as const).map(async (name) => ({
      path: folders[name],
      bytes: await folderSize(folders[name]),
      there: (await lstat(folders[name]).catch(() => null)) !== null,
      what: MEANING[name] ?? '',
    })),
  )
  return things.filter((it) => it.there).map(({ path, bytes, what }) => ({ path, bytes, what }))
}

export interface Purged {
  folders: string[]
  /** How many pods it had in a cluster, and what takes its volumes there away; null when it never had any, or the cluster does not answer. */
  cluster: { pods: number; claims: string } | null
  /** What it had in the container engine; null when there is none that answers. */
  engine: DockerRemains | null
  /** The database's system user is gone too. */
  user: boolean
}

/**
 * Removes what it has in the container engine and its pods in a cluster, the three folders and the database's system user. Idempotent; never a folder
 * that lies at the root of the file system.
 */
export async function purge(it: Context): Promise<Purged> {
  const { folders, env, signal, output } = it
  const things = await whatIsLost(folders)
  for (const { path } of things)
    if (parse(path).root === path || path === env.HOME)
      throw failed(`${path} is not removed.`, 'Check KALNET_HOME.')
  const hadContainers = existsSync(join(folders.data, 'docker'))
  // First of all: containers hold folders of ours, and the folders' name says what is ours in the engine.
  const engine = await output.step('Removing containers, networks and images', () => purgeDocker({ folders }))
  if (!engine && hadContainers)
    output.note('The Docker engine does not answer: what Kalnet has in it stays there.')
  // Before the folders as well: one of them says what is ours there.
  const cluster = await leaveCluster(it).catch((problem: Error) => {
    output.note(`What Kalnet has in the cluster stays there: ${problem.message}`)
    return null
  })
  await clearSandboxRules(folders, env)
  await output.step('Removing the data', async () => {
    for (const { path } of things) await remove(path, env, signal)
  })
  const user = await removeSystemUser(signal)
  if (user.why) output.note(user.why)
  return { folders: things.map(({ path }) => path), cluster, engine, user: user.removed }
}

/** The filter of the sandboxes, should a crash have left it; one that is still needed stays. */
async function clearSandboxRules(folders: Folders, env: NodeJS.ProcessEnv): Promise<void> {
  if (process.getuid?.() !== 0) return
  for (const program of ['ip', 'iptables']) if (!(await which(program, programPlaces(env)))) return
  await createRootNetwork(createLayout(folders).installation).clear()
}

/** An ordinary user's images hold files of its subordinate ids: those are removed from inside a user namespace. */
async function remove(path: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch (error) {
    const unshare = await which('unshare', programPlaces(env))
    if (process.getuid?.() === 0 || !unshare) throw error
    await must(unshare, ['--map-auto', '--map-root-user', '--', 'rm', '-rf', '--', path], {
      signal,
      timeoutMs: 300_000,
    })
  }
}
