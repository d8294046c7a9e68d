/** The start of an instance, in the order in which a crash can be told apart afterwards: note, make, start, note. */

import { closeSync, openSync } from 'node:fs'
import { chmod, chown, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InstanceSpec, Progress } from '@kalnet/contracts/instance'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import { readIfThere } from '@kalnet/io/files'
import type { Log } from '@kalnet/io/log'
import { start } from '@kalnet/io/spawn'
import { makeGiven } from '../given.ts'
import { hostsFile } from '../links.ts'
import type { EnsureRequest } from '../platform.ts'
import type { Volumes } from '../volumes.ts'
import { type Abilities, asAccount, OWN_MOUNTS } from './abilities.ts'
import { chooseAccount, isAccount } from './accounts.ts'
import type { InstancePaths, Layout } from './layout.ts'
import type { RootNetwork } from './network-root.ts'
import { ownNetworkCommand, PASTA_RESOLVER, pastaCommand } from './network-user.ts'
import { lastLines } from './output.ts'
import { findInner, identify, isAlive, signalAll, tree } from './processes.ts'
import { rootView } from './root-view.ts'
import { MOUNTED, readStatus, type Sources, sandboxArguments, sandboxCommand } from './sandbox.ts'
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
  volumes: Volumes
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

async function prepareFolders(
  parts: StartingParts,
  request: EnsureRequest,
  root: string,
  uid: number | null,
) {
  const paths = parts.layout.of(request.instanceId)
  const { spec } = request
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
  await mkdir(dirname(paths.given), { recursive: true, mode: 0o700 })
  await rm(paths.given, { recursive: true, force: true })
  await mkdir(paths.given, { mode: 0o755 })
  await makeGiven(paths.given, request, uid)
  await writeFile(paths.hosts, hostsFile(hostnameOf(paths), spec.links), { mode: 0o644 })
  await rm(paths.shown, { recursive: true, force: true })
  await mkdir(paths.shown)
  const volumes = spec.volumes.map((it, index) => [`volume-${index}`, parts.volumes.folderOf(it.id)] as const)
  for (const [name, target] of [['hosts', paths.hosts], ['given', paths.given], ...volumes] as const)
    await symlink(target, join(paths.shown, name))
  // The log stays ours: a program that opened it by name (/dev/stderr) would cut off what the others printed.
  for (const file of [paths.status, paths.pid]) await writeFile(file, '', { mode: 0o600 })
}

const hostnameOf = (paths: InstancePaths) => `kalnet-${paths.short}`

const isFile = (path: string) =>
  stat(path).then(
    (it) => it.isFile(),
    () => false,
  )

/** Where the root must have a folder; what lies in folders of its own can be made there. */
const placesOf = (spec: InstanceSpec): string[] =>
  spec.volumes.map((it) => it.at).filter((at) => !/^\/+home(\/|$)/.test(at))

function networkOf(spec: InstanceSpec, able: Abilities): InstanceState['network'] {
  if (spec.network === 'internet' && able.network !== 'none') return able.network
  if (spec.network === 'local') {
    if (able.local === 'none') throw new Error('networks that lead nowhere are not possible on this machine')
    return able.local === 'veth' ? 'local' : 'own'
  }
  // Root enters any sandbox; others only a network that they made themselves.
  const isEntered = spec.links.length > 0 || spec.ports.some((it) => !('unix' in it.at))
  return isEntered && able.local === 'own' ? 'own' : 'none'
}

/** The whole command line, from the outermost to the program. */
function commandLine(options: {
  paths: InstancePaths
  spec: InstanceSpec
  groups: string[]
  uid: number | null
  namespace: string | null
  network: InstanceState['network']
}): string[] {
  const { paths, spec, groups, uid, namespace, network } = options
  return [
    ...(uid === null ? [] : OWN_MOUNTS),
    ...['bash', LAUNCH, paths.folder, uid === null ? 'plain' : 'mount', ...groups, '--'],
    ...(namespace ? ['nsenter', `--net=${namespace}`, '--'] : []),
    ...(uid === null ? [] : asAccount(uid)),
    ...(network === 'pasta' ? pastaCommand() : network === 'own' ? ownNetworkCommand() : []),
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
  const noted = await parts.accounts('choose', async () => {
    const taken = (await readAllStates(layout)).flatMap((it) => (it.phase === 'ended' ? [] : (it.uid ?? [])))
    const owners = await parts.volumes.owners()
    // Who shares a volume shares the number; a volume that rests keeps its own from everybody else.
    const account = async () =>
      (await parts.volumes.ownerOf(spec.volumes, isAccount)) ?? (await chooseAccount([...taken, ...owners]))
    const fresh: InstanceState = {
      instanceId,
      generation,
      phase: 'starting',
      bootId: await bootId(),
      startedAt: new Date().toISOString(),
      uid: able.isRoot ? await account() : null,
      network,
      ports: spec.ports,
      outer: null,
      inner: null,
      stopping: false,
      ended: null,
    }
    await writeState(layout, fresh)
    await parts.volumes.take(instanceId, spec.volumes, fresh.uid)
    return fresh
  })

  await prepareFolders(parts, request, root, noted.uid)
  const groups = await able.groups.make(paths.name, spec.resources)
  const kind = network === 'veth' ? 'internet' : network === 'local' ? 'local' : null
  const made = kind && (await parts.network.make(paths, kind, signal))
  const state: InstanceState = made ? { ...noted, address: made.address } : noted
  if (made) await writeState(layout, state)
  const dns = made?.resolvers ?? (network === 'pasta' ? [PASTA_RESOLVER] : [])
  await writeFile(paths.resolver, dns.map((address) => `nameserver ${address}\n`).join(''), { mode: 0o644 })
  const sources: Sources = able.isRoot
    ? MOUNTED
    : {
        root,
        home: paths.home,
        run: paths.run,
        resolver: paths.resolver,
        hosts: paths.hosts,
        given: paths.given,
        volume: (index) => parts.volumes.folderOf(spec.volumes[index]!.id),
      }
  const sandbox = sandboxArguments({
    spec,
    hostname: hostnameOf(paths),
    network: network === 'none' ? 'none' : 'prepared',
    hasResolver: await isFile(join(root, 'etc/resolv.conf')),
    hasHosts: await isFile(join(root, 'etc/hosts')),
    root: await rootView(root, sources.root, placesOf(spec)),
    sources,
  })
  await writeFile(paths.arguments, sandbox.join('\0'), { mode: 0o600 })
  signal.throwIfAborted()

  const command = commandLine({
    paths,
    spec,
    groups,
    uid: state.uid,
    namespace: made?.namespace ?? null,
    network,
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
