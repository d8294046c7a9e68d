/** A git repository that is written to once: fetched into a folder of its own, committed as whoever asks, pushed. */
import { run } from '@kalnet/io/spawn'
import { failed, refused, usage } from '../problem.ts'

export interface Repository {
  folder: string
  commit(message: string): Promise<void>
  /** False: somebody pushed before. */
  push(): Promise<boolean>
}

const GIT_MS = 120_000
/** No helper of an address's own (`ext::`), no question at a terminal, nothing of this person's hooks. */
const ENVIRONMENT = { GIT_ALLOW_PROTOCOL: 'file:https:ssh', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }
const NO_HOOKS = ['-c', 'core.hooksPath=/dev/null']
/** A link in it could lead what is written out of it. */
const NO_LINKS = ['--config', 'core.symlinks=false']
/** An address may hold a password; it is never shown. */
const withoutPassword = (text: string) => text.replace(/\/\/[^\s/@]+@/g, '//')

export async function openRepository(options: {
  to: string
  branch?: string | undefined
  folder: string
  signal: AbortSignal
}): Promise<Repository> {
  const { to, branch, folder, signal } = options
  const git = (...args: string[]) =>
    run('git', [...NO_HOOKS, ...args], {
      env: { ...process.env, ...ENVIRONMENT },
      signal,
      timeoutMs: GIT_MS,
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw failed('git is not installed here.', 'Install it: apt install git')
      throw error
    })
  const inside = (...args: string[]) => git('-C', folder, ...args)
  const said = ({ stderr }: { stderr: string }) =>
    withoutPassword(stderr.replace(/\s+/g, ' ').trim().slice(0, 500))

  if (branch !== undefined && (await git('check-ref-format', '--branch', branch)).code !== 0)
    throw usage(`${branch} cannot be the name of a branch.`)
  const cloned = await git('clone', '--quiet', ...NO_LINKS, '--', to, folder)
  if (cloned.code !== 0)
    throw failed(
      `The repository ${withoutPassword(to)} could not be fetched: ${said(cloned)}`,
      'Check its address, and that `git clone` takes it as this user.',
    )
  const wanted = branch ?? ((await inside('symbolic-ref', '--short', 'HEAD')).stdout.trim() || 'main')
  if (branch !== undefined) {
    const isThere =
      (await inside('rev-parse', '--verify', '--quiet', `refs/remotes/origin/${branch}`)).code === 0
    const begun = isThere
      ? await inside('checkout', '--quiet', '-B', branch, `origin/${branch}`)
      : await inside('switch', '--quiet', '--orphan', branch)
    if (begun.code !== 0)
      throw failed(`The branch ${branch} could not be taken: ${said(begun)}`, 'Take another one.')
  }
  return {
    folder,
    async commit(message) {
      await inside('add', '--all', '--', '.')
      const done = await inside('commit', '--quiet', '--message', message)
      if (done.code === 0) return
      if (/Please tell me who you are|unable to auto-detect email/.test(done.stderr))
        throw refused(
          'git does not know in whose name to write.',
          'Tell it once: git config --global user.name "…" and git config --global user.email …',
        )
      throw failed(`It could not be committed: ${said(done)}`, 'Nothing was published.')
    },
    async push() {
      const pushed = await inside('push', '--quiet', 'origin', `HEAD:refs/heads/${wanted}`)
      if (pushed.code === 0) return true
      if (/\[rejected\]|fetch first|non-fast-forward|cannot lock ref/.test(pushed.stderr)) return false
      throw failed(
        `The repository ${withoutPassword(to)} did not take it: ${said(pushed)}`,
        'Nothing was published. Check that this user may push there.',
      )
    },
  }
}
