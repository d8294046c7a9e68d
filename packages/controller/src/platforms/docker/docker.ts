/** The docker platform: each instance is a container of the engine on this machine. The engine holds the truth; we keep no state of our own. */
import { resolve } from 'node:path'
import type { Progress } from '@kalnet/contracts/instance'
import { type Clock, systemClock } from '@kalnet/io/clock'
import type { Folders } from '@kalnet/io/folders'
import type { Log } from '@kalnet/io/log'
import type { ContainerInspectInfo } from 'dockerode'
import type { Images } from '../../images/images.ts'
import { createMetering } from '../metering.ts'
import { createKeyedMutex, createMutex } from '../mutex.ts'
import type { EnsureRequest, Handle, Observation, Platform } from '../platform.ts'
import { createVolumes } from '../volumes.ts'
import { containerName, createOptions, handleFrom, LABELS } from './container.ts'
import { createEngine, statusOf } from './engine.ts'
import { accountHere, prepareFolders, removeFolders } from './folders.ts'
import { createImageLoader } from './image.ts'
import { findOurs } from './inventory.ts'
import { createDockerLayout } from './layout.ts'
import { createInstanceNetworks } from './network.ts'
import { createNews } from './news.ts'
import { logLines, mergeLines, observationOf } from './observation.ts'
import { portsOf } from './ports.ts'
import { readUsed } from './used.ts'
import { createWithin } from './within.ts'

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
  const oneAtATime = createKeyedMutex()
  const volumes = createVolumes(folders, 'docker')
  /** What is taken is not removed at the same moment. */
  const volumesOneAtATime = createMutex()

  const ours = (instanceId?: string) =>
    findOurs({ engine, networks, installation: layout.installation }, instanceId)
  const list = async () => (await ours()).map(({ handle }) => handle)
  const news = createNews({
    ...{ engine, networks, images, installation: layout.installation, list, clock, log },
    filterEveryMs: options.filterEveryMs,
  })
  const { close, ...ways } = createWithin({ engine, layout, inspect })

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
    await prepareFolders(paths, request, uid)
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
    close(handle.instanceId)
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

  return {
    name: 'docker',
    fingerprint: news.fingerprint,
    changes: news.changes,
    ...ways,
    ensure: (request, signal, progress) =>
      oneAtATime(request.instanceId, async () => {
        signal.throwIfAborted()
        return ensure(request, signal, progress)
      }),
    observe,
    stop,
    remove: (handle) => oneAtATime(handle.instanceId, () => takeAway(handle)),
    list,
    use: createMetering({ clock, read: (handle) => readUsed(engine, handle) }),
    measureVolume: volumes.measure,
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
