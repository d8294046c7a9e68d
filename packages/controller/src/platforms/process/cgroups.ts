/** Limits on memory, processors and processes by control groups of our own, version 1 or 2, where this machine lets us make them. */
import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { InstanceSpec } from '@kalnet/contracts/instance'

const MOUNT = '/sys/fs/cgroup'
const PERIOD_US = 100_000

export interface Groups {
  version: 0 | 1 | 2
  /** Makes the groups and sets the limits. Answers the files to enter them by; empty where there are none. */
  make(name: string, resources: InstanceSpec['resources']): Promise<string[]>
  /** The files to enter existing groups by. */
  entries(name: string): string[]
  outOfMemory(name: string): Promise<boolean>
  /** What the kernel counts of them; null: not here, or there are none. */
  used(name: string): Promise<{ cpuSeconds: number | null; memoryBytes: number | null }>
  /** Process ids in the groups, for leftovers that no tree leads to any more. */
  members(name: string): Promise<number[]>
  remove(name: string): Promise<void>
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

const readOr = (path: string, otherwise: string) => readFile(path, 'utf8').catch(() => otherwise)

/** rmdir waits for nobody: members that were just killed take a moment to leave. */
async function removeGroup(folder: string) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await rmdir(folder)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      if (code !== 'EBUSY' || attempt >= 50) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

interface Hierarchy {
  folder(name: string): string
  settings(resources: InstanceSpec['resources']): [file: string, value: string, isOptional: boolean][]
}

const V1: Record<'memory' | 'cpu' | 'pids', Hierarchy['settings']> = {
  memory: ({ memoryBytes }) => [
    ['memory.limit_in_bytes', String(memoryBytes), false],
    // Swap is counted only where the kernel was built and started for it.
    ['memory.memsw.limit_in_bytes', String(memoryBytes), true],
  ],
  cpu: ({ cpus }) => [
    ['cpu.cfs_period_us', String(PERIOD_US), false],
    ['cpu.cfs_quota_us', String(Math.round(cpus * PERIOD_US)), false],
  ],
  pids: ({ processes }) => [['pids.max', String(processes), false]],
}
const V2: Hierarchy['settings'] = ({ memoryBytes, cpus, processes }) => [
  ['memory.max', String(memoryBytes), false],
  ['memory.swap.max', '0', true],
  ['cpu.max', `${Math.round(cpus * PERIOD_US)} ${PERIOD_US}`, false],
  ['pids.max', String(processes), false],
]

const USED_V1 = { memory: 'memory.usage_in_bytes', cpu: 'cpuacct.usage' }
const USED_V2 = { memory: 'memory.current', cpu: 'cpu.stat' }

/** From what those files say; empty: there is no such file. Version 1 counts processors apart where nobody mounted both in one place. */
export function groupUse({ memory, memoryStat, cpu }: { memory: string; memoryStat: string; cpu: string }) {
  // What was read of files counts as used until somebody needs the place; nobody would call it used.
  const spare = /^total_inactive_file (\d+)$/m.exec(memoryStat) ?? /^inactive_file (\d+)$/m.exec(memoryStat)
  const microseconds = /^usage_usec (\d+)$/m.exec(cpu)?.[1]
  const nanoseconds = /^(\d+)\s*$/.exec(cpu)?.[1]
  const all = /^(\d+)\s*$/.exec(memory)?.[1]
  return {
    memoryBytes: all === undefined ? null : Math.max(0, Number(all) - Number(spare?.[1] ?? 0)),
    cpuSeconds:
      microseconds !== undefined
        ? Number(microseconds) / 1e6
        : nanoseconds !== undefined
          ? Number(nanoseconds) / 1e9
          : null,
  }
}

function groupsOf(version: 1 | 2, hierarchies: Hierarchy[]): Groups {
  const memory = hierarchies[0]!
  const entries = (name: string) => hierarchies.map((it) => join(it.folder(name), 'cgroup.procs'))
  return {
    version,
    entries,
    async make(name, resources) {
      for (const it of hierarchies) {
        const folder = it.folder(name)
        await mkdir(folder, { recursive: true })
        for (const [file, value, isOptional] of it.settings(resources)) {
          if (isOptional && !(await exists(join(folder, file)))) continue
          await writeFile(join(folder, file), value)
        }
      }
      return entries(name)
    },
    async outOfMemory(name) {
      const file = version === 1 ? 'memory.oom_control' : 'memory.events'
      const text = await readOr(join(memory.folder(name), file), '')
      return Number(/^oom_kill (\d+)/m.exec(text)?.[1] ?? 0) > 0
    },
    async used(name) {
      const read = (it: Hierarchy | undefined, file: string) =>
        it ? readOr(join(it.folder(name), file), '') : Promise.resolve('')
      const files = version === 1 ? USED_V1 : USED_V2
      return groupUse({
        memory: await read(memory, files.memory),
        memoryStat: await read(memory, 'memory.stat'),
        cpu: await read(version === 1 ? hierarchies[1] : memory, files.cpu),
      })
    },
    async members(name) {
      const lists = await Promise.all(
        hierarchies.map((it) => readOr(join(it.folder(name), 'cgroup.procs'), '')),
      )
      return [...new Set(lists.join('\n').split('\n').filter(Boolean).map(Number))]
    },
    async remove(name) {
      for (const it of hierarchies) await removeGroup(it.folder(name))
    },
  }
}

const NO_GROUPS: Groups = {
  version: 0,
  make: async () => [],
  entries: () => [],
  outOfMemory: async () => false,
  used: async () => ({ cpuSeconds: null, memoryBytes: null }),
  members: async () => [],
  remove: async () => undefined,
}

async function openV1(): Promise<Groups | null> {
  const names = ['memory', 'cpu', 'pids'] as const
  const own = await readOr('/proc/self/cgroup', '')
  const hierarchies: Hierarchy[] = []
  for (const name of names) {
    if (!(await exists(join(MOUNT, name, 'cgroup.procs')))) return null
    const path = new RegExp(`^\\d+:(?:[^:]*,)?${name}(?:,[^:]*)?:(.*)$`, 'm').exec(own)?.[1] ?? '/'
    // Root makes its groups at the top, so that limits on our own group do not become theirs.
    const parent = process.getuid?.() === 0 ? '/' : path
    const base = join(MOUNT, name, parent, 'kalnet')
    hierarchies.push({ folder: (group) => join(base, group), settings: V1[name] })
  }
  return groupsOf(1, hierarchies)
}

async function openV2(): Promise<Groups | null> {
  if (!(await exists(join(MOUNT, 'cgroup.controllers')))) return null
  const own = /^0::(.*)$/m.exec(await readOr('/proc/self/cgroup', ''))?.[1] ?? '/'
  // An ordinary user: beside our own group, where its owner was given that part of the tree (delegation).
  const parent = process.getuid?.() === 0 ? MOUNT : dirname(join(MOUNT, own))
  const base = join(parent, 'kalnet')
  await mkdir(base, { recursive: true })
  for (const folder of [parent, base]) {
    await writeFile(join(folder, 'cgroup.subtree_control'), '+memory +cpu +pids')
  }
  return groupsOf(2, [{ folder: (group) => join(base, group), settings: V2 }])
}

/** Tried out, not guessed: a group is made and taken away again. */
export async function openGroups(installation: string): Promise<Groups> {
  for (const open of [openV2, openV1]) {
    const probe = `probe-${installation}`
    try {
      const groups = await open()
      if (!groups) continue
      const least = { cpus: 1, memoryBytes: 64 * 2 ** 20, processes: 16, sharedMemoryBytes: 0 }
      await groups.make(probe, least)
      await groups.remove(probe)
      return groups
    } catch {
      // Not permitted here: the next kind, or none. The fingerprint says so.
    }
  }
  return NO_GROUPS
}
