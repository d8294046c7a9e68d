/** What still runs on this machine once the control plane and its controller have stopped: services, and whatever would not end. The platforms themselves know it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Platform } from '@kalnet/controller/platforms/platform'
import { createPlatforms } from '@kalnet/controller/platforms/registry'
import { createLog } from '@kalnet/io/log'
import { openImages } from './commands/images-found.ts'
import type { Context } from './context.ts'

/** A database writes what it has; after this long the rest is killed. */
const GRACE_MS = 20_000

/** Answers how many ended. Nothing is removed: the next `up` finds that they ended, and starts again what is wanted. */
export async function endInstances(context: Context): Promise<number> {
  const { folders } = context
  const log = createLog('down', 'error')
  // The engine is only asked where it was ever used: one that is not there would keep us waiting.
  const which: ('process' | 'docker')[] = existsSync(join(folders.data, 'docker'))
    ? ['process', 'docker']
    : ['process']
  const counts = await Promise.all(
    createPlatforms({ folders, images: openImages(context), log, which }).map(endAll),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

async function endAll(platform: Platform): Promise<number> {
  const running = []
  for (const handle of await platform.list())
    if ((await platform.observe(handle)).state === 'running') running.push(handle)
  await Promise.all(running.map((handle) => platform.stop(handle, GRACE_MS)))
  return running.length
}
