/**
 * Brings a service nearer to what is wanted, in one transaction: plan (pure) → rows. Called after every change, whoever made it; called
 * twice it changes nothing. Controllers are told after the commit, by what it answers.
 */
import type { Labels } from '@kalnet/contracts/controller'
import { KalnetError } from '@kalnet/contracts/errors'
import type { InstanceSpec, PlatformName } from '@kalnet/contracts/instance'
import type { Placing } from '@kalnet/contracts/placing'
import type { Clock } from '@kalnet/io/clock'
import { candidatesFor } from '../controllers/candidates.ts'
import type { Controllers } from '../controllers/controllers.ts'
import { type Placement, placeApart } from '../controllers/placement.ts'
import type { Tx } from '../core/store.ts'
import type { Instances } from '../instances/instances.ts'
import type { Member } from './member.ts'
import { statements as members } from './members.store.ts'
import { PLACE_AGAIN_MS, planService, type Step } from './plan.ts'
import { isWhole, plannedOf, releasesOf, templateOf, type Whole } from './shape.ts'
import { type ReleaseRow, statements } from './store.ts'

export interface SettleParts {
  clock: Clock
  controllers: Controllers
  instances: Instances
  push(controllerId: string, instanceId: string): void
  forget(controllerId: string, instanceId: string, generation: number): void
  load(tx: Tx, id: string): Promise<Whole | null>
  placing?: Placing
  /** How long what is open at the last release may go on; default a minute. */
  finishMs?: number
  /** What a part of a release is to run now. With a controller its volumes are made there where they are missing. */
  specOf(
    tx: Tx,
    whole: Whole,
    release: ReleaseRow,
    part: string,
    controllerId: string | null,
  ): Promise<InstanceSpec>
}
/** Called once the transaction is committed. */
export type After = () => void

/** How often a step can lead to another within one call. */
const ROUNDS = 8
const RELEASES_KEPT = 3
const FINISH_MS = 60_000

export function createSettle(parts: SettleParts) {
  const { clock, controllers, instances } = parts

  /** `refused`: told what could not be done now, and why; it is tried again by itself. */
  return async function settle(
    tx: Tx,
    id: string,
    refused: (problem: KalnetError) => void = () => undefined,
  ): Promise<After> {
    const after: After[] = []
    /** What could not be done now, and why: tried again later. */
    const blocked = new Map<string, string>()
    /** What was placed just now, before it is read again. */
    const taken: { release: number; part: string; controllerId: string }[] = []
    let wakeAt: Date | null = null

    for (let round = 0; round < ROUNDS; round++) {
      const whole = await parts.load(tx, id)
      if (whole?.row.kind !== 'managed') return () => undefined
      const { live, next } = releasesOf(whole)
      if (!live) return () => undefined
      const plan = planService({
        desired: whole.row.desired,
        replicas: whole.row.replicas,
        live: plannedOf(live),
        next: next && plannedOf(next),
        members: whole.members,
        held:
          next !== null &&
          ((await statements.canary({ id, release: next.number }).execute(tx)).rows[0]?.named ?? false),
        finishBy: whole.row.finish_by === null ? null : new Date(whole.row.finish_by),
        now: clock.now(),
      })
      wakeAt = plan.wakeAt
      const steps = plan.steps.filter((step) => !blocked.has(keyOf(step)))
      if (steps.length === 0) break
      for (const step of steps) {
        try {
          await apply(tx, whole, step)
        } catch (error) {
          // Only what was refused before anything was written; a database that failed fails the whole.
          if (!(error instanceof KalnetError) || error.code.startsWith('store.')) throw error
          const problem = String(error.details.problem ?? error.message)
          blocked.set(keyOf(step), problem)
          refused(error)
          // An update that cannot even be placed has failed; the first release waits.
          if (step.do === 'create' && step.release !== live.number)
            await giveUp(tx, id, step.release, problem)
        }
      }
    }

    async function apply(tx: Tx, whole: Whole, step: Step) {
      const { row } = whole
      switch (step.do) {
        case 'create':
          return create(tx, whole, step)
        case 'start': {
          const it = memberIn(whole, step.id)
          const release = releaseIn(whole, it.release)
          const spec = await parts.specOf(tx, whole, release, it.part, it.controllerId)
          await instances.renew(tx, it.id, spec)
          await members.begun({ id: it.id, restarts: step.again ? it.restarts + 1 : it.restarts }).execute(tx)
          return void after.push(() => parts.push(it.controllerId, it.id))
        }
        case 'start-later':
          return void (await members.startLater(step).execute(tx))
        case 'stop': {
          const it = memberIn(whole, step.id)
          await instances.stop(tx, it.id)
          await members.rest({ id: it.id }).execute(tx)
          return void after.push(() => parts.push(it.controllerId, it.id))
        }
        case 'remove': {
          const it = memberIn(whole, step.id)
          await instances.remove(tx, it.id)
          return void after.push(() => parts.forget(it.controllerId, it.id, it.generation))
        }
        case 'switch': {
          const now = clock.now()
          const release = releaseIn(whole, step.release)
          const template = templateOf(release)
          await statements
            .setRelease({ serviceId: row.id, number: step.release, state: 'live', reason: null, liveAt: now })
            .execute(tx)
          await statements.replaceOthers({ serviceId: row.id, number: step.release }).execute(tx)
          await statements.emptyOld({ serviceId: row.id, keep: RELEASES_KEPT }).execute(tx)
          await statements
            .serve({
              id: row.id,
              release: step.release,
              templateName: template?.name ?? row.template_name ?? '',
              version: release.version,
              answers: isWhole(release.content) ? release.content.answers : row.answers,
              finishBy: new Date(now.getTime() + (parts.finishMs ?? FINISH_MS)),
              now,
            })
            .execute(tx)
          return
        }
        case 'give-up':
          return giveUp(tx, row.id, step.release, step.reason)
      }
    }

    async function giveUp(tx: Tx, serviceId: string, number: number, reason: string) {
      await statements.setRelease({ serviceId, number, state: 'failed', reason, liveAt: null }).execute(tx)
    }

    async function create(tx: Tx, whole: Whole, step: Extract<Step, { do: 'create' }>) {
      const { row } = whole
      const release = releaseIn(whole, step.release)
      const placement = await placed(tx, whole, release, step.part)
      await controllers.open(tx, placement.controllerId)
      taken.push({ ...step, controllerId: placement.controllerId })
      const spec = await parts.specOf(tx, whole, release, step.part, placement.controllerId)
      const instanceId = await instances.create(tx, {
        organisationId: row.organisation_id,
        spec,
        ...placement,
      })
      await members
        .add({
          id: instanceId,
          organisationId: row.organisation_id,
          serviceId: row.id,
          release: step.release,
          part: step.part,
          number: step.number,
        })
        .execute(tx)
      after.push(() => parts.push(placement.controllerId, instanceId))
    }

    /** Data stays on its machine; replicas that keep none are apart, whatever else is packed. */
    async function placed(tx: Tx, whole: Whole, release: ReleaseRow, part: string): Promise<Placement> {
      const { row } = whole
      const template = templateOf(release)
      const wanted = row.placement.platform
      const platforms: readonly PlatformName[] = wanted ? [wanted] : (template?.platforms ?? [])
      const labels: Labels = row.placement.labels
      const keeps = (template?.parts.find((it) => it.name === part)?.volumes.length ?? 0) > 0
      const home = keeps
        ? (await statements.volumes({ id: row.id }).execute(tx)).rows[0]?.controller_id
        : undefined
      const spec = await parts.specOf(tx, whole, release, part, null)
      const candidates = (await candidatesFor(tx, row.organisation_id, spec)).filter(
        (it) => home === undefined || it.id === home,
      )
      // Where it is already, it stays on the platform it has: its folders belong to that one.
      const before = whole.members.find((it) => it.part === part && it.controllerId === home)
      const replicas = [...whole.members, ...taken]
        .filter((it) => it.part === part && it.release === release.number)
        .map((it) => it.controllerId)
      return placeApart(candidates, replicas, {
        spec,
        platforms: before ? [before.platform] : platforms,
        labels: home ? {} : labels,
        placing: template?.placing ?? parts.placing,
      })
    }

    if (blocked.size > 0) {
      const again = new Date(clock.now().getTime() + PLACE_AGAIN_MS)
      if (!wakeAt || again < wakeAt) wakeAt = again
    }
    const last = await parts.load(tx, id)
    if (!last) return () => undefined
    // Why it was stopped stays true while it is.
    const reason = last.row.desired === 'stopped' ? last.row.reason : ([...blocked.values()][0] ?? null)
    await statements.settled({ id, reason, wakeAt }).execute(tx)
    return () => {
      for (const tell of after) tell()
    }
  }
}

const keyOf = (step: Step): string =>
  'id' in step
    ? `${step.do} ${step.id}`
    : `${step.do} ${step.release} ${'part' in step ? `${step.part} ${step.number}` : ''}`
const memberIn = ({ members }: Whole, id: string): Member => {
  const found = members.find((it) => it.id === id)
  if (!found) throw new Error(`instance ${id} is not of this service`)
  return found
}
const releaseIn = ({ releases }: Whole, number: number): ReleaseRow => {
  const found = releases.find((it) => it.number === number)
  if (!found) throw new Error(`release ${number} is not of this service`)
  return found
}
