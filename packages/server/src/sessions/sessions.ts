/** Sessions: launch, stop, restart, and following what their instances do. */
import { fail } from '@kalnet/contracts/errors'
import { type Actor, can, type Permission } from '@kalnet/contracts/permission'
import type { Placing } from '@kalnet/contracts/placing'
import type { BodyOf } from '@kalnet/contracts/route'
import type { Session, sessionRoutes } from '@kalnet/contracts/session'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import type { Catalog } from '../catalog/catalog.ts'
import { candidatesFor } from '../controllers/candidates.ts'
import type { Controllers } from '../controllers/controllers.ts'
import { place } from '../controllers/placement.ts'
import type { RecordAudit } from '../core/audited.ts'
import type { Events } from '../core/events.ts'
import type { Store, Tx } from '../core/store.ts'
import type { InstanceChange, Instances } from '../instances/instances.ts'
import type { Located } from '../streams/streams.ts'
import { AWAY, createChanging, OVER } from './changing.ts'
import { followInstance } from './follow.ts'
import { createHomes, homeOf, withHome } from './homes.ts'
import { ruleOf } from './idle.ts'
import { type ListQuery, listing } from './listing.ts'
import { createMoves } from './moves.ts'
import { after, KEPT, ownerOf, shapeSession } from './shape.ts'
import { createSleep } from './sleep.ts'
import { statements } from './store.ts'
import { createUse } from './use.ts'

export interface SessionsOptions {
  store: Store
  events: Events
  clock: Clock
  log: Log
  record: RecordAudit
  catalog: Catalog
  controllers: Controllers
  instances: Instances
  /** Sessions one person may have at once: so many that run, and as many that sleep. */
  perUser: number
  /** Where what a template says nothing about goes. */
  placing: Placing
  /** Tells the controller that something is wanted now; called after the commit. */
  push(controllerId: string, instanceId: string): void
  forget(controllerId: string, instanceId: string, generation: number): void
  forgetVolume(controllerId: string, volumeId: string): void
  measureVolume(controllerId: string, volumeId: string): void
  /** A new generation begins: what looks at the old one is cut. */
  renewed(instanceId: string): void
}

/** Its controller is gone: PostgreSQL's foreign_key_violation. */
const isOrphan = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  error.code === '23503' &&
  'constraint' in error &&
  error.constraint === 'instances_controller_id_fkey'

export function createSessions(options: SessionsOptions) {
  const { store, events, clock, instances, controllers } = options
  const changing = createChanging(options)
  const { tell, allowed, set, allowOneMore } = changing
  const homes = createHomes({ ...options, changing })
  const sleep = createSleep({ ...options, changing })
  const use = createUse({ ...options, used: sleep.used })

  return {
    async list(actor: Actor, query: ListQuery) {
      const everybodys = can(actor, 'session.read', { organisationId: actor.organisationId, userId: null })
      const wanted = listing(query, everybodys ? null : actor.userId)
      const { rows } = await store.as(actor.organisationId).read((tx) => wanted.statement.execute(tx))
      const items = rows.slice(0, query.limit).map(shapeSession)
      const last = rows.length > query.limit ? items.at(-1) : undefined
      return { items, next: last ? wanted.placeOf(last) : null }
    },

    read: (actor: Actor, id: string, permission: Permission = 'session.read'): Promise<Session> =>
      store
        .as(actor.organisationId)
        .read(async (tx) => shapeSession(await allowed(tx, actor, permission, id))),

    /** With why it is where it is, for who may see machines. */
    show: (actor: Actor, id: string): Promise<Session> =>
      store.as(actor.organisationId).read(async (tx) => {
        const session = shapeSession(await allowed(tx, actor, 'session.read', id))
        if (!can(actor, 'controller.read')) return session
        const placed = (await instances.placed(tx, [session.instanceId])).get(session.instanceId)
        return placed ? { ...session, placed } : session
      }),

    /** Where its screen is, for somebody who may open it and while it runs. */
    locate: (sessionId: string, actor: Actor): Promise<Located> =>
      store.as(actor.organisationId).read(async (tx) => {
        const row = await allowed(tx, actor, 'stream.open', sessionId)
        if (row.state !== 'running') throw fail('session.state', { state: row.state })
        const { idle } = row
        return {
          controllerId: row.controller_id,
          instanceId: row.instance_id,
          userId: row.user_id,
          sessionId,
          organisationId: row.organisation_id,
          ...(idle && { opened: (port: string) => use.opened(sessionId, idle.watching, port) }),
        }
      }),

    /** One transaction: session, instance, event. Then the controller is told. */
    async launch(actor: Actor, body: BodyOf<typeof sessionRoutes.launch>): Promise<Session> {
      const { template, spec } = await options.catalog.resolve(body.templateId, body.answers)
      if (body.platform && !template.platforms.includes(body.platform))
        throw fail('placement.none', { problem: `${template.name} does not run on ${body.platform}` })
      const platforms = body.platform ? [body.platform] : template.platforms
      const begin = async (tx: Tx): Promise<Session> => {
        await allowOneMore(tx, actor.userId)
        const candidates = await candidatesFor(tx, actor.organisationId, spec)
        const theirs = (await statements.placesOf({ userId: actor.userId }).execute(tx)).rows
        const placement = place(candidates, {
          spec,
          platforms,
          labels: body.labels,
          placing: template.placing ?? options.placing,
          near: new Set(theirs.map((it) => it.controller_id)),
        })
        await controllers.open(tx, placement.controllerId)
        const homeId = template.home === 'kept' ? homes.newId() : null
        const instanceId = await instances
          .create(tx, {
            organisationId: actor.organisationId,
            spec: homeId ? withHome(spec, homeId) : spec,
            ...placement,
          })
          .catch((error: unknown) => {
            if (!isOrphan(error)) throw error
            throw fail('placement.none', { problem: 'its machine was removed just now' })
          })
        const id = newId()
        await statements
          .add({
            id,
            organisationId: actor.organisationId,
            userId: actor.userId,
            instanceId,
            name: body.name ?? template.name,
            templateId: template.id,
            templateName: template.name,
            idle: ruleOf(template),
            now: clock.now(),
          })
          .execute(tx)
        const { organisationId } = actor
        const { controllerId } = placement
        if (homeId) await homes.add(tx, { id: homeId, organisationId, sessionId: id, controllerId })
        return tell(tx, id)
      }
      const launched = await controllers.inTurn(() => store.as(actor.organisationId).transaction(begin))
      if (launched.controllerId) options.push(launched.controllerId, launched.instanceId)
      return launched
    },

    /** Idempotent: stopping what is stopping or over changes nothing. */
    async stop(actor: Actor, id: string): Promise<Session> {
      const stopped = await store.as(actor.organisationId).transaction(async (tx) => {
        const row = await allowed(tx, actor, 'session.stop', id, true)
        if (row.state === 'stopping' || OVER.includes(row.state)) return shapeSession(row)
        await set(tx, row, { state: after(row, 'stop'), reason: row.online ? null : AWAY })
        await instances.stop(tx, row.instance_id)
        return tell(tx, id)
      })
      if (stopped.controllerId) options.push(stopped.controllerId, stopped.instanceId)
      return stopped
    },

    /** Afresh, with an empty home; what failed has its files again. */
    async restart(actor: Actor, id: string): Promise<Session> {
      let forget = (): void => undefined
      const restarted = await store.as(actor.organisationId).transaction(async (tx) => {
        const row = await allowed(tx, actor, 'session.stop', id, true)
        if (OVER.includes(row.state)) await allowOneMore(tx, row.user_id)
        const to = after(row, 'restart')
        await controllers.open(tx, row.controller_id)
        await set(tx, row, { state: to, endedAt: null, reason: row.online ? null : AWAY })
        const spec = await instances.specOf(tx, row.instance_id)
        const keeps = homeOf(spec) !== null && !(row.state === 'failed' && row.home_id)
        const homeId = keeps ? homes.newId() : null
        if (homeId) {
          forget = await homes.leave(tx, row)
          await homes.add(tx, {
            id: homeId,
            organisationId: row.organisation_id,
            sessionId: id,
            controllerId: row.controller_id,
          })
        }
        await instances.renew(tx, row.instance_id, homeId ? withHome(spec, homeId) : null)
        await statements.restartStages({ id, now: clock.now() }).execute(tx)
        return tell(tx, id)
      })
      options.renewed(restarted.instanceId)
      if (restarted.controllerId) options.push(restarted.controllerId, restarted.instanceId)
      forget()
      return restarted
    },

    /** Takes an ended or sleeping session and all of its instance away, with its home. */
    async remove(actor: Actor, id: string): Promise<void> {
      let forget = (): void => undefined
      const row = await store.as(actor.organisationId).transaction(async (tx) => {
        const found = await allowed(tx, actor, 'session.stop', id, true)
        if (!OVER.includes(found.state) && found.state !== 'hibernated')
          throw fail('session.state', { state: found.state })
        forget = await homes.leave(tx, found)
        await instances.remove(tx, found.instance_id)
        await events.publish(tx, 'session.removed', ownerOf(found), { id })
        return found
      })
      options.forget(row.controller_id, row.instance_id, row.generation)
      forget()
    },

    /** A report of an instance, in the transaction that recorded it. What is answered is called after the commit. */
    async follow(tx: Tx, { instanceId, observed }: InstanceChange): Promise<() => void> {
      const row = (await statements.lockByInstance({ instanceId }).execute(tx)).rows[0]
      if (!row) return () => undefined
      const end = async () => {
        await instances.stop(tx, instanceId)
        return () => options.push(row.controller_id, instanceId)
      }
      if (OVER.includes(row.state) || row.state === 'hibernated') {
        // Its end is told. Lost and found again, or made anew by a machine that lost its memory: nobody sees it any more.
        if (observed.state === 'stopped' || observed.state === 'failed') return () => undefined
        return end()
      }
      const to = followInstance(
        row.state,
        row.placed_at ? new Date(row.placed_at) : null,
        observed,
        clock.now(),
      )
      await statements.reach({ id: row.id, ...to.stages, firstByte: null, firstFrame: null }).execute(tx)
      const moving = !OVER.includes(to.state) && to.state !== 'hibernated'
      const wished = row.state === 'stopping' || row.state === 'hibernating'
      await set(tx, row, {
        state: to.state,
        // Why it was asked to end stays true; that it had to wait for its machine does not.
        reason: to.reason ?? (wished && row.reason !== AWAY ? row.reason : null),
        logTail: to.reason && to.state !== 'stopped' ? observed.logTail : [],
        progress: moving && to.state !== 'running' ? observed.progress : null,
      })
      // What it kept goes with its end; asleep or failed, it stays.
      const rests = KEPT.includes(to.state) && !KEPT.includes(row.state)
      const kept =
        to.state === 'stopped'
          ? await homes.leave(tx, row)
          : rests
            ? await homes.rests(tx, row)
            : () => undefined
      await tell(tx, row.id)
      // What could not be woken: its remains are taken away, so that it can be tried again.
      return row.state === 'waking' && to.state === 'hibernated' ? end() : kept
    },

    /** Its first byte or picture reached a viewer; the first time counts. */
    reached: (id: string, stage: 'firstByte' | 'firstFrame'): Promise<void> =>
      store.system.transaction(async (tx) => {
        const row = (await statements.lock({ id }).execute(tx)).rows[0]
        if (!row || (stage === 'firstByte' ? row.first_byte_at : row.first_frame_at)) return
        const none = { placed: null, created: null, displayReady: null, firstByte: null, firstFrame: null }
        await statements.reach({ id, ...none, [stage]: clock.now() }).execute(tx)
        await tell(tx, id)
      }),

    homes,
    ...sleep,
    ...createMoves({ ...options, changing, homes }),
  }
}
export type Sessions = ReturnType<typeof createSessions>
