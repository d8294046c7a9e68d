/** What `down --purge` takes away, named and measured before it is. */
import { lstat, readdir, rm } from 'node:fs/promises'
import { join, parse } from 'node:path'
import type { Folders } from '@kalnet/io/folders'
import { must } from '@kalnet/io/spawn'
import type { Context } from './context.ts'
import { programPlaces, which } from './host/packages.ts'
import { failed } from './problem.ts'

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

/** Removes the three folders. Idempotent; never one that lies at the root of the file system. */
export async function purge({ folders, env, signal, output }: Context): Promise<string[]> {
  const things = await whatIsLost(folders)
  await output.step('Removing the data', async () => {
    for (const { path } of things) {
      if (parse(path).root === path || path === env.HOME)
        throw failed(`${path} is not removed.`, 'Check KALNET_HOME.')
      await remove(path, env, signal)
    }
  })
  return things.map(({ path }) => path)
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
