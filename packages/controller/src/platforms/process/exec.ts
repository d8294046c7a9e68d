/**
 * Runs a program inside a living sandbox, as the instance's own user and within its limits. Nothing that the image brings may run
 * with more rights than the instance has: group and the bar to new rights are set before anything is entered, the user by nsenter
 * itself when everything is.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { start } from '@kalnet/io/spawn'
import type { Executed } from '../platform.ts'
import { lastLineOf } from '../reasons.ts'
import { identify, isAlive, signalAll, tree } from './processes.ts'
import type { ProcessId } from './state.ts'

const ENTER = fileURLToPath(new URL('./enter.sh', import.meta.url))
/** The network and the rest are entered with root's rights and the user namespace last, where the sandbox's user is number 1000. */
const SPACES = ['--mount', '--pid', '--net', '--ipc', '--uts', '--user', '--preserve-credentials']
const USER = ['--setuid', '1000']
const MOST_OUTPUT = 64 * 1024
const LOOK_MS = 20
const ENDING_MS = 200

/** Ours and the helpers' own: nothing that an instance says decides what root runs. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/**
 * Root's helpers read the environment before the program inside does. What a program with others' rights must take from nobody
 * (glibc's unsecvars.h), and what bash takes at its start (bash(1), Shell Variables), does not pass.
 */
const OBEYED =
  /^(?:LD_.*|GLIBC_.*|MALLOC_.*|BASH.*|GCONV_PATH|GETCONF_DIR|HOSTALIASES|LOCALDOMAIN|LOCPATH|NIS_PATH|NLSPATH|RESOLV_.*|RES_OPTIONS|TMPDIR|TZDIR|ENV|SHELLOPTS|POSIXLY_CORRECT|PS4|IFS|CDPATH|GLOBIGNORE|EXECIGNORE|PATH)$/

/** The sandbox's environment, as its arguments have it, but for what root's helpers would obey. */
export function environmentIn(argumentText: string): Record<string, string> {
  const words = argumentText.split('\0')
  const pairs: [string, string][] = []
  for (let index = 0; index < words.length; index += 1) {
    if (words[index] !== '--setenv') continue
    pairs.push([words[index + 1] ?? '', words[index + 2] ?? ''])
    index += 2
  }
  return { ...Object.fromEntries(pairs.filter(([name]) => !OBEYED.test(name))), PATH }
}

export async function execInside(
  parts: { inner: ProcessId; uid: number; groups: string[]; argumentsFile: string },
  command: string[],
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Executed> {
  const env = environmentIn(await readFile(parts.argumentsFile, 'utf8'))
  const words = [
    ...[ENTER, ...parts.groups, '--'],
    ...['setpriv', '--regid', String(parts.uid), '--clear-groups', '--no-new-privs', '--'],
    ...['nsenter', '--target', String(parts.inner.pid), ...SPACES, ...USER, '--', ...command],
  ]
  const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    // A process group of its own: it is ended as one, whatever it is about to start.
    const child = start('bash', words, { stdio: ['ignore', 'pipe', 'pipe'], env, cwd: '/', detached: true })
    let text = ''
    for (const output of [child.stdout, child.stderr])
      output?.on('data', (chunk: Buffer) => {
        text = (text + chunk.toString('utf8')).slice(-MOST_OUTPUT)
      })
    const finish = (code: number | null) => {
      until.removeEventListener('abort', onAbort)
      // Something it left behind may still hold them.
      for (const output of [child.stdout, child.stderr]) output?.destroy()
      if (signal.aborted) return reject(signal.reason)
      resolve({ code, lastLine: lastLineOf(text) })
    }
    const onAbort = () => void endGroup(child.pid ?? 0).then(() => finish(null), reject)
    until.addEventListener('abort', onAbort, { once: true })
    child.once('error', reject)
    child.once('close', (code) => {
      if (!until.aborted) finish(code)
    })
  })
}

/** What it started first: nsenter then takes leave of it and ends by itself. What is still about to begin goes with the group. */
async function endGroup(pid: number): Promise<void> {
  const leader = identify(pid)
  for (let waited = 0; isAlive(leader) && waited < ENDING_MS; waited += LOOK_MS) {
    const all = await tree([leader])
    signalAll(
      all.filter((it) => it.pid !== pid),
      'SIGKILL',
    )
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  if (!isAlive(leader)) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
