/** What the fake platform drives: runtimes that survive restarts of the controller, and can be told to fail, wait and get lost. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { InstanceSpec } from '@kalnet/contracts/instance'
import type { Clock } from '@kalnet/io/clock'
import { type Announcer, createAnnouncer } from '../announce.ts'
import { createFakePrograms } from './programs.ts'

export interface FakeRuntime {
  instanceId: string
  generation: number
  startedAt: string
  ended: { code: number | null; reason: string; at: string } | null
  /** The display answers. */
  ready: boolean
  lines: string[]
  ports: InstanceSpec['ports']
  /** Of its volumes, by id. */
  volumes: string[]
  /** By the path below /run/kalnet: `files/settings`. */
  files: Record<string, string>
}

export type FakeOperation =
  | 'ensure'
  | 'observe'
  | 'stop'
  | 'remove'
  | 'list'
  | 'dial'
  | 'logs'
  | 'exec'
  | 'listen'
  | 'place'
  | 'removeVolume'
  | 'use'
  | 'measureVolume'

export interface FakeWorld {
  runtimes: Map<string, FakeRuntime>
  /** How often each `id/generation` was created: more than once is a bug of the controller. */
  created: Map<string, number>
  /** By id, with what a test put in; they stay until they are removed by themselves. */
  volumes: Map<string, Record<string, string>>
  /** What plays the programs inside: `programs.told` is for tests. */
  programs: ReturnType<typeof createFakePrograms>
  /** The highest number of runtimes one instance ever had at one time. */
  mostAtOnce: number
  notices: Announcer<{ instanceId: string; generation: number }>
  /** Each operation goes through here: waits and throws as told. */
  enter(operation: FakeOperation, signal?: AbortSignal): Promise<void>
  /** How often it was called. */
  counted(operation: FakeOperation): number
  /** The next `times` calls fail. */
  fail(operation: FakeOperation, problem: string, times?: number): void
  delay(operation: FakeOperation, ms: number): void
  /** New runtimes come up with a display that does not answer. */
  displaysComeUp: boolean
  /** Its program ends by itself. */
  end(instanceId: string, code: number | null, reason: string): void
  /** It vanishes without a trace. */
  lose(instanceId: string): void
  save(): void
}

export const runtimeKey = (it: { instanceId: string; generation: number }) =>
  `${it.instanceId}/${it.generation}`

/** With `file` the runtimes survive the end of this process too. */
export function createFakeWorld(options: { clock: Clock; file?: string }): FakeWorld {
  const { clock, file } = options
  const failures = new Map<FakeOperation, { problem: string; left: number }>()
  const delays = new Map<FakeOperation, number>()
  const calls = new Map<FakeOperation, number>()
  const of = (instanceId: string) => [...world.runtimes.values()].filter((it) => it.instanceId === instanceId)
  const tell = (it: FakeRuntime) =>
    world.notices.say({ instanceId: it.instanceId, generation: it.generation })

  const world: FakeWorld = {
    runtimes: new Map(),
    created: new Map(),
    volumes: new Map(),
    programs: createFakePrograms(),
    mostAtOnce: 0,
    notices: createAnnouncer(),
    displaysComeUp: true,
    counted: (operation) => calls.get(operation) ?? 0,
    async enter(operation, signal) {
      calls.set(operation, world.counted(operation) + 1)
      const ms = delays.get(operation)
      if (ms) await clock.sleep(ms, signal)
      signal?.throwIfAborted()
      const failure = failures.get(operation)
      if (!failure || failure.left <= 0) return
      failure.left -= 1
      throw new Error(failure.problem)
    },
    fail: (operation, problem, times = 1) => void failures.set(operation, { problem, left: times }),
    delay: (operation, ms) => void delays.set(operation, ms),
    end(instanceId, code, reason) {
      for (const it of of(instanceId)) {
        it.ended ??= { code, reason, at: clock.now().toISOString() }
        tell(it)
      }
      world.save()
    },
    lose(instanceId) {
      for (const it of of(instanceId)) {
        world.runtimes.delete(runtimeKey(it))
        tell(it)
      }
      world.save()
    },
    save() {
      if (!file) return
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(
        `${file}.tmp`,
        JSON.stringify({
          runtimes: [...world.runtimes.values()],
          volumes: [...world.volumes],
        } satisfies Saved),
      )
      renameSync(`${file}.tmp`, file)
    },
  }
  const saved = file ? readSaved(file) : null
  for (const it of saved?.runtimes ?? []) world.runtimes.set(runtimeKey(it), it)
  for (const [id, content] of saved?.volumes ?? []) world.volumes.set(id, content)
  return world
}

interface Saved {
  runtimes: FakeRuntime[]
  volumes: [id: string, content: Record<string, string>][]
}

function readSaved(file: string): Saved | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Saved
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
