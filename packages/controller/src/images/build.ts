/** Builds one layer by mmdebstrap: as root, and as an ordinary user in namespaces of its own. */
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecipeLayer } from '@kalnet/contracts/recipe'
import { must, run } from '@kalnet/io/spawn'
import { hostApt } from './apt.ts'
import { orderLocked } from './locked.ts'
import { type BuildProgress, followBuild } from './progress.ts'
import { supervise } from './supervise.ts'

const BUILD_LIMIT_MS = 45 * 60_000
const COPY_LIMIT_MS = 10 * 60_000
/** Open to every uid, and on a disk. */
const OPEN = '/var/tmp'
const PREFIX = 'kalnet-build-'

const DPKG = [
  // The build may be lost in a power cut anyway: it starts anew then.
  'force-unsafe-io',
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'path-exclude=/usr/share/locale/*',
  'path-exclude=/usr/share/help/*',
  'path-exclude=/usr/share/gtk-doc/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/lintian/*',
]
const APT = [
  'APT::Install-Recommends "false";',
  'APT::Install-Suggests "false";',
  'Acquire::Languages "none";',
  'Acquire::Retries "3";',
]
/** What the build leaves behind that is no part of the image: devices, mounts, and the host's way to the archive. */
const LEFT_OUT = [
  './dev/*',
  './proc/*',
  './sys/*',
  './tmp/*',
  './etc/apt/sources.list',
  './etc/apt/apt.conf.d/99mmdebstrap',
  './etc/dpkg/dpkg.cfg.d/99mmdebstrap',
]

export interface LayerBuild {
  layer: RecipeLayer
  /** The unpacked root this one continues; null for the first. */
  below: string | null
  /** An empty folder of ours; the finished root is made as `root` in it. */
  stage: string
  signal: AbortSignal
  report: (it: BuildProgress) => void
}

/** What people can do something about, said first; the builder's own words follow. */
const CAUSES: [RegExp, string][] = [
  [/No space left on device/, 'the disk that holds the data is full'],
  [
    /Temporary failure resolving|Could not resolve|Unable to connect|Failed to fetch|Could not connect/,
    'the packages could not be fetched; is this machine online?',
  ],
  [
    /npm failed|npm not found|npm-cli\.js failed/,
    'the npm packages could not be fetched; is npm there, and this machine online?',
  ],
  [
    /Could not find a version|No matching distribution|Read timed out/,
    'the PyPI packages could not be fetched; is this machine online?',
  ],
  [
    /newuidmap|subuid|uid_map/,
    'this user has no numbers of its own for a build; add it to /etc/subuid and /etc/subgid',
  ],
]

export function buildProblem(error: unknown): Error {
  const said = error instanceof Error ? error.message : String(error)
  const cause = CAUSES.find(([pattern]) => pattern.test(said))
  return cause ? new Error(`${cause[1]} (${said})`, { cause: error }) : new Error(said, { cause: error })
}

/** The namespace's root is another uid to us: what it works on must be open to all, so it lies in the system's temporary folder. */
async function makeWork(stage: string): Promise<string> {
  const isRoot = process.getuid?.() === 0
  const work = await mkdtemp(isRoot ? join(stage, 'work-') : join(OPEN, PREFIX))
  if (!isRoot) await dropOld()
  await chmod(work, 0o755)
  await mkdir(join(work, 'tmp'))
  await chmod(join(work, 'tmp'), 0o1777)
  return work
}

/** What killed builds of ours left there; in the stage it is cleared with it. */
async function dropOld(): Promise<void> {
  for (const name of (await readdir(OPEN)).filter((it) => it.startsWith(PREFIX))) {
    const found = await stat(join(OPEN, name)).catch(() => null)
    if (found?.uid === process.getuid?.() && found && Date.now() - found.mtimeMs > 2 * BUILD_LIMIT_MS)
      await dropWork(join(OPEN, name))
  }
}

/** Also what a build that was stopped left under foreign uids of our own range. */
async function dropWork(work: string): Promise<void> {
  const dropped = await run('rm', ['-rf', '--', work], { timeoutMs: COPY_LIMIT_MS })
  if (dropped.code !== 0 && process.getuid?.() !== 0) {
    await must('mmdebstrap', ['--unshare-helper', 'rm', '-rf', '--', join(work, 'tmp')], {
      timeoutMs: COPY_LIMIT_MS,
    })
    await rm(work, { recursive: true, force: true })
  }
}

async function writeOrders(work: string, layer: RecipeLayer): Promise<string> {
  const hook = join(work, 'customise.sh')
  await copyFile(new URL('./customise.sh', import.meta.url), hook)
  await chmod(hook, 0o755)
  await mkdir(join(work, 'files'))
  await mkdir(join(work, 'run'))
  const number = (index: number) => String(index).padStart(3, '0')
  for (const [index, file] of layer.files.entries()) {
    const base = join(work, 'files', number(index))
    await writeFile(base, file.content, { mode: 0o644 })
    await writeFile(`${base}.path`, file.path, { mode: 0o644 })
    await writeFile(`${base}.mode`, file.mode, { mode: 0o644 })
  }
  await writeFile(join(work, 'remove'), layer.remove.map((pattern) => `${pattern}\n`).join(''), {
    mode: 0o644,
  })
  for (const [index, words] of layer.run.entries()) {
    await writeFile(join(work, 'run', number(index)), words.map((word) => `${word}\0`).join(''), {
      mode: 0o644,
    })
  }
  return hook
}

/** Everything belongs to one owner, nothing carries rights of its own: sessions run as somebody else on a read-only root. */
async function settle(root: string, signal: AbortSignal): Promise<void> {
  const options = { signal, timeoutMs: COPY_LIMIT_MS }
  await must(
    'find',
    [root, '-type', 'd', '!', '-perm', '-0700', '-exec', 'chmod', 'u+rwx', '{}', '+'],
    options,
  )
  await must('find', [root, '!', '-type', 'l', '-perm', '/6000', '-exec', 'chmod', 'a-s', '{}', '+'], options)
  await must('find', [root, '!', '-type', 'f', '!', '-type', 'd', '!', '-type', 'l', '-delete'], options)
  for (const folder of ['dev', 'proc', 'sys', 'tmp', 'run/kalnet', 'home/user']) {
    await mkdir(join(root, folder), { recursive: true })
  }
  const fixed: [string, string][] = [
    ['etc/machine-id', '6b616c6e65746b616c6e65746b616c6e\n'],
    ['etc/hostname', 'kalnet\n'],
    ['etc/hosts', '127.0.0.1 localhost kalnet\n::1 localhost\n'],
    // A plain file, so that a platform can put its own over it.
    ['etc/resolv.conf', ''],
  ]
  for (const [path, content] of fixed) {
    const whole = join(root, path)
    await rm(whole, { force: true })
    await writeFile(whole, content, { mode: 0o644 })
    await must('touch', ['--date=@0', whole], options)
  }
}

/** Leaves `<stage>/root`, or throws and leaves nothing outside the stage. */
export async function buildLayer({ layer, below, stage, signal, report }: LayerBuild): Promise<void> {
  const work = await makeWork(stage)
  const packed = join(stage, 'packed.tar')
  const lower = join(stage, 'lower.tar')
  try {
    const hook = await writeOrders(work, layer)
    const apt = await hostApt(layer.suite, signal)
    await writeFile(join(work, 'apt.conf'), `${APT.join('\n')}\n${apt.options}`, { mode: 0o644 })
    await writeFile(join(work, 'sources.list'), apt.sources, { mode: 0o644 })
    const args = ['--mode=unshare', '--format=tar', '--verbose', `--aptopt=${join(work, 'apt.conf')}`]
    args.push(`--variant=${below ? 'custom' : 'apt'}`, ...DPKG.map((option) => `--dpkgopt=${option}`))
    if (layer.packages.length > 0) args.push(`--include=${layer.packages.join(',')}`)
    else if (below) args.push('--skip=update')
    if (below) {
      report({ text: `Taking what ${layer.name} starts from`, share: 0 })
      const owner = ['--format=pax', '--owner=0', '--group=0', '--numeric-owner']
      await must('tar', ['--create', `--file=${lower}`, ...owner, `--directory=${below}`, '.'], {
        signal,
        timeoutMs: COPY_LIMIT_MS,
      })
      args.push('--setup-hook=tar-in lower.tar /')
    }
    args.push(`--customize-hook=${hook}`, layer.suite, 'packed.tar')
    if (apt.sources) args.push(join(work, 'sources.list'))
    const way = await orderLocked({ layer, work, stage, signal, report })
    await supervise('mmdebstrap', args, {
      cwd: stage,
      env: { ...process.env, ...way, TMPDIR: join(work, 'tmp'), LC_ALL: 'C.UTF-8' },
      signal,
      timeoutMs: BUILD_LIMIT_MS,
      onLine: followBuild(layer.name, report),
    })
    report({ text: `Unpacking ${layer.name}`, share: 0.95 })
    const root = join(stage, 'root')
    await mkdir(root)
    const left = LEFT_OUT.map((pattern) => `--exclude=${pattern}`)
    const how = ['--no-same-owner', '--preserve-permissions', '--anchored', '--wildcards', ...left]
    await must('tar', ['--extract', `--file=${packed}`, `--directory=${root}`, ...how], {
      signal,
      timeoutMs: COPY_LIMIT_MS,
    })
    await settle(root, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw buildProblem(error)
  } finally {
    await rm(packed, { force: true })
    await rm(lower, { force: true })
    await rm(join(stage, 'npm'), { recursive: true, force: true })
    await dropWork(work)
  }
}
