/** What the process platform knows of an instance, one file each: enough to find it again after any crash of ours. */
import { readdir, readFile } from 'node:fs/promises'
import type { Port } from '@kalnet/contracts/instance'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import type { Layout } from './layout.ts'

export interface ProcessId {
  pid: number
  /** Clock ticks since boot (proc(5), field 22): a number that is used again has another start time. */
  startTime: number
}

export interface InstanceState {
  instanceId: string
  generation: number
  /** starting: written before anything is made. */
  phase: 'starting' | 'started' | 'ended'
  bootId: string
  startedAt: string
  uid: number | null
  /** veth and local: root's, with an address; local and own lead nowhere. */
  network: 'none' | 'veth' | 'local' | 'pasta' | 'own'
  /** Where this machine reaches it. */
  address?: string
  ports: Port[]
  /** The first process, outside the sandbox. */
  outer: ProcessId | null
  /** The sandbox's own init: when it ends, everything in it ends. */
  inner: ProcessId | null
  /** We ended it. */
  stopping: boolean
  ended: { code: number | null; reason: string; at: string } | null
}

export const bootId = async (): Promise<string> =>
  (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()

export async function readState(layout: Layout, instanceId: string): Promise<InstanceState | null> {
  const text = await readIfThere(layout.of(instanceId).state)
  return text === null ? null : (JSON.parse(text) as InstanceState)
}

export const writeState = (layout: Layout, state: InstanceState): Promise<void> =>
  writeWhole(layout.of(state.instanceId).state, JSON.stringify(state))

export async function readAllStates(layout: Layout): Promise<InstanceState[]> {
  let names: string[]
  try {
    names = await readdir(layout.instances)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const states = await Promise.all(names.map((name) => readState(layout, name)))
  return states.filter((it) => it !== null)
}
