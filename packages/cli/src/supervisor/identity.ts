/** Knows a process again: an id alone may be somebody else's by now, so the start time and the boot go with it. */
import { readFileSync } from 'node:fs'
import { type Clock, systemClock } from '@kalnet/io/clock'

export interface ProcessIdentity {
  pid: number
  /** Clock ticks since boot, field 22 of /proc/<pid>/stat (proc(5)); null where there is no /proc. */
  startTicks: string | null
  bootId: string | null
}

const readOrNull = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // No /proc, or the process has ended meanwhile: both mean "not known".
    return null
  }
}

/** The command may contain blanks and brackets: count fields after the last `)`. */
const startTicks = (pid: number): string | null => {
  const stat = readOrNull(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
}
const isZombie = (pid: number): boolean => {
  const stat = readOrNull(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).startsWith('Z') ?? false
}

export const identify = (pid: number): ProcessIdentity => ({
  pid,
  startTicks: startTicks(pid),
  bootId: readOrNull('/proc/sys/kernel/random/boot_id'),
})

/** Does exactly this process still run? */
export function lives(known: ProcessIdentity): boolean {
  try {
    process.kill(known.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  if (isZombie(known.pid)) return false
  const now = identify(known.pid)
  return now.startTicks === known.startTicks && now.bootId === known.bootId
}

/** Waits until it has ended; kills it after the grace. Idempotent. */
export async function awaitEnd(
  known: ProcessIdentity,
  graceMs: number,
  clock: Clock = systemClock,
): Promise<void> {
  const until = clock.now().getTime() + graceMs
  while (lives(known)) {
    if (clock.now().getTime() > until) {
      try {
        process.kill(known.pid, 'SIGKILL')
      } catch (error) {
        // It ended between the look and the signal: that is what was wanted.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
        return
      }
    }
    await clock.sleep(25)
  }
}
