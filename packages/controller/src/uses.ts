/** What instances here use at this moment, for somebody who looks at them. Nothing is measured before they are asked for, and nothing is kept. */
import type { UseOfInstance } from '@kalnet/contracts/use'
import type { Running } from './entries.ts'
import type { Platform, Used } from './platforms/platform.ts'
import { problemInWords } from './platforms/reasons.ts'

/** Before the control plane stops waiting. */
const LIMIT_MS = 8_000
const WHY_LETTERS = 300

async function usedOn(
  platform: Platform,
  its: readonly Running[],
  signal: AbortSignal,
): Promise<UseOfInstance[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
  const ask = async (): Promise<Used> => {
    if (!platform.use) return { known: false, why: 'Nobody measures what instances of this kind use' }
    const late = new Promise<never>((_, reject) =>
      limit.addEventListener('abort', () => reject(new Error('It was not measured in time')), { once: true }),
    )
    return Promise.race([
      platform.use(
        its.map((it) => it.handle),
        limit,
      ),
      late,
    ])
  }
  const used = await ask().catch((error: unknown): Used => ({ known: false, why: problemInWords(error) }))
  return its.map(({ id, generation }) => {
    if (!used.known) return { id, generation, measured: null, why: used.why.slice(0, WHY_LETTERS) }
    const found = used.instances.find((it) => it.instanceId === id && it.generation === generation)
    if (!found) return { id, generation, measured: null, why: 'It was not measured yet' }
    const { cpus, memoryBytes } = found
    // Whoever measures has a way of his own to write a time.
    const at = new Date(found.at).toISOString()
    return { id, generation, measured: { cpus, memoryBytes, at }, why: null }
  })
}

/** Of those that run here. One platform that cannot be asked keeps nobody from the others. */
export async function readUses(
  running: (id: string) => Running | null,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<UseOfInstance[]> {
  const by = new Map<Platform, Running[]>()
  for (const id of new Set(ids)) {
    const it = running(id)
    if (it) by.set(it.platform, [...(by.get(it.platform) ?? []), it])
  }
  const lists = await Promise.all([...by].map(([platform, its]) => usedOn(platform, its, signal)))
  return lists.flat()
}
