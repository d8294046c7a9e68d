/** How large a volume is and where it lies. One after the other: looking through a large folder keeps the disk busy. */
import type { Log } from '@kalnet/io/log'
import { createMutex } from './platforms/mutex.ts'
import type { MeasuredVolume, Platform } from './platforms/platform.ts'

const UNKNOWN: MeasuredVolume = { bytes: null, reservedBytes: null, place: null }

export function createMeasuring({
  platforms,
  log,
  signal,
}: {
  platforms: Platform[]
  log: Log
  signal: AbortSignal
}) {
  const oneAtATime = createMutex()
  const underWay = new Map<string, Promise<MeasuredVolume>>()

  async function look(id: string): Promise<MeasuredVolume> {
    for (const platform of platforms)
      try {
        const found = await platform.measureVolume?.(id, signal)
        if (found) return found
      } catch (error) {
        if (signal.aborted) break
        log.info({ volume: id, platform: platform.name, error }, 'a volume could not be measured')
      }
    return UNKNOWN
  }

  /** Asked again while it is being looked at, it is looked at once. */
  return (id: string): Promise<MeasuredVolume> => {
    const asked = underWay.get(id) ?? oneAtATime(() => look(id)).finally(() => underWay.delete(id))
    underWay.set(id, asked)
    return asked
  }
}
