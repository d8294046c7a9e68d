/** A platform without machines: passes the same conformance suite as the real ones and fails on demand. */
import { Duplex } from 'node:stream'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Handle, Platform } from '../platform.ts'
import { endedInWords } from '../reasons.ts'
import { type FakeRuntime, type FakeWorld, runtimeKey } from './world.ts'

/** Greets as a display does, then says back what it is told. */
function echo(): Duplex {
  const stream = new Duplex({
    read: () => undefined,
    write(chunk, _encoding, done) {
      stream.push(chunk)
      done()
    },
    final(done) {
      stream.push(null)
      done()
    },
  })
  stream.push('RFB 003.008\n')
  return stream
}

export function createFakePlatform(options: { world: FakeWorld; clock: Clock }): Platform {
  const { world, clock } = options
  const handleOf = (it: { instanceId: string; generation: number }): Handle => ({
    platform: 'fake',
    instanceId: it.instanceId,
    generation: it.generation,
    data: { key: runtimeKey(it) },
  })
  const find = (handle: Handle): FakeRuntime | undefined => world.runtimes.get(runtimeKey(handle))
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
      for (const it of there) world.runtimes.delete(runtimeKey(it))
      progress({ step: 'create', text: 'Starting', share: null })
      const runtime: FakeRuntime = {
        instanceId: request.instanceId,
        generation: request.generation,
        startedAt: stamp(clock),
        ended: null,
        ready: world.displaysComeUp,
        lines: [`started ${request.spec.command.join(' ')}`],
        ports: request.spec.ports.map((it) => it.name),
      }
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
    async dial(handle, portName, signal) {
      await world.enter('dial', signal)
      const it = find(handle)
      if (!it || it.ended) throw new Error('it is not running')
      if (!it.ports.includes(portName)) throw new Error(`it has no port ${portName}`)
      if (!it.ready) throw new Error('nothing listens there')
      return echo()
    },
    async logs(handle, lines) {
      await world.enter('logs')
      return (find(handle)?.lines ?? []).slice(-lines)
    },
  }
}
