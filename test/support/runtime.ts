/** What really runs for an instance, seen from outside of Kalnet: the processes that have a folder of it, or of its container, mounted. */
import { readdir, readFile } from 'node:fs/promises'
import { run } from '@kalnet/io/spawn'

export interface Runtime {
  pid: number
  command: string
}

/** The engine's own files of a container are mounted in it, by its id. */
async function containersOf(instanceId: string): Promise<string[]> {
  const label = `label=io.kalnet.instance=${instanceId}`
  // Without an engine there are none.
  const listed = await run('docker', ['ps', '--quiet', '--no-trunc', '--filter', label]).catch(() => null)
  return listed?.stdout.split('\n').filter(Boolean) ?? []
}

/** By /proc/<pid>/mountinfo (proc(5)), so that it holds for sandboxes and containers alike. Needs root. */
export async function runtimesOf(instanceId: string): Promise<Runtime[]> {
  const found: Runtime[] = []
  const names = [instanceId, ...(await containersOf(instanceId))]
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    // A process may end while it is looked at: then it is none of the runtime.
    const mounts = await readFile(`/proc/${name}/mountinfo`, 'utf8').catch(() => '')
    if (!names.some((it) => mounts.includes(it))) continue
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
    if (command) found.push({ pid: Number(name), command: command.replaceAll('\0', ' ').trim() })
  }
  return found
}

/** The X server of an instance: exactly one while it runs. */
export const screensOf = async (instanceId: string, runtimes = runtimesOf): Promise<number[]> =>
  (await runtimes(instanceId)).filter(({ command }) => /^\S*Xvnc /.test(command)).map(({ pid }) => pid)
