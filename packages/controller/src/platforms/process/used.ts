/** What a sandbox has used so far: as its control groups count it, else as its processes do. */
import { readFile } from 'node:fs/promises'
import type { Reading } from '../metering.ts'
import type { Groups } from './cgroups.ts'
import { isAlive, tree } from './processes.ts'
import type { InstanceState } from './state.ts'

/** Of proc(5)'s times: what Linux tells programs, whatever it counts by itself. */
const TICKS = 100
const PAGE = 4096

const readOr = (path: string) => readFile(path, 'latin1').catch(() => null)

/** proc(5), stat: with the children that were waited for, so that what a short-lived one used is not forgotten. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, it) => sum + Number(it), 0) / TICKS
}

/** What is shared counts for each by its part (Pss); where that may not be read, whole. */
export function memoryOf(rollup: string | null, statm: string): number {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(rollup ?? '')?.[1]
  return kilobytes === undefined ? Number(statm.split(' ')[1] ?? 0) * PAGE : Number(kilobytes) * 1024
}

async function ofProcess(pid: number, wantsMemory: boolean): Promise<Reading | null> {
  const stat = await readOr(`/proc/${pid}/stat`)
  // It ended meanwhile.
  if (stat === null) return null
  const cpuSeconds = cpuSecondsOf(stat)
  if (!wantsMemory) return { cpuSeconds, memoryBytes: 0 }
  const rollup = await readOr(`/proc/${pid}/smaps_rollup`)
  return { cpuSeconds, memoryBytes: memoryOf(rollup, (await readOr(`/proc/${pid}/statm`)) ?? '') }
}

/** Null: nothing runs of it. `name`: of its groups. */
export async function usedBy(
  { inner, outer }: Pick<InstanceState, 'inner' | 'outer'>,
  groups: Groups,
  name: string,
): Promise<Reading | null> {
  if (!isAlive(inner)) return null
  const { cpuSeconds, memoryBytes } = await groups.used(name)
  if (cpuSeconds !== null && memoryBytes !== null) return { cpuSeconds, memoryBytes }
  const members = await groups.members(name)
  const pids = members.length > 0 ? members : (await tree([outer, inner])).map((it) => it.pid)
  const each = (await Promise.all(pids.map((pid) => ofProcess(pid, memoryBytes === null)))).filter(
    (it) => it !== null,
  )
  return {
    cpuSeconds: cpuSeconds ?? each.reduce((sum, it) => sum + it.cpuSeconds, 0),
    memoryBytes: memoryBytes ?? each.reduce((sum, it) => sum + it.memoryBytes, 0),
  }
}
