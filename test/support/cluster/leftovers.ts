/** Takes away what a cluster leaves when it has ended: its cgroups and its folder. Also of a run that was killed. */
import { readdir, readFile, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'

const CGROUPS = '/sys/fs/cgroup'
const PATIENCE_MS = 10_000

/** Field 22 of /proc/<pid>/stat (proc(5)): with it a number that another process got later is not taken for the first. */
export async function startTime(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
}

export async function removeCgroups(parent: string): Promise<void> {
  for (const tree of await readdir(CGROUPS)) {
    const until = Date.now() + PATIENCE_MS
    while (!(await removeTree(join(CGROUPS, tree, parent)))) {
      if (Date.now() > until) throw new Error(`${join(CGROUPS, tree, parent)} still holds processes`)
      await systemClock.sleep(50)
    }
  }
}

/** Only empty folders go: their files are the kernel's. False while something in it lives. */
async function removeTree(folder: string): Promise<boolean> {
  const inside = await readdir(folder, { withFileTypes: true }).catch(() => null)
  if (inside === null) return true
  for (const it of inside) if (it.isDirectory()) await removeTree(join(folder, it.name))
  return rmdir(folder).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  )
}

/** Folders of clusters whose first process is gone: whoever started them was killed. */
export async function clearLeftovers(all: string): Promise<void> {
  for (const name of await readdir(all).catch(() => [])) {
    const folder = join(all, name)
    const [pid = '', started = ''] = (await readFile(join(folder, 'pid'), 'utf8').catch(() => '')).split(' ')
    const isAlive = pid !== '' && (await startTime(Number(pid))) === started
    // Without a note it is being made at this moment, or was never more than a folder.
    if (isAlive || pid === '') continue
    await removeCgroups(name)
    await rm(folder, { recursive: true, force: true })
  }
}
