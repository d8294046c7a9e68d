/** What really runs for an instance, seen from outside of Kalnet: the processes that have its home mounted. */
import { readdir, readFile } from 'node:fs/promises'

export interface Runtime {
  pid: number
  command: string
}

/** By /proc/<pid>/mountinfo (proc(5)), so that it holds for sandboxes and containers alike. Needs root. */
export async function runtimesOf(instanceId: string): Promise<Runtime[]> {
  const found: Runtime[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    // A process may end while it is looked at: then it is none of the runtime.
    const mounts = await readFile(`/proc/${name}/mountinfo`, 'utf8').catch(() => '')
    if (!mounts.includes(instanceId)) continue
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
    if (command) found.push({ pid: Number(name), command: command.replaceAll('\0', ' ').trim() })
  }
  return found
}

/** The X server of an instance: exactly one while it runs. */
export const screensOf = async (instanceId: string, runtimes = runtimesOf): Promise<number[]> =>
  (await runtimes(instanceId)).filter(({ command }) => /^\S*Xvnc /.test(command)).map(({ pid }) => pid)
