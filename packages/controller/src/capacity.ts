/** How much this machine has and has left, for placement. */
import { statfs } from 'node:fs/promises'
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os'
import type { capacity } from '@kalnet/contracts/controller'
import type { z } from 'zod'

export type Capacity = z.infer<typeof capacity>

export async function measureCapacity(dataFolder: string): Promise<Capacity> {
  const disk = await statfs(dataFolder)
  return {
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    // Linux: MemAvailable, what programs can have without swapping.
    memoryFreeBytes: freemem(),
    diskFreeBytes: disk.bavail * disk.bsize,
    load1: loadavg()[0] ?? 0,
  }
}
