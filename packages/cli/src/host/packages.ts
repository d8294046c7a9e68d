/** The few programs `up` needs on the host: which are there, what each enables, how they come. */
import { access, constants, readdir, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { must } from '@kalnet/io/spawn'
import type { Output } from '../output.ts'
import { refused } from '../problem.ts'

export interface HostProgram {
  program: string
  /** Debian's and Ubuntu's package. */
  package: string
  enables: string
  /** false: without it something is weaker, but sessions start. */
  needed: boolean
}

export const HOST_PROGRAMS: readonly HostProgram[] = [
  {
    program: 'bwrap',
    package: 'bubblewrap',
    enables: 'sessions without Docker, each in a sandbox of its own',
    needed: true,
  },
  {
    program: 'mmdebstrap',
    package: 'mmdebstrap',
    enables: 'building the root file systems of sessions',
    needed: true,
  },
  {
    program: 'newuidmap',
    package: 'uidmap',
    enables: 'building and sandboxing as an ordinary user',
    needed: true,
  },
  {
    program: 'pasta',
    package: 'passt',
    enables: 'the internet inside sessions of an ordinary user',
    needed: true,
  },
  { program: 'ip', package: 'iproute2', enables: 'a network of its own for each session', needed: true },
  {
    program: 'iptables',
    package: 'iptables',
    enables: 'keeping sessions away from the home network',
    needed: true,
  },
]

/** Where root's programs lie; an ordinary user's PATH often lacks them. */
const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Where programs are looked for. */
export const programPlaces = (env: NodeJS.ProcessEnv): string[] => [
  ...new Set([...(env.PATH ?? '').split(delimiter).filter(Boolean), ...SYSTEM_PATH]),
]

/** The path of a program, or null. */
export async function which(program: string, places: readonly string[]): Promise<string | null> {
  for (const place of places) {
    const path = join(place, program)
    try {
      await access(path, constants.X_OK)
      return path
    } catch {
      // Not here; the next place may have it.
    }
  }
  return null
}

export async function missingPrograms(places: readonly string[]): Promise<HostProgram[]> {
  const found = await Promise.all(HOST_PROGRAMS.map(({ program }) => which(program, places)))
  return HOST_PROGRAMS.filter((_program, index) => found[index] === null)
}

/** The one line that installs them. */
export const installLine = (missing: readonly HostProgram[]) =>
  `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.map((it) => it.package).join(' ')}`

/** Debian, Ubuntu and what calls itself like them (os-release(5)). */
export async function isDebianLike(file = '/etc/os-release'): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(text)
}

export interface EnsureHost {
  env: NodeJS.ProcessEnv
  uid: number
  /** `--no-install`: never touch the host. */
  mayInstall: boolean
  output: Output
  signal: AbortSignal
  /** Given by tests: where programs are looked for, and what system this is. */
  places?: readonly string[]
  debian?: boolean
}

/** Everything is there when it returns; otherwise it refuses with the one line to run. */
export async function ensureHost(given: EnsureHost): Promise<void> {
  const { env, uid, mayInstall, output, signal, places = programPlaces(env) } = given
  const missing = await missingPrograms(places)
  if (missing.length === 0) return
  const names = missing.map((it) => it.package).join(', ')
  const debian = given.debian ?? ((await isDebianLike()) && (await which('apt-get', places)) !== null)
  if (!mayInstall || uid !== 0 || !debian) {
    const next = debian
      ? `Run this once, then try again:\n  ${installLine(missing)}`
      : `Install them by your system's packages, or go on with what is there: kalnet up --as-is`
    throw refused(`This machine lacks ${names}.`, next)
  }
  output.note(`This machine lacks ${names}; installing them by apt.`)
  const apt = (...args: string[]) =>
    must('apt-get', ['-q', ...args], {
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
      timeoutMs: 600_000,
      signal,
    })
  const lists = await readdir('/var/lib/apt/lists').catch(() => [])
  if (!lists.some((name) => name.endsWith('_Packages') || name.includes('_Packages.')))
    await output.step('Reading the package lists', () => apt('update'))
  const install = () => apt('install', '-y', '--no-install-recommends', ...missing.map((it) => it.package))
  await output.step(`Installing ${names}`, async () => {
    try {
      await install()
    } catch {
      // Lists from long ago name files that are gone: read them afresh and try once more.
      await apt('update')
      await install()
    }
  })
  const still = await missingPrograms(places)
  if (still.length > 0)
    throw refused(
      `apt installed ${names}, but ${still.map((it) => it.program).join(', ')} is still not there.`,
      'Look at what apt says by hand, or go on with what is there: kalnet up --as-is',
    )
}
