/** Who the database runs as: PostgreSQL refuses root, so root hands it to a system user who owns nothing else. */
import { chmod, readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname } from 'node:path'
import { run } from '@kalnet/io/spawn'

/** `drop`: started by root, so that each program is started through setpriv. */
export interface Owner {
  name: string
  uid: number
  gid: number
  drop: boolean
}

/** The system user that we make; by its comment one of ours is told from somebody else's of the same name. */
export const DATABASE_USER = { name: 'kalnet', comment: 'Database of Kalnet' } as const

export async function lookUp(name: string): Promise<(Owner & { comment: string }) | null> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '')
  for (const line of text.split('\n')) {
    const [user, , uid, gid, comment = ''] = line.split(':')
    if (user === name) return { name, uid: Number(uid), gid: Number(gid), drop: true, comment }
  }
  return null
}

/**
 * An ordinary user is the owner. Root: the system user `kalnet`, made when missing; where no user can be made, `postgres`;
 * last `nobody` (shared with others, so only when nothing else is there).
 */
export async function databaseOwner(): Promise<Owner> {
  const uid = process.getuid?.() ?? 0
  if (uid !== 0) return { name: process.env.USER ?? 'user', uid, gid: process.getgid?.() ?? uid, drop: false }
  const existing = await lookUp(DATABASE_USER.name)
  if (existing) return existing
  const arguments_ = [
    '--system',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    '--comment',
    DATABASE_USER.comment,
    '--user-group',
    DATABASE_USER.name,
  ]
  // A failure (read-only /etc, no useradd, another starter at the same time) is answered by looking again.
  await run('useradd', arguments_, { timeoutMs: 20_000 }).catch(() => null)
  const owner = (await lookUp(DATABASE_USER.name)) ?? (await lookUp('postgres')) ?? (await lookUp('nobody'))
  if (owner) return owner
  throw new Error('The database needs a user of its own. Make one: useradd --system kalnet')
}

/** The argument array that runs a program as the owner, and has it end cleanly (SIGINT: fast shutdown) when we die. */
export function runAs(
  owner: Owner,
  command: string,
  args: readonly string[],
  dieWithUs = false,
): [string, string[]] {
  const words = [
    ...(owner.drop ? [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'] : []),
    ...(dieWithUs ? ['--pdeathsig', 'INT'] : []),
  ]
  if (words.length === 0 || process.platform !== 'linux') return [command, [...args]]
  return ['setpriv', [...words, '--', command, ...args]]
}

/**
 * The owner must be able to walk down to its folder. Our own folder and its parent get the search bit (names stay
 * hidden); anything above is not ours to change, so it is named instead. Never a home folder.
 */
export async function openWay(folder: string, ours: readonly string[], owner: Owner): Promise<void> {
  if (!owner.drop) return
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    const { mode, uid } = await stat(at)
    const enters = mode & 0o001 || (uid === owner.uid && mode & 0o100)
    if (enters) continue
    if (uid === 0 && ours.includes(at) && at !== homedir()) await chmod(at, (mode & 0o7777) | 0o011)
    else
      throw new Error(
        `The user ${owner.name}, who runs the database, cannot enter ${at}. Choose a data folder elsewhere (KALNET_HOME), or: chmod o+x ${at}`,
      )
  }
}
