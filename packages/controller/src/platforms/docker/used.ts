/** What a container has used so far, as the engine counts it: one short answer for each, and no stream. */
import type { ContainerStats } from 'dockerode'
import type { Reading } from '../metering.ts'
import type { Handle } from '../platform.ts'
import { type Engine, statusOf } from './engine.ts'

/** As far as it is read; of one that does not run the engine answers without figures. */
export type EngineFigures = {
  cpu_stats?: { cpu_usage?: Partial<ContainerStats['cpu_stats']['cpu_usage']> }
  memory_stats?: {
    usage?: number
    stats?: Record<string, number> | Partial<ContainerStats['memory_stats']['stats']>
  }
}

export function readingOf({ cpu_stats, memory_stats }: EngineFigures): Reading | null {
  const { usage, stats = {} } = memory_stats ?? {}
  const nanoseconds = cpu_stats?.cpu_usage?.total_usage
  if (usage === undefined || nanoseconds === undefined) return null
  // What was read of files counts as used until somebody needs the place; the engine's own command leaves it out, too.
  const spare = stats.total_inactive_file ?? stats.inactive_file ?? 0
  return { cpuSeconds: nanoseconds / 1e9, memoryBytes: Math.max(0, usage - spare) }
}

export async function readUsed(engine: Engine, handle: Handle): Promise<Reading | null> {
  const container = (await engine.client()).getContainer(String(handle.data.container))
  try {
    return readingOf(await container.stats({ stream: false, 'one-shot': true }))
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw error
  }
}
