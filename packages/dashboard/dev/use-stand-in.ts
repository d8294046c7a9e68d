/** The stand-in's figures of what instances use: they go up and down, and some are not known. */
import type { Placed } from '@kalnet/contracts/placing'
import type { InstanceUse, UnknownUse } from '@kalnet/contracts/use'

const MOST = { cpus: 2, memoryBytes: 2 ** 30 }
const WHY = 'Nobody in the cluster measures what pods use (metrics API)'

/** Why the stand-in's sessions are where they are. */
export const PLACED: Placed = {
  placing: 'spread',
  considered: [
    {
      controllerId: '01890000-0000-7000-8000-0000000000c1',
      name: 'This machine',
      points: { image: 3, memory: 2.1, cpu: 1.2, person: 0 },
      problem: null,
    },
    {
      controllerId: '01890000-0000-7000-8000-0000000000c2',
      name: 'Cellar',
      points: { image: 0, memory: 1.4, cpu: 1.2, person: 0 },
      problem: null,
    },
    {
      controllerId: '01890000-0000-7000-8000-0000000000c3',
      name: 'Barn',
      points: null,
      problem: 'Barn takes nothing new',
    },
  ],
  others: 0,
}

interface Used {
  instanceId: string
  generation: number
  /** Where it is not known. */
  because?: UnknownUse | undefined
}

export function useNow({ instanceId, generation, because }: Used): InstanceUse {
  const now = Date.now()
  const seed = Number.parseInt(instanceId.slice(-3), 16)
  const wave = (ms: number) => 0.5 + 0.45 * Math.sin(now / ms + seed)
  return {
    instanceId,
    generation,
    most: MOST,
    now: because
      ? { known: false, because, why: because === 'unmeasured' ? WHY : null }
      : {
          known: true,
          cpus: MOST.cpus * 0.6 * wave(4_000),
          memoryBytes: Math.round(MOST.memoryBytes * (0.3 + 0.2 * wave(9_000))),
          at: new Date(now).toISOString(),
        },
  }
}
