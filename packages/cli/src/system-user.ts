/** The system user that the database runs as: taken away with the last thing on this machine that is its own. */
import { readdir, stat } from 'node:fs/promises'
import { run } from '@kalnet/io/spawn'
import { DATABASE_USER, lookUp } from '@kalnet/server/core/postgres/owner'

/** What stands in the way, in words; null: it is gone, or there was none of ours. */
export interface UserRemoval {
  removed: boolean
  why: string | null
}

/** Numbers in there are those of other machines, or of what runs inside containers. */
const ELSEWHERE = ['/var/lib/docker', '/var/lib/containerd', '/var/lib/containers']
const NOT_A_DISK = ['proc', 'sysfs', 'cgroup', 'cgroup2', 'nfs', 'nfs4', 'cifs', 'autofs']
/** A large disk takes longer than anybody waits: then the user stays. */
const SEARCH_MS = 60_000

/** `below`: where its files are looked for; the whole machine. */
export async function removeSystemUser(
  signal: AbortSignal,
  { name = DATABASE_USER.name, below = '/' }: { name?: string; below?: string } = {},
): Promise<UserRemoval> {
  if (process.getuid?.() !== 0) return { removed: false, why: null }
  const found = await lookUp(name)
  // Somebody else's of that name: made by hand, or by another program.
  if (found?.comment !== DATABASE_USER.comment) return { removed: false, why: null }
  const why = (await whatRuns(found.uid)) ?? (await whatItOwns(found.uid, below, signal))
  if (why) return { removed: false, why: `The system user ${name} stays: ${why}.` }
  // It refuses where a process of that user has begun since.
  const { code, stderr } = await run('userdel', [name], { signal, timeoutMs: 20_000 })
  if (code === 0) return { removed: true, why: null }
  return { removed: false, why: `The system user ${name} stays: ${stderr.trim().split('\n').at(-1)}` }
}

async function whatRuns(uid: number): Promise<string | null> {
  for (const pid of (await readdir('/proc')).filter((it) => /^\d+$/.test(it))) {
    // It ended while we looked.
    const owner = await stat(`/proc/${pid}`).catch(() => null)
    if (owner?.uid === uid) return `process ${pid} runs as it`
  }
  return null
}

async function whatItOwns(uid: number, below: string, signal: AbortSignal): Promise<string | null> {
  const pruned = [...NOT_A_DISK.map((it) => ['-fstype', it]), ...ELSEWHERE.map((it) => ['-path', it])]
  const either = pruned.flatMap((it, at) => (at === 0 ? it : ['-o', ...it]))
  const words = ['-ignore_readdir_race', '(', ...either, ')', '-prune', '-o', '-uid', String(uid)]
  try {
    const found = await run('find', [below, ...words, '-print', '-quit'], { signal, timeoutMs: SEARCH_MS })
    const path = found.stdout.trim()
    if (path) return `${path} is its own`
    return found.code === 0 ? null : 'not all of this machine could be looked through'
  } catch (error) {
    signal.throwIfAborted()
    return `what it owns could not be looked for (${error instanceof Error ? error.message : String(error)})`
  }
}
