/** The process platform: each instance is a bubblewrap sandbox on a root file system of ours, on this machine, without a container engine. */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Clock, systemClock } from '@kalnet/io/clock'
import type { Folders } from '@kalnet/io/folders'
import type { Log } from '@kalnet/io/log'
import { createAnnouncer } from '../announce.ts'
import { addressesOf, datagramsAt, dialNet } from '../dial-net.ts'
import { dialUnix } from '../dial-unix.ts'
import { give } from '../given.ts'
import { keepFilter } from '../keep-filter.ts'
import { createMetering } from '../metering.ts'
import { createKeyedMutex } from '../mutex.ts'
import type { EnsureRequest, Handle, Platform } from '../platform.ts'
import { removeTree } from '../remove-tree.ts'
import { createVolumes } from '../volumes.ts'
import { type Abilities, fingerprintOf, probeAbilities } from './abilities.ts'
import { createEnding } from './ending.ts'
import { execInside } from './exec.ts'
import { createListeners, datagramsInside } from './inside.ts'
import { createLayout } from './layout.ts'
import type { InsideTarget } from './maker.ts'
import { createRootNetwork } from './network-root.ts'
import { lastLines } from './output.ts'
import { isAlive, parentOf } from './processes.ts'
import { adoptStarting, type RootSource, startInstance } from './starting.ts'
import { bootId, type InstanceState, readAllStates, readState, writeState } from './state.ts'
import { usedBy } from './used.ts'
import { createWatch } from './watch.ts'

/** Roots and tools come and go (an image is built, pasta is installed): told again this often when they changed. */
const LOOK_AGAIN_MS = 30_000

export interface ProcessPlatformOptions {
  folders: Folders
  images: RootSource
  log: Log
  clock?: Clock
  /** How often the filter is looked at; for tests. */
  filterEveryMs?: number
}

export function createProcessPlatform(options: ProcessPlatformOptions): Platform {
  const { folders, images, log, clock = systemClock } = options
  const layout = createLayout(folders)
  const network = createRootNetwork(layout.installation)
  const changes = createAnnouncer<{ instanceId: string; generation: number }>()
  const oneAtATime = createKeyedMutex()
  const accounts = createKeyedMutex()
  const volumes = createVolumes(folders, 'process')
  const listeners = createListeners()
  let known: Promise<Abilities> | null = null
  const abilities = () => {
    known ??= probeAbilities(layout.installation)
    return known
  }
  async function release(state: InstanceState) {
    listeners.close(state.instanceId)
    const paths = layout.of(state.instanceId)
    const able = await abilities()
    if (able.isRoot && (state.network === 'veth' || state.network === 'local')) await network.remove(paths)
    await able.groups.remove(paths.name)
    for (const folder of [paths.run, paths.given]) await rm(folder, { recursive: true, force: true })
    await volumes.drop(state.instanceId)
  }
  const watch = createWatch({ layout, log, tell: (state) => changes.say(state) })
  const ending = createEnding({ layout, abilities, release, log })

  const handleOf = (state: InstanceState): Handle => ({
    platform: 'process',
    instanceId: state.instanceId,
    generation: state.generation,
    data: { pid: state.inner?.pid ?? 0, startTime: state.inner?.startTime ?? 0 },
  })
  const read = async (handle: { instanceId: string; generation: number }) => {
    const state = await readState(layout, handle.instanceId)
    return state?.generation === handle.generation ? state : null
  }

  /** After a crash in the middle of a start the processes are found first, so that they can be ended. */
  const complete = async (state: InstanceState | null): Promise<InstanceState | null> =>
    state?.phase === 'starting' ? ((await adoptStarting(layout, state)) ?? state) : state

  async function insideOf({ inner, network: kind }: InstanceState): Promise<InsideTarget> {
    if (!inner || !isAlive(inner)) throw new Error('it is not running')
    if ((await abilities()).isRoot) return { pid: inner.pid, withUser: false }
    // The sandbox's own user namespace has no right to the network; that of bubblewrap's outer process has, when we made the network.
    const outer = kind === 'none' ? null : parentOf(inner)
    if (!outer) throw new Error('as an ordinary user its ports are not reached on this machine')
    return { pid: outer.pid, withUser: true }
  }

  async function running(handle: Handle): Promise<InstanceState> {
    const state = await read(handle)
    if (!state || state.phase === 'ended') throw new Error('it is not running')
    return state
  }
  async function portOf(handle: Handle, portName: string) {
    const state = await running(handle)
    const port = state.ports.find((it) => it.name === portName)
    if (!port) throw new Error(`it has no port ${portName}`)
    return { state, port }
  }

  async function takeAway(instanceId: string) {
    const paths = layout.of(instanceId)
    const state = await complete(await readState(layout, instanceId))
    if (state && state.phase !== 'ended') await ending.end(state, 0)
    watch.drop(instanceId)
    if (state) await release(state)
    await removeTree(paths.folder)
  }

  async function ensure(
    request: EnsureRequest,
    signal: AbortSignal,
    progress: Parameters<Platform['ensure']>[2],
  ) {
    const able = await abilities()
    if (!able.usable) throw new Error(able.detail)
    if (!('recipe' in request.spec.image)) throw new Error('this platform runs images from recipes only')
    const there = await readState(layout, request.instanceId)
    if (there && there.generation > request.generation)
      throw new Error(`generation ${there.generation} is already there`)
    if (there && there.generation < request.generation) await takeAway(request.instanceId)
    if (there?.generation === request.generation) {
      const adopted = there.phase === 'starting' ? await adoptStarting(layout, there) : there
      if (adopted) {
        watch.add(adopted)
        return handleOf(adopted)
      }
      // A crash came between the note and the start: nothing runs of it, so start afresh.
      await takeAway(request.instanceId)
    }
    const state = await startInstance(
      { layout, able, images, network, volumes, accounts, log },
      request,
      signal,
      progress,
    )
    watch.add(state)
    return handleOf(state)
  }

  return {
    name: 'process',
    async *fingerprint(signal) {
      let last = ''
      while (!signal.aborted) {
        const built = (await images.list()).map((it) => it.digest)
        const now = fingerprintOf(await abilities(), built)
        if (JSON.stringify(now) !== last) yield now
        last = JSON.stringify(now)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, LOOK_AGAIN_MS)
          signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true })
        })
        if (!(await abilities()).usable) known = null
      }
    },
    ensure: (request, signal, progress) =>
      oneAtATime(request.instanceId, async () => {
        signal.throwIfAborted()
        return ensure(request, signal, progress)
      }),
    observe: (handle) =>
      oneAtATime(handle.instanceId, async () => {
        const state = await read(handle)
        if (!state) return { state: 'gone' }
        if (state.phase === 'starting') {
          const adopted = await adoptStarting(layout, state)
          if (!adopted) return { state: 'gone' }
          return ending.observe(adopted)
        }
        return ending.observe(state)
      }),
    stop: (handle, graceMs) =>
      oneAtATime(handle.instanceId, async () => {
        const state = await complete(await read(handle))
        if (!state || state.phase === 'ended') return
        if (graceMs > 0) await writeState(layout, { ...state, stopping: true })
        await ending.end({ ...state, stopping: true }, graceMs)
        changes.say({ instanceId: handle.instanceId, generation: handle.generation })
      }),
    remove: (handle) =>
      oneAtATime(handle.instanceId, async () => {
        if (await read(handle)) await takeAway(handle.instanceId)
      }),
    async list() {
      const states = await readAllStates(layout)
      const boot = await bootId()
      for (const state of states) if (state.phase === 'started' && state.bootId === boot) watch.add(state)
      return states.map(handleOf)
    },
    changes: (signal) => {
      watch.start(signal)
      if (process.getuid?.() === 0)
        void keepFilter({ networks: network, clock, log, everyMs: options.filterEveryMs }, signal)
      return changes.listen(signal)
    },
    async dial(handle, portName, signal) {
      const { state, port } = await portOf(handle, portName)
      const paths = layout.of(handle.instanceId)
      if ('unix' in port.at) return dialUnix(paths.run, basename(port.at.unix), signal)
      if (!('tcp' in port.at)) throw new Error(`${portName} is no port for connections`)
      return dialNet(state.address, port.at.tcp, () => insideOf(state), signal)
    },
    async dialDatagrams(handle, portName, signal) {
      const { state, port } = await portOf(handle, portName)
      if (!('udp' in port.at)) throw new Error(`${portName} is no port for datagrams`)
      return state.address
        ? datagramsAt({ host: state.address, port: port.at.udp }, signal)
        : datagramsInside(await insideOf(state), port.at.udp, signal)
    },
    async addresses(handle) {
      const state = await read(handle)
      return state && state.phase !== 'ended' ? addressesOf(state.address, state.ports) : {}
    },
    place: (handle, folder, files) =>
      oneAtATime(handle.instanceId, async () => {
        const { uid } = await running(handle)
        const place = join(layout.of(handle.instanceId).given, folder)
        if (!existsSync(place)) throw new Error(`it has no folder ${folder}`)
        await give(place, files, uid)
      }),
    async exec(handle, command, signal, timeoutMs) {
      const state = await running(handle)
      if (!state.inner || !isAlive(state.inner)) throw new Error('it is not running')
      // The namespaces of a sandbox belong to one that has no process in it: without root's rights they are not entered.
      if (state.uid === null) return null
      const paths = layout.of(handle.instanceId)
      const groups = (await abilities()).groups.entries(paths.name)
      const target = { inner: state.inner, uid: state.uid, groups, argumentsFile: paths.arguments }
      return execInside(target, command, signal, timeoutMs)
    },
    use: createMetering({
      clock,
      async read(handle) {
        const state = await read(handle)
        if (state?.phase !== 'started' || state.bootId !== (await bootId())) return null
        return usedBy(state, (await abilities()).groups, layout.of(handle.instanceId).name)
      },
    }),
    measureVolume: volumes.measure,
    removeVolume: (volumeId) =>
      accounts('choose', () =>
        volumes.remove(volumeId, async (instanceId) => {
          const state = await readState(layout, instanceId)
          if (!state || state.phase === 'ended' || state.bootId !== (await bootId())) return false
          return state.phase === 'starting' || isAlive(state.outer) || isAlive(state.inner)
        }),
      ),
    async listenInside(handle, places, take, signal, broken) {
      const state = await running(handle)
      await listeners.listen(handle.instanceId, await insideOf(state), places, take, signal, broken)
    },
    logs: (handle, lines) => lastLines(layout.of(handle.instanceId).log, lines),
  }
}
