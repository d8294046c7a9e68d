/** How much this machine has and has left, for placement. */
import { statfs } from 'node:fs/promises'
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os'
import type { Capacity } from '@kalnet/contracts/controller'
import type { Platform } from './platforms/platform.ts'

/** A controller that drives nothing but a cluster has the cluster's room, where that is known. */
export async function measureCapacity(dataFolder: string, platforms: Platform[] = []): Promise<Capacity> {
  const disk = await statfs(dataFolder)
  const [only, ...others] = platforms
  const room = others.length === 0 ? only?.room?.() : null
  const kept = platforms.flatMap((it) => it.room?.() ?? [])[0]
  return {
    cpus: room?.cpus ?? availableParallelism(),
    memoryBytes: room?.memoryBytes ?? totalmem(),
    // Linux: MemAvailable, what programs can have without swapping.
    memoryFreeBytes: room?.memoryFreeBytes ?? freemem(),
    diskFreeBytes: disk.bavail * disk.bsize,
    load1: loadavg()[0] ?? 0,
    ...(kept?.most && { most: kept.most }),
  }
}
