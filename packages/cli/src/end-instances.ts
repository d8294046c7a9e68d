/** What still runs once the control plane and its controller have stopped: services, and whatever would not end. The platforms themselves know it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installationIn } from '@kalnet/controller/platforms/kubernetes/cluster-of'
import { LABELS } from '@kalnet/controller/platforms/kubernetes/names'
import type { Platform } from '@kalnet/controller/platforms/platform'
import { createPlatforms } from '@kalnet/controller/platforms/registry'
import { createLog } from '@kalnet/io/log'
import { openImages } from './commands/images-found.ts'
import type { Context } from './context.ts'
import { readConfig } from './settings.ts'

/** A database writes what it has; after this long the rest is killed. */
const GRACE_MS = 20_000

type Name = 'process' | 'docker' | 'kubernetes'

/** An engine or a cluster is only asked where it was ever used: one that is not there would keep us waiting. */
const wasUsed = ({ folders }: Context, name: Name) =>
  name === 'process' || existsSync(join(folders.data, name))

async function open(context: Context, name: Name): Promise<Platform[]> {
  if (!wasUsed(context, name)) return []
  const { folders, env } = context
  const log = createLog('down', 'error')
  const cluster =
    name === 'kubernetes' ? (await readConfig({ folders, env, flags: {} })).kubernetes : undefined
  if (cluster && !cluster.enabled) return []
  return createPlatforms({ folders, images: openImages(context), log, cluster, which: [name] })
}

/** Answers how many ended. Nothing is removed: the next `up` finds that they ended, and starts again what is wanted. */
export async function endInstances(context: Context): Promise<number> {
  const names: Name[] = ['process', 'docker', 'kubernetes']
  const ends = await Promise.allSettled(
    names.map(async (name) => {
      const counts = await Promise.all((await open(context, name)).map(endAll))
      return counts.reduce((sum, count) => sum + count, 0)
    }),
  )
  // One that does not answer must not keep the others running.
  for (const [at, end] of ends.entries())
    if (end.status === 'rejected')
      context.output.note(`Not all that ran in ${names[at]} was ended: ${inWords(end.reason)}`)
  return ends.reduce((sum, end) => sum + (end.status === 'fulfilled' ? end.value : 0), 0)
}

const inWords = (problem: unknown) => (problem instanceof Error ? problem.message : String(problem))

async function endAll(platform: Platform): Promise<number> {
  const running = []
  for (const handle of await platform.list())
    if ((await platform.observe(handle)).state === 'running') running.push(handle)
  await Promise.all(running.map((handle) => platform.stop(handle, GRACE_MS)))
  return running.length
}

/** Takes its pods out of the cluster, and with them their secrets and walls; null: it has never had any. What they kept is the cluster's own to forget. */
export async function leaveCluster(context: Context): Promise<{ pods: number; claims: string } | null> {
  const [platform] = await open(context, 'kubernetes')
  if (!platform) return null
  const handles = await platform.list()
  await Promise.all(handles.map((handle) => platform.remove(handle)))
  const label = `${LABELS.installation}=${installationIn(context.folders)}`
  return { pods: handles.length, claims: `kubectl delete pvc --all-namespaces -l ${label}` }
}
