/** When the last heartbeat went to the control plane, as the time of a file: a container's health check looks at it. */
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HEARTBEAT_MS } from '@kalnet/contracts/controller'
import type { Folders } from '@kalnet/io/folders'

/** Some may be lost on a busy machine. */
const MISSED_MOST = 6

const beatFile = ({ runtime }: Pick<Folders, 'runtime'>) => join(runtime, 'controller.beat')

export async function noteBeat(folders: Pick<Folders, 'runtime'>): Promise<void> {
  await mkdir(folders.runtime, { recursive: true, mode: 0o700 })
  await writeFile(beatFile(folders), '')
}

/** How long ago, in words, when that is too long; null: it is well. */
export async function beatProblem(folders: Pick<Folders, 'runtime'>, now: number): Promise<string | null> {
  const file = await stat(beatFile(folders)).catch(() => null)
  if (!file) return 'no heartbeat has gone to the control plane yet'
  const ago = now - file.mtimeMs
  return ago > MISSED_MOST * HEARTBEAT_MS
    ? `the last heartbeat went to the control plane ${Math.round(ago / 1000)} s ago`
    : null
}
