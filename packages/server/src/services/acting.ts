/** What people do with a service: change, start, stop, restart, update, go back, remove. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor, Permission } from '@kalnet/contracts/permission'
import type { BodyOf } from '@kalnet/contracts/route'
import type { Service, serviceRoutes } from '@kalnet/contracts/service'
import type { Answers } from '@kalnet/contracts/template'
import type { WholeTemplate } from '../catalog/resolve-service.ts'
import type { Tx } from '../core/store.ts'
import { checkNeeds, checkReplicas, type Making } from './making.ts'
import { statements as members } from './members.store.ts'
import type { ServicesOptions } from './options.ts'
import type { After } from './settle.ts'
import { isWhole, releasesOf, templateOf, type Whole } from './shape.ts'
import type { Specs } from './specs.ts'
import { type ReleaseContent, statements } from './store.ts'
import type { Vault } from './vault.ts'

export interface ActingParts extends ServicesOptions {
  making: Making
  specs: Specs
  vault: Vault
  /** Throws thing.unknown, permission.denied. `lock`: it is going to be changed. */
  allowed(tx: Tx, actor: Actor, permission: Permission, id: string, lock?: boolean): Promise<Whole>
  settle(tx: Tx, id: string): Promise<After>
  tell(tx: Tx, id: string): Promise<Service>
  told(whole: Whole): Promise<Service>
}

export function assertManaged({ row }: Whole): void {
  if (row.kind !== 'managed') throw fail('service.not-managed', { name: row.name })
}

export function createActing(options: ActingParts) {
  const { store, events, clock, instances, making, specs, vault, allowed, settle, tell, told } = options

  /** One change of one service: rows, what follows from them, and the event in one transaction; then controllers hear. */
  async function change(
    actor: Actor,
    permission: Permission,
    id: string,
    work: (tx: Tx, whole: Whole) => Promise<void>,
  ): Promise<Service> {
    const { service, after } = await store.as(actor.organisationId).transaction(async (tx) => {
      await work(tx, await allowed(tx, actor, permission, id, true))
      const after = await settle(tx, id)
      return { service: await tell(tx, id), after }
    })
    after()
    return service
  }

  /** Those given, or those it has; of secrets those it has stay unless they are given anew. */
  async function answersFor(tx: Tx, { row }: Whole, newest: WholeTemplate, given: Answers | undefined) {
    const before = stillAsked(newest, row.answers)
    return making.seal(tx, row, newest.template, given ?? before, before)
  }
  async function older(tx: Tx, id: string, number: number): Promise<ReleaseContent> {
    const row = (await statements.release({ id, number }).execute(tx)).rows[0]
    if (!row || !isWhole(row.content)) throw fail('thing.unknown', { kind: 'release' })
    return row.content
  }

  return {
    change: (actor: Actor, id: string, body: BodyOf<typeof serviceRoutes.change>): Promise<Service> =>
      change(actor, 'service.manage', id, async (tx, whole) => {
        if (body.replicas !== undefined) {
          assertManaged(whole)
          const template = templateOf(releasesOf(whole).live)
          if (template) checkReplicas(template, body.replicas)
        }
        const { title = null, metadata = null, replicas = null } = body
        await statements
          .change({ id, title, metadata, replicas, answers: null, now: clock.now() })
          .execute(tx)
      }),
    /** Idempotent, as stopping is. */
    start: (actor: Actor, id: string): Promise<Service> =>
      change(actor, 'service.operate', id, async (tx, whole) => {
        assertManaged(whole)
        if (whole.row.desired === 'running') return
        await statements.want({ id, desired: 'running', reason: null, now: clock.now() }).execute(tx)
        await members.forgetRestarts({ serviceId: id }).execute(tx)
      }),
    stop: (actor: Actor, id: string): Promise<Service> =>
      change(actor, 'service.operate', id, async (tx, whole) => {
        assertManaged(whole)
        if (whole.row.desired === 'stopped') return
        await statements.want({ id, desired: 'stopped', reason: null, now: clock.now() }).execute(tx)
      }),
    /** What is still open at releases before the live one ends now. */
    finish: (actor: Actor, id: string): Promise<Service> =>
      change(actor, 'service.operate', id, async (tx, whole) => {
        assertManaged(whole)
        await statements.finish({ id, by: clock.now() }).execute(tx)
      }),
    /** Every instance gets a new generation; what is stopped is started. */
    async restart(actor: Actor, id: string): Promise<Service> {
      const pushes: After[] = []
      const service = await change(actor, 'service.operate', id, async (tx, whole) => {
        assertManaged(whole)
        const { live, next } = releasesOf(whole)
        await statements.want({ id, desired: 'running', reason: null, now: clock.now() }).execute(tx)
        await members.forgetRestarts({ serviceId: id }).execute(tx)
        for (const it of whole.members) {
          const of = [next, live].find((one) => one?.number === it.release)
          if (it.desired !== 'running' || !of) continue
          await instances.renew(tx, it.id, await specs.specOf(tx, whole, of, it.part, it.controllerId))
          await members.begun({ id: it.id, restarts: 0 }).execute(tx)
          pushes.push(() => options.push(it.controllerId, it.id))
        }
      })
      for (const push of pushes) push()
      return service
    },
    /** Answers the number of the new release, too. */
    async update(actor: Actor, id: string, body: BodyOf<typeof serviceRoutes.update>) {
      if (body.answers && body.release)
        throw fail('request.invalid', { problem: 'an older release brings its own answers' })
      let number = 0
      const now = await store
        .as(actor.organisationId)
        .read(async (tx) => (await allowed(tx, actor, 'service.manage', id)).row)
      if (now.kind !== 'managed' || !now.template_id) throw fail('service.not-managed', { name: now.name })
      const newest = body.release ? null : await options.catalog.service(now.template_id)
      const service = await change(actor, 'service.manage', id, async (tx, whole) => {
        assertManaged(whole)
        const { next } = releasesOf(whole)
        if (next && next.number !== whole.row.release_number)
          throw fail('service.state', { state: 'updating' })
        const content = newest
          ? { ...newest, answers: await answersFor(tx, whole, newest, body.answers) }
          : await older(tx, id, body.release ?? 0)
        checkNeeds(content.template)
        checkReplicas(content.template, whole.row.replicas)
        // The first one never became healthy: the new one takes its place as the one that is brought up.
        number = await making.release(tx, actor, whole, content)
        await making.open(tx, actor, whole, content.template, true)
        if (next)
          await statements
            .setRelease({
              serviceId: id,
              number: next.number,
              state: 'failed',
              reason: 'It was replaced before it was healthy.',
              liveAt: null,
            })
            .execute(tx)
      })
      return { service, release: number }
    },
    async remove(actor: Actor, id: string, data: 'keep' | 'remove'): Promise<Service> {
      const gone: After[] = []
      const removed = await store.as(actor.organisationId).transaction(async (tx) => {
        const whole = await allowed(tx, actor, 'service.manage', id, true)
        const { row } = whole
        const by = (await statements.dependants({ id }).execute(tx)).rows.map((it) => it.name)
        if (by.length > 0) throw fail('service.needed', { name: row.name, by: by.join(', ') })
        const service = await told(whole)
        await options.removeDoors(tx, id)
        if (row.openid) await options.closeApp?.(tx, row.openid.appId)
        for (const it of whole.members) {
          await instances.remove(tx, it.id)
          gone.push(() => options.forget(it.controllerId, it.id, it.generation))
        }
        const { rows: volumes } = await statements.volumes({ id }).execute(tx)
        const keeps = data === 'keep' && volumes.length > 0
        if (!keeps) await vault.empty(tx, whole)
        if (data === 'remove') {
          await statements.leaveVolumes({ id }).execute(tx)
          for (const it of volumes) gone.push(() => options.forgetVolume(it.controller_id, it.id))
        }
        await statements.remove({ id }).execute(tx)
        const owner = { organisationId: row.organisation_id, userId: null }
        await events.publish(tx, 'service.removed', owner, { id })
        return service
      })
      for (const forget of gone) forget()
      return removed
    },
  }
}

/** A newer template may have stopped asking something. */
const stillAsked = ({ template }: WholeTemplate, answers: Answers): Answers => {
  const asked = new Set(template.inputs.map((it) => it.name))
  return Object.fromEntries(Object.entries(answers).filter(([name]) => asked.has(name)))
}
