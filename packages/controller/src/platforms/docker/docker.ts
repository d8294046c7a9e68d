/** The docker platform: each instance is a container of the engine on this machine. The engine holds the truth; we keep no state of our own. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Fingerprint } from '@kalnet/contracts/controller'
import type { Progress } from '@kalnet/contracts/instance'
import { type Clock, systemClock } from '@kalnet/io/clock'
import type { Folders } from '@kalnet/io/folders'
import type { Log } from '@kalnet/io/log'
import type { ContainerInspectInfo } from 'dockerode'
import type { Images } from '../../images/images.ts'
import { createAnnouncer } from '../announce.ts'
import { datagramsAt, dialNet } from '../dial-net.ts'
import { dialUnix } from '../dial-unix.ts'
import { give } from '../given.ts'
import { createKeyedMutex, createMutex } from '../mutex.ts'
import type { EnsureRequest, Handle, Observation, Platform } from '../platform.ts'
import { createListeners, datagramsInside } from '../process/inside.ts'
import { createVolumes } from '../volumes.ts'
import { containerName, createOptions, handleFrom, LABELS } from './container.ts'
import { createEngine, statusOf } from './engine.ts'
import { watchEngine } from './events.ts'
import { accountHere, prepareFolders, removeFolders } from './folders.ts'
import { createImageLoader } from './image.ts'
import { findOurs } from './inventory.ts'
import { keepFilter } from './keep-filter.ts'
import { createDockerLayout } from './layout.ts'
import { createInstanceNetworks } from './network.ts'
import { logLines, mergeLines, observationOf } from './observation.ts'
import { addressesAt, portsOf, wayTo } from './ports.ts'

const SPARE_LINES = 4000

export interface DockerPlatformOptions {
  folders: Folders
  images: Images
  log: Log
  clock?: Clock
  socketPath?: string
  /** Where networks of instances are cut from. */
  networkRange?: string
  /** How often the filter is looked at; for tests. */
  filterEveryMs?: number
}

export function createDockerPlatform(options: DockerPlatformOptions): Platform {
  const { images, log, clock = systemClock } = options
  const folders = {
    ...options.folders,
    data: resolve(options.folders.data),
    runtime: resolve(options.folders.runtime),
  }
  const layout = createDockerLayout(folders)
  const isRoot = process.getuid?.() === 0
  const engine = createEngine(options.socketPath)
  const ensureImage = createImageLoader(engine, images, layout.installation)
  const networks = createInstanceNetworks(engine, layout.installation, options.networkRange)
  const changes = createAnnouncer<{ instanceId: string; generation: number }>()
  const presence = createAnnouncer<boolean>()
  const oneAtATime = createKeyedMutex()
  const volumes = createVolumes(folders, 'docker')
  /** What is taken is not removed at the same moment. */
  const volumesOneAtATime = createMutex()
  const listeners = createListeners()

  const ours = (instanceId?: string) =>
    findOurs({ engine, networks, installation: layout.installation }, instanceId)

  async function inspect(handle: Handle): Promise<ContainerInspectInfo | null> {
    const client = await engine.client()
    try {
      return await client.getContainer(String(handle.data.container)).inspect()
    } catch (error) {
      if (statusOf(error) === 404) return null
      throw error
    }
  }

  async function removeContainer(id: string) {
    const client = await engine.client()
    try {
      await client.getContainer(id).remove({ force: true, v: true })
    } catch (error) {
      // Gone already, or somebody is removing it: both are what we want.
      if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error
    }
  }

  async function startContainer(id: string) {
    try {
      await (await engine.client()).getContainer(id).start()
    } catch (error) {
      // Running already.
      if (statusOf(error) !== 304) throw error
    }
  }

  async function create(request: EnsureRequest, image: string): Promise<string> {
    const { spec, instanceId } = request
    const uid = await volumesOneAtATime(async () => {
      // Who shares a volume shares the number.
      const its = isRoot ? await volumes.ownerOf(spec.volumes, (owner) => owner > 0) : null
      const chosen = its ?? accountHere()
      await volumes.take(instanceId, spec.volumes, isRoot ? chosen : null)
      return chosen
    })
    const paths = layout.of(instanceId)
    await prepareFolders(paths, spec, uid)
    const way =
      spec.network !== 'none' && networks.isPossible ? await networks.make(request, spec.network) : null
    const client = await engine.client()
    const around = {
      installation: layout.installation,
      image,
      uid,
      paths,
      folderOf: volumes.folderOf,
      network: way?.network ?? null,
      resolvers: way?.resolvers ?? [],
    }
    try {
      return (await client.createContainer(createOptions(request, around))).id
    } catch (error) {
      if (statusOf(error) !== 409) throw error
      // The same id and generation is there: an earlier call of ours got this far.
      const there = await client.getContainer(containerName(request.instanceId, request.generation)).inspect()
      if (there.Config.Labels[LABELS.installation] !== layout.installation) throw error
      return there.Id
    }
  }

  async function ensure(request: EnsureRequest, signal: AbortSignal, progress: (it: Progress) => void) {
    const { instanceId, generation } = request
    // Refused before anything is made.
    portsOf(request.spec, isRoot)
    if (request.spec.network === 'local' && !networks.isPossible)
      throw new Error('networks of containers that lead nowhere take root')
    const present = await ours(instanceId)
    const higher = present.find(({ handle }) => handle.generation > generation)
    if (higher) throw new Error(`generation ${higher.handle.generation} is already there`)
    for (const { handle } of present) if (handle.generation < generation) await takeAway(handle)
    const same = present.find(({ handle }) => handle.generation === generation)
    if (same?.state && same.state !== 'created') return same.handle
    const image = await ensureImage(request.spec.image, signal, progress)
    signal.throwIfAborted()
    progress({ step: 'create', text: 'Starting', share: null })
    let id: string | null = null
    try {
      // Also when a crash left one that never started: its network and the filter must stand first.
      id = await create(request, image)
      signal.throwIfAborted()
      await startContainer(id)
      const info = await (await engine.client()).getContainer(id).inspect()
      const handle = handleFrom(info.Id, info.Config.Labels)
      if (!handle) throw new Error('the engine lost the labels of a container')
      return handle
    } catch (error) {
      if (id) await removeContainer(id)
      await networks.remove(instanceId, generation)
      await volumes.drop(instanceId)
      throw error
    }
  }

  async function takeAway(handle: Handle) {
    listeners.close(handle.instanceId)
    await removeContainer(String(handle.data.container))
    await networks.remove(handle.instanceId, handle.generation)
    const left = await ours(handle.instanceId)
    if (left.some(({ handle: it }) => it.generation !== handle.generation)) return
    await removeFolders(layout.of(handle.instanceId))
    await volumes.drop(handle.instanceId)
  }

  async function observe(handle: Handle): Promise<Observation> {
    const info = await inspect(handle)
    return info ? observationOf(info.State) : { state: 'gone' }
  }

  async function stop(handle: Handle, graceMs: number) {
    const container = (await engine.client()).getContainer(String(handle.data.container))
    try {
      if (graceMs <= 0) await container.kill()
      else await container.stop({ t: Math.ceil(graceMs / 1000) })
    } catch (error) {
      // 304 and 409: it does not run any more. 404: nothing is there.
      if (![304, 404, 409].includes(statusOf(error) ?? 0)) throw error
    }
  }

  async function fingerprintNow(): Promise<Fingerprint> {
    const built = (await images.list()).map((it) => it.digest).slice(0, 500)
    const base = { platform: 'docker' as const, isolation: 'container' as const, images: built }
    try {
      const version = await (await engine.client()).version()
      const detail = networks.isPossible
        ? 'Ready'
        : 'Ready; without network, because only root may set the filter that keeps sessions out of your LAN'
      return {
        ...base,
        usable: true,
        detail,
        version: version.Version,
        limits: true,
        network: networks.isPossible,
        localNetwork: networks.isPossible,
      }
    } catch {
      const detail = 'The Docker engine does not answer; start it, and let this user use it (group docker)'
      return {
        ...base,
        usable: false,
        detail,
        version: '',
        limits: false,
        network: false,
        localNetwork: false,
      }
    }
  }

  /** After the engine was away anything may have happened: look at all. */
  async function lookAtAll() {
    for (const { handle } of await ours()) tell(handle)
  }
  function tell({ instanceId, generation }: Pick<Handle, 'instanceId' | 'generation'>) {
    changes.say({ instanceId, generation })
  }

  const addressIn = (info: ContainerInspectInfo): string | undefined =>
    Object.values(info.NetworkSettings.Networks).find((it) => it.IPAddress)?.IPAddress

  async function placeOf(handle: Handle) {
    const info = await inspect(handle)
    if (!info?.State.Pid) throw new Error('it has no process')
    return { address: addressIn(info), inside: { pid: info.State.Pid, withUser: false } }
  }

  async function whileItRuns<T>(handle: Handle, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      // Asked only now: the usual way costs the engine nothing.
      if ((await observe(handle)).state !== 'running') throw new Error('it is not running', { cause: error })
      throw error
    }
  }

  let watching = 0
  let stopWatching: AbortController | null = null
  /** One event stream for all listeners; it ends with the last of them. */
  function watch(signal: AbortSignal) {
    if (signal.aborted) return
    watching++
    signal.addEventListener('abort', () => --watching === 0 && stopWatching?.abort(), { once: true })
    if (watching > 1) return
    stopWatching = new AbortController()
    const parts = {
      engine,
      installation: layout.installation,
      clock,
      log,
      tell: (labels: Record<string, string>) => {
        const handle = handleFrom('', labels)
        if (handle) tell(handle)
      },
      connected: async (isThere: boolean) => {
        presence.say(isThere)
        if (!isThere) return
        await networks
          .keep()
          .catch((error) => log.error({ error: String(error) }, 'the filter of networks could not be set'))
        await lookAtAll()
      },
    }
    watchEngine(parts, stopWatching.signal).catch((error) =>
      log.error({ error: String(error) }, 'watching the container engine ended'),
    )
    void keepFilter({ networks, clock, log, everyMs: options.filterEveryMs }, stopWatching.signal)
  }

  return {
    name: 'docker',
    async *fingerprint(signal) {
      const news = presence.listen(signal)
      watch(signal)
      let last = ''
      const fresh = async () => {
        const now = await fingerprintNow()
        const isNew = JSON.stringify(now) !== last
        last = JSON.stringify(now)
        return isNew ? now : null
      }
      const first = await fresh()
      if (first) yield first
      for await (const _ of news) {
        const next = await fresh()
        if (next) yield next
      }
    },
    ensure: (request, signal, progress) =>
      oneAtATime(request.instanceId, async () => {
        signal.throwIfAborted()
        return ensure(request, signal, progress)
      }),
    observe,
    stop,
    remove: (handle) => oneAtATime(handle.instanceId, () => takeAway(handle)),
    list: async () => (await ours()).map(({ handle }) => handle),
    changes: (signal) => {
      const listening = changes.listen(signal)
      watch(signal)
      return listening
    },
    dial: (handle, portName, signal) =>
      whileItRuns(handle, async () => {
        const way = wayTo(handle, portName)
        if ('unix' in way) return dialUnix(layout.of(handle.instanceId).run, way.unix, signal)
        if (!('tcp' in way)) throw new Error(`${portName} is no port for connections`)
        const { address, inside } = await placeOf(handle)
        return dialNet(address, way.tcp, async () => inside, signal)
      }),
    dialDatagrams: (handle, portName, signal) =>
      whileItRuns(handle, async () => {
        const way = wayTo(handle, portName)
        if (!('udp' in way)) throw new Error(`${portName} is no port for datagrams`)
        const { address, inside } = await placeOf(handle)
        return address
          ? datagramsAt({ host: address, port: way.udp }, signal)
          : datagramsInside(inside, way.udp, signal)
      }),
    async addresses(handle) {
      const info = await inspect(handle)
      return info?.State.Running ? addressesAt(addressIn(info), handle) : {}
    },
    listenInside: (handle, places, take, signal) =>
      whileItRuns(handle, async () => {
        const { inside } = await placeOf(handle)
        await listeners.listen(handle.instanceId, inside, places, take, signal)
      }),
    async place(handle, folder, files) {
      const info = await inspect(handle)
      const place = join(layout.of(handle.instanceId).given, folder)
      if (!info || !existsSync(place)) throw new Error(`it has no folder ${folder}`)
      await give(place, files, isRoot ? Number(info.Config.User.split(':')[0]) : null)
    },
    removeVolume: (volumeId) =>
      volumesOneAtATime(() =>
        volumes.remove(volumeId, async (instanceId) =>
          (await ours(instanceId)).some(
            ({ state }) => state !== null && state !== 'exited' && state !== 'dead',
          ),
        ),
      ),
    async logs(handle, lines) {
      const client = await engine.client()
      try {
        const container = client.getContainer(String(handle.data.container))
        // The engine counts both outputs together: more is asked for, so that the quieter one is in it.
        const how = {
          stdout: true,
          stderr: true,
          tail: lines + SPARE_LINES,
          timestamps: true,
          follow: false as const,
        }
        return mergeLines(logLines(await container.logs(how)), lines)
      } catch (error) {
        if (statusOf(error) === 404) return []
        throw error
      }
    },
  }
}
