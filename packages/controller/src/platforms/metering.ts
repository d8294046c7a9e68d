/**
 * What instances use from what a machine counts of them: processor time only ever grows, so two looks make a figure. The first look at one takes a
 * moment; while somebody goes on looking, the last look serves.
 */
import type { Clock } from '@kalnet/io/clock'
import { createLimit } from '../limit.ts'
import type { Handle, Use, Used } from './platform.ts'

/** What it has used so far, and has now. */
export interface Reading {
  cpuSeconds: number
  memoryBytes: number
}

/** Between two looks at least: less tells nothing. */
export const LEAST_MS = 500
/** A look that is older tells what was, not what is. */
export const MOST_MS = 30_000
/** However many are looked at, an engine is not asked for all of them at one time. */
export const AT_ONCE = 16

interface Look {
  at: number
  cpuSeconds: number
}

/** `read`: null when it does not run. */
export function createMetering({
  read,
  clock,
}: {
  read(handle: Handle): Promise<Reading | null>
  clock: Clock
}) {
  const looks = new Map<string, Look>()
  const keyOf = ({ instanceId, generation }: Handle) => `${instanceId}/${generation}`
  const now = () => clock.now().getTime()
  const inTurn = createLimit(AT_ONCE)
  const readAll = (handles: readonly Handle[], signal: AbortSignal) => {
    const readOne = async (handle: Handle) => ({ handle, reading: await read(handle), at: now() })
    return Promise.all(handles.map((handle) => inTurn(() => readOne(handle), signal)))
  }

  return async (handles: readonly Handle[], signal: AbortSignal): Promise<Used> => {
    for (const [key, { at }] of looks) if (now() - at > MOST_MS || at > now()) looks.delete(key)
    for (const { handle, reading, at } of await readAll(
      handles.filter((it) => !looks.has(keyOf(it))),
      signal,
    ))
      if (reading) looks.set(keyOf(handle), { at, cpuSeconds: reading.cpuSeconds })
    // As they are now: somebody else may look at the same one meanwhile.
    const befores = new Map(
      handles.flatMap((handle) => {
        const look = looks.get(keyOf(handle))
        return look ? [[handle, look] as const] : []
      }),
    )
    const pause = Math.max(0, ...[...befores.values()].map(({ at }) => at + LEAST_MS - now()))
    if (pause > 0) await clock.sleep(pause, signal)
    const instances = (await readAll([...befores.keys()], signal)).flatMap(
      ({ handle, reading, at }): Use[] => {
        const before = befores.get(handle)
        if (!reading || !before) return []
        const { instanceId, generation } = handle
        const { cpuSeconds, memoryBytes } = reading
        looks.set(keyOf(handle), { at, cpuSeconds })
        const cpus = Math.max(0, (cpuSeconds - before.cpuSeconds) / (Math.max(1, at - before.at) / 1000))
        return [{ instanceId, generation, cpus, memoryBytes, at: new Date(at).toISOString() }]
      },
    )
    return { known: true, instances }
  }
}
