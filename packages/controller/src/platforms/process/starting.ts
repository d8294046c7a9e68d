/** The start of an instance, in the order in which a crash can be told apart afterwards: note, make, start, note. */

import { closeSync, openSync } from 'node:fs'
import { chmod, chown, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InstanceSpec, Progress } from '@kalnet/contracts/instance'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import { readIfThere } from '@kalnet/io/files'
import type { Log } from '@kalnet/io/log'
import { start } from '@kalnet/io/spawn'
import type { EnsureRequest } from '../platform.ts'
import { type Abilities, asAccount, OWN_MOUNTS } from './abilities.ts'
import { chooseAccount } from './accounts.ts'
import type { InstancePaths, Layout } from './layout.ts'
import type { RootNetwork } from './network-root.ts'
import { PASTA_RESOLVER, pastaCommand } from './network-user.ts'
import { lastLines } from './output.ts'
import { findInner, identify, isAlive, signalAll, tree } from './processes.ts'
import { MOUNTED, readStatus, sandboxArguments, sandboxCommand } from './sandbox.ts'
import { bootId, type InstanceState, readAllStates, writeState } from './state.ts'

const LAUNCH = fileURLToPath(new URL('./launch.sh', import.meta.url))
const START_LIMIT_MS = 20_000
const LOOK_MS = 10
/** A whole environment of our own: nothing of the controller's reaches the helpers or the sandbox. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' }

/** What the platform needs of the images. */
export interface RootSource {
  ensureRoot(
    chain: RecipeChain,
    signal: AbortSignal,
    progress: (it: { text: string; share: number | null }) => void,
  ): Promise<string>
  list(): Promise<{ digest: string }[]>
}

export interface StartingParts {
  layout: Layout
  able: Abilities
  images: RootSource
  network: RootNetwork
  accounts<T>(key: string, work: () => Promise<T>): Promise<T>
  log: Log
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Finds the inner process once bubblewrap has told its number; null while it has not, or when it is over. */
async function innerOf(paths: InstancePaths, outer: InstanceState['outer']) {
  const { childPid } = readStatus((await readIfThere(paths.status)) ?? '')
  return childPid === null || !outer ? null : findInner(outer, childPid)
}

/** After a crash between the two notes: the running instance with its processes, or null when nothing of it runs. */
export async function adoptStarting(layout: Layout, state: InstanceState): Promise<InstanceState | null> {
  const paths = layout.of(state.instanceId)
  if (state.bootId !== (await bootId())) return null
  const pid = Number((await readIfThere(paths.pid)) ?? Number.NaN)
  const outer = Number.isInteger(pid) && pid > 0 ? identify(pid) : null
  if (!outer) return null
  for (let waited = 0; waited < START_LIMIT_MS && isAlive(outer); waited += LOOK_MS) {
    const inner = await innerOf(paths, outer)
    if (inner) {
      const adopted: InstanceState = { ...state, phase: 'started', outer, inner }
      await writeState(layout, adopted)
      return adopted
    }
    await pause(LOOK_MS)
  }
  signalAll(await tree([outer]), 'SIGKILL')
  return null
}

async function prepareFolders(paths: InstancePaths, root: string, uid: number | null) {
  await mkdir(paths.folder, { recursive: true, mode: 0o700 })
  for (const folder of [paths.home, paths.run]) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await chmod(folder, 0o700)
    if (uid !== null) await chown(folder, uid, uid)
  }
  for (const [name, target] of [
    ['root', root],
    ['run', paths.run],
  ] as const) {
    await rm(join(paths.folder, name), { force: true })
    await symlink(target, join(paths.folder, name))
  }
  // The log stays ours: a program that opened it by name (/dev/stderr) would cut off what the others printed.
  for (const file of [paths.status, paths.pid]) await writeFile(file, '', { mode: 0o600 })
}

const isFile = (path: string) =>
  stat(path).then(
    (it) => it.isFile(),
    () => false,
  )

function networkOf(spec: InstanceSpec, able: Abilities): InstanceState['network'] {
  return spec.network === 'internet' ? able.network : 'none'
}

/** The whole command line, from the outermost to the program. */
function commandLine(options: {
  paths: InstancePaths
  spec: InstanceSpec
  groups: string[]
  uid: number | null
  namespace: string | null
  isPasta: boolean
}): string[] {
  const { paths, spec, groups, uid, namespace, isPasta } = options
  return [
    ...(uid === null ? [] : OWN_MOUNTS),
    ...['bash', LAUNCH, paths.folder, uid === null ? 'plain' : 'mount', ...groups, '--'],
    ...(namespace ? ['nsenter', `--net=${namespace}`, '--'] : []),
    ...(uid === null ? [] : asAccount(uid)),
    ...(isPasta ? pastaCommand() : []),
    ...sandboxCommand(spec),
  ]
}

export async function startInstance(
  parts: StartingParts,
  request: EnsureRequest,
  signal: AbortSignal,
  progress: (it: Progress) => void,
): Promise<InstanceState> {
  const { layout, able, images } = parts
  const { spec, instanceId, generation } = request
  const paths = layout.of(instanceId)
  if (!('recipe' in spec.image)) throw new Error('this platform runs images from recipes only')
  const root = await images.ensureRoot(spec.image.recipe, signal, (it) =>
    progress({ step: 'image', text: it.text, share: it.share }),
  )
  signal.throwIfAborted()
  progress({ step: 'create', text: 'Starting', share: null })

  const network = networkOf(spec, able)
  const state = await parts.accounts('choose', async () => {
    const taken = (await readAllStates(layout)).flatMap((it) => (it.phase === 'ended' ? [] : (it.uid ?? [])))
    const noted: InstanceState = {
      instanceId,
      generation,
      phase: 'starting',
      bootId: await bootId(),
      startedAt: new Date().toISOString(),
      uid: able.isRoot ? await chooseAccount(taken) : null,
      network,
      ports: spec.ports,
      outer: null,
      inner: null,
      stopping: false,
      ended: null,
    }
    await writeState(layout, noted)
    return noted
  })

  await prepareFolders(paths, root, state.uid)
  const groups = await able.groups.make(paths.name, spec.resources)
  const made = network === 'veth' ? await parts.network.make(paths, signal) : null
  const dns = made?.resolvers ?? (network === 'pasta' ? [PASTA_RESOLVER] : [])
  await writeFile(paths.resolver, dns.map((address) => `nameserver ${address}\n`).join(''), { mode: 0o644 })
  const hasResolver = await isFile(join(root, 'etc/resolv.conf'))
  const sandbox = sandboxArguments({
    spec,
    hostname: `kalnet-${paths.short}`,
    network: network === 'none' ? 'none' : 'prepared',
    hasResolver,
    sources: able.isRoot ? MOUNTED : { root, home: paths.home, run: paths.run, resolver: paths.resolver },
  })
  await writeFile(paths.arguments, sandbox.join('\0'), { mode: 0o600 })
  signal.throwIfAborted()

  const command = commandLine({
    paths,
    spec,
    groups,
    uid: state.uid,
    namespace: made?.namespace ?? null,
    isPasta: network === 'pasta',
  })
  const output = openSync(paths.log, 'a', 0o600)
  try {
    // Detached and written to files only: it lives on when we do not.
    const child = start(command[0]!, command.slice(1), {
      detached: true,
      stdio: ['ignore', output, output],
      env: ENVIRONMENT,
      cwd: '/',
    })
    child.on('error', (error) => parts.log.error({ instance: instanceId, error }, 'it could not be started'))
    child.unref()
    return await waitForStart(parts, state, paths, child.pid ?? 0)
  } finally {
    closeSync(output)
  }
}

async function waitForStart(parts: StartingParts, state: InstanceState, paths: InstancePaths, pid: number) {
  const outer = identify(pid)
  for (let waited = 0; waited < START_LIMIT_MS; waited += LOOK_MS) {
    const inner = await innerOf(paths, outer)
    if (inner || !isAlive(outer)) {
      const { childPid } = readStatus((await readIfThere(paths.status)) ?? '')
      // One that came and went at once did start; one that never told its number did not.
      if (!inner && childPid === null) break
      const started: InstanceState = { ...state, phase: 'started', outer, inner }
      await writeState(parts.layout, started)
      return started
    }
    await pause(LOOK_MS)
  }
  signalAll(await tree([outer]), 'SIGKILL')
  const said = (await lastLines(paths.log, 3)).join(' | ')
  throw new Error(`the sandbox did not start: ${said || 'it said nothing'}`)
}
