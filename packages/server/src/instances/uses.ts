/**
 * What instances use at this moment, for those who look at them. Only looking asks: nothing is asked ahead and nothing is written down. The same
 * answer serves all who look within its time, however many pages are open.
 */
import { KalnetError } from '@kalnet/contracts/errors'
import type { InstanceSpec } from '@kalnet/contracts/instance'
import { type InstanceUse, USE_FRESH_MS, USE_MOST, type UseOfInstance } from '@kalnet/contracts/use'
import type { Clock } from '@kalnet/io/clock'

export interface Looked {
  instanceId: string
  generation: number
  /** Null: it runs nowhere. */
  controllerId: string | null
  /** By what is known here. */
  isRunning: boolean
}
export interface UsesOptions {
  clock: Clock
  /** Has a limit of its own. Null: that controller is older. Throws controller.offline. */
  read(controllerId: string, instanceIds: string[]): Promise<UseOfInstance[] | null>
  /** What they may use, by id. */
  mostOf(
    organisationId: string,
    instanceIds: string[],
  ): Promise<ReadonlyMap<string, InstanceSpec['resources']>>
}
type Now = InstanceUse['now']
/** By id; null: that controller is older. */
type Answer = Promise<ReadonlyMap<string, UseOfInstance> | null>

const unknown = (because: Extract<Now, { known: false }>['because'], why: string | null = null): Now => ({
  known: false,
  because,
  why,
})

export function createUses({ clock, read, mostOf }: UsesOptions) {
  const asked = new Map<string, { at: number; answer: Answer }>()
  const keyOf = (controllerId: string, instanceId: string) => `${controllerId} ${instanceId}`

  async function byId(controllerId: string, ids: string[]): Answer {
    const answer = await read(controllerId, ids)
    return answer && new Map(answer.map((it) => [it.id, it]))
  }
  /** Asks for those that nobody asked for lately, each controller once. */
  function askFor(all: readonly Looked[]) {
    const now = clock.now().getTime()
    for (const [key, { at }] of asked) if (now - at >= USE_FRESH_MS || at > now) asked.delete(key)
    const missing = new Map<string, string[]>()
    for (const { controllerId, instanceId, isRunning } of all)
      if (isRunning && controllerId && !asked.has(keyOf(controllerId, instanceId)))
        missing.set(controllerId, [...(missing.get(controllerId) ?? []), instanceId])
    for (const [controllerId, ids] of missing)
      for (let from = 0; from < ids.length; from += USE_MOST) {
        const some = ids.slice(from, from + USE_MOST)
        const answer = byId(controllerId, some)
        // Whoever waits for it hears of it; with nobody left it is nothing.
        answer.catch(() => undefined)
        for (const id of some) asked.set(keyOf(controllerId, id), { at: now, answer })
      }
  }
  async function nowOf({ instanceId, generation, controllerId, isRunning }: Looked): Promise<Now> {
    const question = controllerId && isRunning ? asked.get(keyOf(controllerId, instanceId)) : undefined
    if (!question) return unknown('idle')
    try {
      const answer = await question.answer
      if (!answer) return unknown('older')
      const its = answer.get(instanceId)
      // Its next start is under way there.
      if (!its || its.generation !== generation) return unknown('idle')
      return its.measured ? { known: true, ...its.measured } : unknown('unmeasured', its.why)
    } catch (error) {
      if (error instanceof KalnetError && error.code === 'controller.offline') return unknown('offline')
      throw error
    }
  }

  return async (organisationId: string, all: readonly Looked[]): Promise<InstanceUse[]> => {
    askFor(all)
    const answers = Promise.all(all.map(nowOf))
    const ids = all.map((it) => it.instanceId)
    const [most, nows] = await Promise.all([mostOf(organisationId, ids), answers])
    return all.flatMap(({ instanceId, generation }, index) => {
      const its = most.get(instanceId)
      const now = nows[index]
      if (!now) return []
      return {
        instanceId,
        generation,
        most: its ? { cpus: its.cpus, memoryBytes: its.memoryBytes } : null,
        now,
      }
    })
  }
}
export type Uses = ReturnType<typeof createUses>
