/** Which images the process platform's instances run from at this moment: their roots are mounted and must stay. */
import { readlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Folders } from '@kalnet/io/folders'
import { createLayout } from '../platforms/process/layout.ts'
import { isAlive } from '../platforms/process/processes.ts'
import { bootId, readAllStates } from '../platforms/process/state.ts'

export interface ImagesInUse {
  digests: Set<string>
  /** Instances that run, or begin to, of which it cannot be told what they run from. */
  unknown: string[]
}

/** Docker's containers run from the engine's own copies: they need none of ours. */
export async function imagesInUse(folders: Folders): Promise<ImagesInUse> {
  const layout = createLayout(folders)
  const boot = await bootId()
  const found: ImagesInUse = { digests: new Set(), unknown: [] }
  for (const state of await readAllStates(layout)) {
    if (state.phase === 'ended' || state.bootId !== boot) continue
    if (state.phase === 'started' && !isAlive(state.inner) && !isAlive(state.outer)) continue
    // <images>/roots/<digest>/root; the link is made just before the start.
    const root = await readlink(join(layout.of(state.instanceId).folder, 'root')).catch(() => null)
    if (root) found.digests.add(basename(dirname(root)))
    else found.unknown.push(state.instanceId)
  }
  return found
}
