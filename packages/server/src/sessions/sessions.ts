/** Sessions: launch, stop, restart, and following what their instances do. */
import { fail } from '@kalnet/contracts/errors'
import { type Actor, can, type Permission } from '@kalnet/contracts/permission'
import type { BodyOf } from '@kalnet/contracts/route'
import type { Session, SessionState, sessionRoutes } from '@kalnet/contracts/session'
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Controllers } from '../controllers/controllers.ts'
import { place } from '../controllers/placement.ts'
import type { Events } from '../core/events.ts'
import type { Scope, Store, Tx } from '../core/store.ts'
import type { InstanceChange, Instances } from '../instances/instances.ts'
import { followInstance } from './follow.ts'
import { type ListQuery, listing } from './listing.ts'
import { after, ownerOf, shapeSession } from './shape.ts'
import { type Change, type SessionRow, statements } from './store.ts'

export interface SessionsOptions {
  store: Store
  events: Events
  clock: Clock
  catalog: Catalog
  controllers: Controllers
  instances: Instances
  /** Live sessions one person may have at once. */
  perUser: number
  /** Tells the controller that something is wanted now; called after the commit. */
  push(controllerId: string, instanceId: string): void
  forget(controllerId: string, instanceId: string, generation: number): void
  /** A new generation begins: what looks at the old one is cut. */
  renewed(instanceId: string): void
}

const OVER: SessionState[] = ['stopped', 'failed']
const DRAINED = 'Its machine is being taken out of service.'
const OFF = 'Another directory switched its person off.'
const AWAY = 'Its machine is not connected; this happens as soon as it is back.'

/** Why it was asked to stop, where that is not a person's own wish. */
const KEPT: (string | null)[] = [DRAINED, OFF]

/** Its controller is gone: PostgreSQL's foreign_key_violation. */
const isOrphan = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  error.code === '23503' &&
  'constraint' in error &&
  error.constraint === 'instances_controller_id_fkey'

export function createSessions(options: SessionsOptions) {
  const { store, events, clock, instances, controllers } = options

  const tell = async (tx: Tx, id: string): Promise<Session> => {
    const row = (await statements.read({ id }).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'session' })
    await events.publish(tx, 'session.changed', ownerOf(row), shapeSession(row))
    return shapeSession(row)
  }

  /** The row, if the actor may do this with it; a foreign one looks like none. */
  const allowed = async (
    tx: Tx,
    actor: Actor,
    permission: Permission,
    id: string,
    lock = false,
  ): Promise<SessionRow> => {
    if (lock) await statements.lockItsInstance({ id }).execute(tx)
    const row = (await (lock ? statements.lock({ id }) : statements.read({ id })).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'session' })
    demand(actor, permission, ownerOf(row), 'session')
    return row
  }

  const set = async (tx: Tx, row: SessionRow, to: Partial<Change> & { state: SessionState }) => {
    const { rows } = await statements
      .change({
        id: row.id,
        expected: row.state,
        reason: null,
        logTail: [],
        progress: null,
        endedAt: OVER.includes(to.state) ? (row.ended_at ?? clock.now()) : null,
        ...to,
      })
      .execute(tx)
    if (rows.length === 0) throw fail('session.state', { state: row.state })
  }

  /** The person may have one more live session. */
  const allowOneMore = async (tx: Tx, userId: string) => {
    await statements.lockUser({ userId }).execute(tx)
    const count = (await statements.countLive({ userId }).execute(tx)).rows[0]?.count ?? 0
    if (count >= options.perUser) throw fail('session.limit', { count })
  }

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

    /** One transaction: session, instance, event. Then the controller is told. */
    async launch(actor: Actor, body: BodyOf<typeof sessionRoutes.launch>): Promise<Session> {
      const { template, spec } = await options.catalog.resolve(body.templateId, body.answers)
      if (body.platform && !template.platforms.includes(body.platform))
        throw fail('placement.none', { problem: `${template.name} does not run on ${body.platform}` })
      const platforms = body.platform ? [body.platform] : template.platforms
      const launched = await store.as(actor.organisationId).transaction(async (tx) => {
        await allowOneMore(tx, actor.userId)
        const serving = await controllers.serving(tx, actor.organisationId)
        const placement = place(serving, { spec, platforms, labels: body.labels })
        await controllers.open(tx, placement.controllerId)
        const instanceId = await instances
          .create(tx, { organisationId: actor.organisationId, spec, ...placement })
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
            now: clock.now(),
          })
          .execute(tx)
        return tell(tx, id)
      })
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

    async restart(actor: Actor, id: string): Promise<Session> {
      const restarted = await store.as(actor.organisationId).transaction(async (tx) => {
        const row = await allowed(tx, actor, 'session.stop', id, true)
        if (OVER.includes(row.state)) await allowOneMore(tx, row.user_id)
        const to = after(row, 'restart')
        await controllers.open(tx, row.controller_id)
        await set(tx, row, { state: to, endedAt: null, reason: row.online ? null : AWAY })
        await instances.renew(tx, row.instance_id)
        await statements.restartStages({ id, now: clock.now() }).execute(tx)
        return tell(tx, id)
      })
      options.renewed(restarted.instanceId)
      if (restarted.controllerId) options.push(restarted.controllerId, restarted.instanceId)
      return restarted
    },

    /** Takes an ended session and all of its instance away. */
    async remove(actor: Actor, id: string): Promise<void> {
      const row = await store.as(actor.organisationId).transaction(async (tx) => {
        const found = await allowed(tx, actor, 'session.stop', id, true)
        if (!OVER.includes(found.state)) throw fail('session.state', { state: found.state })
        await instances.remove(tx, found.instance_id)
        await events.publish(tx, 'session.removed', ownerOf(found), { id })
        return found
      })
      options.forget(row.controller_id, row.instance_id, row.generation)
    },

    /** A report of an instance, in the transaction that recorded it. True: it lives on though its session is over, and shall end. */
    async follow(tx: Tx, { instanceId, observed }: InstanceChange): Promise<boolean> {
      const row = (await statements.lockByInstance({ instanceId }).execute(tx)).rows[0]
      if (!row) return false
      if (OVER.includes(row.state)) {
        // Its end is told. Lost and found again, or made anew by a machine that lost its memory: nobody sees it any more.
        if (observed.state === 'stopped' || observed.state === 'failed') return false
        await instances.stop(tx, instanceId)
        return true
      }
      const to = followInstance(
        row.state,
        row.placed_at ? new Date(row.placed_at) : null,
        observed,
        clock.now(),
      )
      await statements.reach({ id: row.id, ...to.stages, firstByte: null, firstFrame: null }).execute(tx)
      const moving = !OVER.includes(to.state)
      await set(tx, row, {
        state: to.state,
        // Why it was asked to stop stays true; that it had to wait for its machine does not.
        reason: to.reason ?? (row.state === 'stopping' && KEPT.includes(row.reason) ? row.reason : null),
        logTail: to.state === 'failed' ? observed.logTail : [],
        progress: moving && to.state !== 'running' ? observed.progress : null,
      })
      await tell(tx, row.id)
      return false
    },

    /** Its controller is taken out of service: all that live there are asked to stop. Answers how many. */
    async drain(scope: Scope, controllerId: string): Promise<number> {
      const live = await scope.read(
        async (tx) => (await statements.liveOn({ controllerId }).execute(tx)).rows,
      )
      let stopping = 0
      // One transaction for each: a long one would hold back every reader of events.
      for (const { id, instance_id: instanceId } of live) {
        const asked = await scope.transaction(async (tx) => {
          await statements.lockItsInstance({ id }).execute(tx)
          const row = (await statements.lock({ id }).execute(tx)).rows[0]
          if (!row || row.state === 'stopping' || OVER.includes(row.state)) return false
          await set(tx, row, { state: after(row, 'stop'), reason: DRAINED })
          await instances.stop(tx, instanceId)
          await tell(tx, id)
          return true
        })
        if (!asked) continue
        stopping += 1
        options.push(controllerId, instanceId)
      }
      return stopping
    },

    /** Its controller is revoked and takes all it has with it. Answers the instances that go. */
    async leave(tx: Tx, controllerId: string): Promise<string[]> {
      const { rows } = await statements.allOn({ controllerId }).execute(tx)
      for (const row of rows) await events.publish(tx, 'session.removed', ownerOf(row), { id: row.id })
      return rows.map((row) => row.instance_id)
    },

    /** Somebody is removed, and all of theirs with them. What it answers is called after the commit. */
    async leavePerson(tx: Tx, userId: string): Promise<(cut: (instanceId: string) => void) => void> {
      await statements.lockInstancesOf({ userId }).execute(tx)
      const { rows } = await statements.allOf({ userId }).execute(tx)
      for (const row of rows) {
        await instances.remove(tx, row.instance_id)
        await events.publish(tx, 'session.removed', ownerOf(row), { id: row.id })
      }
      return (cut) => {
        for (const row of rows) {
          cut(row.instance_id)
          options.forget(row.controller_id, row.instance_id, row.generation)
        }
      }
    },

    /** Somebody is switched off by another directory: what runs stops, and is there again when they are. Called after the commit, as above. */
    async stopAllOf(tx: Tx, userId: string): Promise<(cut: (instanceId: string) => void) => void> {
      await statements.lockInstancesOf({ userId }).execute(tx)
      const { rows } = await statements.lockLiveOf({ userId }).execute(tx)
      const live = rows.filter(({ state }) => state !== 'stopping')
      for (const row of live) {
        await set(tx, row, { state: after(row, 'stop'), reason: OFF })
        await instances.stop(tx, row.instance_id)
        await tell(tx, row.id)
      }
      return (cut) => {
        for (const row of live) {
          cut(row.instance_id)
          options.push(row.controller_id, row.instance_id)
        }
      }
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

    /** The sessions of a controller that came or went are told anew: `reachable` changed. */
    async controllerChanged(tx: Tx, controllerId: string): Promise<void> {
      for (const row of (await statements.liveOn({ controllerId }).execute(tx)).rows)
        await events.publish(tx, 'session.changed', ownerOf(row), shapeSession(row))
    },
  }
}
export type Sessions = ReturnType<typeof createSessions>
