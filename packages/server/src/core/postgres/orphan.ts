/** A postmaster left by a supervisor that was killed: stopped cleanly before the next one starts; a living supervisor is respected. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, systemClock } from '@kalnet/io/clock'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import type { Log } from '@kalnet/io/log'

/** When the process started (field 22 of proc(5) stat): a pid alone may be somebody else's by now. */
async function startOf(pid: number): Promise<string | null> {
  const text = await readIfThere(`/proc/${pid}/stat`)
  if (text === null) return null
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? null : (fields[19] ?? null)
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const claimFile = (folder: string) => join(folder, 'supervisor.json')

/** One supervisor per database: throws while another living one has it. */
export async function takeOver(folder: string): Promise<void> {
  const text = await readIfThere(claimFile(folder))
  if (text) {
    const { pid, startedAt } = JSON.parse(text) as { pid: number; startedAt: string | null }
    if (pid !== process.pid && (await startOf(pid)) === startedAt && alive(pid))
      throw new Error(
        `Another Kalnet (process ${pid}) runs the database in ${folder}. Stop it first: kalnet down`,
      )
  }
  await writeWhole(
    claimFile(folder),
    JSON.stringify({ pid: process.pid, startedAt: await startOf(process.pid) }),
  )
}

export const letGo = (folder: string) => rm(claimFile(folder), { force: true })

/** The pid in postmaster.pid, when that process really is a postgres of this very cluster. */
async function postmasterOf(cluster: string): Promise<number | null> {
  const text = await readIfThere(join(cluster, 'postmaster.pid'))
  const pid = Number.parseInt(text?.split('\n')[0] ?? '', 10)
  if (!Number.isInteger(pid) || pid <= 1 || !alive(pid)) return null
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return words.split('\0').includes(cluster) ? pid : null
}

/** Fast shutdown first (clients are cut, data is written), immediate shutdown after 20 s. Never SIGKILL: that orphans its children. */
export async function stopOrphan(cluster: string, log: Log, clock: Clock = systemClock): Promise<void> {
  const pid = await postmasterOf(cluster)
  if (pid === null) return
  log.warn({ pid }, 'stopping a database that was left behind')
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
    for (let waited = 0; waited < 20_000; waited += 50) {
      if ((await postmasterOf(cluster)) === null) return
      await clock.sleep(50)
    }
  }
  throw new Error(
    `The database process ${pid} does not end. Look at the disk it writes to, then end it by hand.`,
  )
}
