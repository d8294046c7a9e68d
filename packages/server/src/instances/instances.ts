/** Instances as desired and observed rows. Admission is judged here, and again in the controller. */
import { isDeepStrictEqual } from 'node:util'
import { admissionProblems } from '@kalnet/contracts/admission'
import { fail } from '@kalnet/contracts/errors'
import type {
  DesiredInstance,
  InstanceSpec,
  ObservedInstance,
  PlatformName,
} from '@kalnet/contracts/instance'
import type { Placed } from '@kalnet/contracts/placing'
import type { Clock } from '@kalnet/io/clock'
import { imageParts } from '@kalnet/io/image-digest'
import type { Log } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import type { Secrets } from '../core/secrets.ts'
import type { Store, Tx } from '../core/store.ts'
import { fillSecrets } from './fill.ts'
import { type InstanceRow, statements } from './store.ts'

export interface NewInstance {
  organisationId: string
  controllerId: string
  platform: PlatformName
  spec: InstanceSpec
  /** Why there. */
  placed: Placed
}
/** A report that counts: of the generation that is wanted, from the controller that has it. */
export interface InstanceChange {
  instanceId: string
  organisationId: string
  observed: ObservedInstance
  /** What was seen of this generation before. */
  before: ObservedInstance | null
}

const shape = (row: InstanceRow): DesiredInstance => ({
  id: row.id,
  generation: row.generation,
  organisationId: row.organisation_id,
  platform: row.platform,
  state: row.desired_state,
  spec: row.spec,
})

/** The whole of it, as controllers that have it call it. */
const imageOf = (spec: InstanceSpec): string => imageParts(spec.image).at(-1) ?? ''

export function createInstances(options: { store: Store; clock: Clock; log: Log; secrets: Secrets }) {
  const { store, clock, log, secrets } = options
  const filled = async (tx: Tx, row: InstanceRow): Promise<DesiredInstance> => {
    const instance = shape(row)
    try {
      return await fillSecrets(tx, secrets, instance)
    } catch (error) {
      log.error(
        { instanceId: row.id, problem: error instanceof Error ? error.message : '' },
        'an instance waits: its secrets cannot be put in',
      )
      // Left out, a running one would be taken away; as it stands, a new one would run with marks for passwords. So: what none admits.
      return { ...instance, spec: { ...instance.spec, wants: ['privileged'] } }
    }
  }
  const rowOf = async (tx: Tx, id: string) => (await statements.read({ id }).execute(tx)).rows[0]
  return {
    /** Throws admission.refused. */
    async create(tx: Tx, it: NewInstance): Promise<string> {
      const problem = admissionProblems(it.spec)[0]
      if (problem) throw fail('admission.refused', { problem })
      const id = newId()
      const { organisationId, controllerId, platform, spec, placed } = it
      const image = imageOf(spec)
      await statements.add({ id, organisationId, controllerId, platform, spec, image, placed }).execute(tx)
      return id
    },
    /** Idempotent: wanting it stopped twice is wanting it stopped. */
    stop: async (tx: Tx, id: string) => void (await statements.stop({ id }).execute(tx)),
    /** The number of the new generation. `spec`: what it runs from now on, where that changed. Throws admission.refused. */
    async renew(tx: Tx, id: string, spec: InstanceSpec | null = null): Promise<number> {
      const problem = spec && admissionProblems(spec)[0]
      if (problem) throw fail('admission.refused', { problem })
      const row = (await statements.renew({ id, spec, image: spec && imageOf(spec) }).execute(tx)).rows[0]
      if (!row) throw fail('thing.unknown', { kind: 'instance' })
      return row.generation
    },
    /** Why each of them is where it is, by their ids; of those that an older release began nothing is known. */
    async placed(tx: Tx, ids: readonly string[]): Promise<Map<string, Placed>> {
      const { rows } = await statements.placed({ ids }).execute(tx)
      return new Map(rows.flatMap(({ id, placed }) => (placed ? [[id, placed] as const] : [])))
    },

    /** As it was last wanted. */
    async specOf(tx: Tx, id: string): Promise<InstanceSpec> {
      const row = await rowOf(tx, id)
      if (!row) throw fail('thing.unknown', { kind: 'instance' })
      return row.spec
    },
    /** What they may use at most, by id, of those that are there. */
    mostOf: (organisationId: string, ids: string[]): Promise<Map<string, InstanceSpec['resources']>> =>
      store.as(organisationId).read(async (tx) => {
        const { rows } = await statements.most({ ids }).execute(tx)
        return new Map(rows.map((it) => [it.id, it.resources]))
      }),
    remove: async (tx: Tx, id: string) => void (await statements.remove({ id }).execute(tx)),

    desiredFor: (controllerId: string): Promise<DesiredInstance[]> =>
      store.system.read(async (tx) => {
        const { rows } = await statements.desiredFor({ controllerId }).execute(tx)
        const all: DesiredInstance[] = []
        for (const row of rows) all.push(await filled(tx, row))
        return all
      }),
    desiredOf: (id: string): Promise<DesiredInstance | null> =>
      store.system.read(async (tx) => {
        const row = await rowOf(tx, id)
        return row ? filled(tx, row) : null
      }),

    /** Records what a controller saw; null when it does not count (unknown, somebody else's, or an older generation). */
    async observe(tx: Tx, controllerId: string, report: ObservedInstance): Promise<InstanceChange | null> {
      const row = (await statements.lock({ id: report.id }).execute(tx)).rows[0]
      if (!row) return null
      if (row.controller_id !== controllerId) {
        log.warn(
          { controllerId, instanceId: report.id },
          'a controller reported an instance that is not its own',
        )
        return null
      }
      if (report.generation !== row.generation) return null
      // Repeated by an inventory after a reconnect: nothing new.
      if (isDeepStrictEqual(row.observed, report)) return null
      const before = row.observed?.generation === report.generation ? row.observed : null
      const begins = report.state === 'running' && before?.state !== 'running'
      const ranAt = begins ? clock.now() : null
      const isOver = ['stopping', 'stopped', 'failed', 'lost'].includes(report.state)
      await statements.observe({ id: report.id, observed: report, ranAt, isOver }).execute(tx)
      return { instanceId: row.id, organisationId: row.organisation_id, observed: report, before }
    },
  }
}
export type Instances = ReturnType<typeof createInstances>
