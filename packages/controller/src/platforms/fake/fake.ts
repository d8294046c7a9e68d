/** A platform without machines: passes the same conformance suite as the real ones and fails on demand. */
import { fail } from '@kalnet/contracts/errors'
import type { Port } from '@kalnet/contracts/instance'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Handle, Platform } from '../platform.ts'
import { endedInWords } from '../reasons.ts'
import { type FakeRuntime, type FakeWorld, runtimeKey } from './world.ts'

function portOf(it: FakeRuntime, name: string, way: 'stream' | 'datagrams'): Port {
  const port = it.ports.find((one) => one.name === name)
  if (!port) throw new Error(`it has no port ${name}`)
  if ('udp' in port.at !== (way === 'datagrams'))
    throw new Error(`${name} is no port for ${way === 'stream' ? 'connections' : 'datagrams'}`)
  if (!it.ready) throw new Error('nothing listens there')
  return port
}

export function createFakePlatform(options: { world: FakeWorld; clock: Clock }): Platform {
  const { world, clock } = options
  const handleOf = (it: { instanceId: string; generation: number }): Handle => ({
    platform: 'fake',
    instanceId: it.instanceId,
    generation: it.generation,
    data: { key: runtimeKey(it) },
  })
  const find = (handle: Pick<Handle, 'instanceId' | 'generation'>): FakeRuntime | undefined =>
    world.runtimes.get(runtimeKey(handle))
  const running = (handle: Handle): FakeRuntime => {
    const it = find(handle)
    if (!it || it.ended) throw new Error('it is not running')
    return it
  }
  const siblings = (instanceId: string) =>
    [...world.runtimes.values()].filter((it) => it.instanceId === instanceId)

  return {
    name: 'fake',
    async *fingerprint(signal) {
      if (signal.aborted) return
      yield {
        platform: 'fake',
        usable: true,
        detail: 'Runs nothing; for tests',
        version: '1',
        isolation: 'none',
        limits: false,
        network: false,
        localNetwork: true,
        images: [],
      }
    },
    async ensure(request, signal, progress) {
      await world.enter('ensure', signal)
      const there = siblings(request.instanceId)
      const higher = there.find((it) => it.generation > request.generation)
      if (higher) throw new Error(`generation ${higher.generation} is already there`)
      const same = there.find((it) => it.generation === request.generation)
      if (same) return handleOf(same)
      const missing = request.spec.volumes.find((it) => it.existing && !world.volumes.has(it.id))
      if (missing) throw fail('volume.missing', { name: missing.name })
      for (const it of there) world.runtimes.delete(runtimeKey(it))
      progress({ step: 'create', text: 'Starting', share: null })
      const runtime: FakeRuntime = {
        instanceId: request.instanceId,
        generation: request.generation,
        startedAt: stamp(clock),
        ended: null,
        ready: world.displaysComeUp,
        lines: [`started ${request.spec.command.join(' ')}`],
        ports: request.spec.ports,
        volumes: request.spec.volumes.map((it) => it.id),
        files: Object.fromEntries([
          ...request.spec.files.map((it) => [`files/${it.name}`, it.content]),
          ...Object.entries(request.identity ?? {}).map(([name, content]) => [`identity/${name}`, content]),
        ]),
      }
      for (const id of runtime.volumes) if (!world.volumes.has(id)) world.volumes.set(id, {})
      const key = runtimeKey(runtime)
      world.runtimes.set(key, runtime)
      world.created.set(key, (world.created.get(key) ?? 0) + 1)
      world.mostAtOnce = Math.max(world.mostAtOnce, siblings(request.instanceId).length)
      world.save()
      return handleOf(runtime)
    },
    async observe(handle) {
      await world.enter('observe')
      const it = find(handle)
      if (!it) return { state: 'gone' }
      if (!it.ended) return { state: 'running', startedAt: it.startedAt }
      return { state: 'ended', code: it.ended.code, reason: it.ended.reason, endedAt: it.ended.at }
    },
    async stop(handle) {
      await world.enter('stop')
      const it = find(handle)
      if (!it || it.ended) return
      it.ended = { code: 143, reason: endedInWords(143), at: stamp(clock) }
      world.notices.say({ instanceId: it.instanceId, generation: it.generation })
      world.save()
    },
    async remove(handle) {
      await world.enter('remove')
      world.runtimes.delete(runtimeKey(handle))
      world.save()
    },
    async list() {
      await world.enter('list')
      return [...world.runtimes.values()].map(handleOf)
    },
    changes: (signal) => world.notices.listen(signal),
    async use(handles, signal) {
      await world.enter('use', signal)
      const { uses } = world.programs.told
      const its = handles.flatMap(({ instanceId, generation }) => {
        const use = find({ instanceId, generation })?.ended === null ? uses(instanceId) : null
        return use ? [{ instanceId, generation, ...use, at: stamp(clock) }] : []
      })
      return { known: true, instances: its }
    },
    async dial(handle, portName, signal) {
      await world.enter('dial', signal)
      return world.programs.connect(handle.instanceId, portOf(running(handle), portName, 'stream'))
    },
    async dialDatagrams(handle, portName, signal) {
      await world.enter('dial', signal)
      const port = portOf(running(handle), portName, 'datagrams')
      const listening = new Set<(payload: Buffer) => void>()
      let isOpen = true
      const close = () => {
        isOpen = false
      }
      signal.addEventListener('abort', close, { once: true })
      return {
        send(payload) {
          if (!isOpen || find(handle)?.ended !== null) return
          world.programs.datagram(handle.instanceId, port, payload, (reply) =>
            queueMicrotask(() => {
              if (isOpen) for (const listener of listening) listener(reply)
            }),
          )
        },
        onMessage: (listener) => void listening.add(listener),
        close,
      }
    },
    async addresses(handle) {
      const told = world.programs.told.addresses.get(handle.instanceId) ?? {}
      return find(handle)?.ended === null ? told : {}
    },
    async listenInside(handle, places, take, signal, broken) {
      await world.enter('listen', signal)
      running(handle)
      const taken = [...world.programs.listeners].filter((it) => it.instanceId === handle.instanceId)
      for (const name of Object.keys(places))
        if (taken.some((it) => name in it.places)) throw new Error(`the place of ${name} is taken`)
      const fail = (error: Error) => {
        world.programs.listeners.delete(listener)
        broken?.(error)
      }
      const listener = { instanceId: handle.instanceId, places, take, fail }
      world.programs.listeners.add(listener)
      signal.addEventListener('abort', () => world.programs.listeners.delete(listener), { once: true })
    },
    async exec(handle, command, signal) {
      await world.enter('exec', signal)
      running(handle)
      return world.programs.told.executed(handle.instanceId, command)
    },
    async healthOf(handle) {
      return world.programs.told.healthOf(handle.instanceId)
    },
    async place(handle, folder, files) {
      await world.enter('place')
      const it = running(handle)
      const others = Object.entries(it.files).filter(([path]) => !path.startsWith(`${folder}/`))
      const placed = Object.entries(files).map(([name, content]) => [`${folder}/${name}`, content] as const)
      it.files = Object.fromEntries([...others, ...placed])
      world.save()
    },
    async measureVolume(volumeId, signal) {
      await world.enter('measureVolume', signal)
      const content = world.volumes.get(volumeId)
      if (!content) return null
      const bytes = Buffer.byteLength(Object.values(content).join(''))
      return { bytes, reservedBytes: null, place: `fake/${volumeId}` }
    },
    async removeVolume(volumeId) {
      await world.enter('removeVolume')
      const user = [...world.runtimes.values()].find((it) => !it.ended && it.volumes.includes(volumeId))
      if (user) throw new Error(`the instance ${user.instanceId} uses the volume`)
      world.volumes.delete(volumeId)
      world.save()
    },
    async logs(handle, lines) {
      await world.enter('logs')
      return (find(handle)?.lines ?? []).slice(-lines)
    },
  }
}
