/** Sessions that sleep and wake: the instance ends and its home stays; waking is a new generation with the same home. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import type { Session } from '@kalnet/contracts/session'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import type { Controllers } from '../controllers/controllers.ts'
import type { RecordAudit } from '../core/audited.ts'
import type { Store, Tx } from '../core/store.ts'
import type { Instances } from '../instances/instances.ts'
import { AWAY, type Changing } from './changing.ts'
import { withHome } from './homes.ts'
import { dueOf, reasonOf } from './idle.ts'
import { after, shapeSession } from './shape.ts'
import { type SessionRow, statements } from './store.ts'

export interface SleepOptions {
  store: Store
  clock: Clock
  log: Log
  /** What nobody asked for is on record all the same. */
  record: RecordAudit
  controllers: Controllers
  instances: Instances
  push(controllerId: string, instanceId: string): void
  renewed(instanceId: string): void
}

/** How often it is looked whether somebody is to be warned or acted upon. */
const TICK_MS = 5_000
/** Says in the audit that it was no person. */
const BY_RULE = 'rule'
const ASLEEP: Session['state'][] = ['hibernating', 'hibernated']
const AWAKE: Session['state'][] = ['waking', 'running']

export function createSleep(options: SleepOptions & { changing: Changing }) {
  const { store, clock, log, controllers, instances, push } = options
  const { tell, allowed, set, allowOneMore, allowOneMoreAsleep } = options.changing

  const told = (session: Session): Session => {
    if (session.controllerId) push(session.controllerId, session.instanceId)
    return session
  }

  async function putToSleep(tx: Tx, row: SessionRow, reason: string | null): Promise<Session> {
    const state = after(row, 'hibernate')
    if (!row.home_id) throw fail('session.no-home')
    await set(tx, row, { state, reason: reason ?? (row.online ? null : AWAY) })
    await instances.stop(tx, row.instance_id)
    return tell(tx, row.id)
  }

  async function stop(tx: Tx, row: SessionRow, reason: string): Promise<Session> {
    await set(tx, row, { state: after(row, 'stop'), reason })
    await instances.stop(tx, row.instance_id)
    return tell(tx, row.id)
  }

  /** Somebody was there just now. */
  const used = (id: string): Promise<void> =>
    store.system.transaction(async (tx) => {
      const before = (await statements.use({ id, now: clock.now() }).execute(tx)).rows[0]
      if (before?.warned_at) await tell(tx, id)
    })

  const onRecord = (tx: Tx, row: SessionRow, action: string) =>
    options.record(
      tx,
      {
        id: newId(),
        organisationId: row.organisation_id,
        at: clock.now().toISOString(),
        actorKind: 'nobody',
        userId: null,
        action,
        outcome: 'done',
        object: row.id,
        details: { by: BY_RULE },
        address: 'local',
        requestId: newId(),
      },
      false,
    )

  /** One session: warned, put to sleep, stopped, or used again since it was found. */
  async function judge({ id, organisation_id: home }: { id: string; organisation_id: string }) {
    const acted = await store.as(home).transaction(async (tx) => {
      await statements.lockItsInstance({ id }).execute(tx)
      const row = (await statements.lock({ id }).execute(tx)).rows[0]
      const due = row ? dueOf(row, clock.now()) : 'nothing'
      if (!row?.idle || due === 'nothing') return null
      if (due === 'warn') {
        await statements.warn({ id, now: clock.now() }).execute(tx)
        await tell(tx, id)
        return null
      }
      await onRecord(tx, row, due === 'stop' ? 'session.stopped' : 'session.hibernated')
      return due === 'stop' ? stop(tx, row, reasonOf(row.idle)) : putToSleep(tx, row, reasonOf(row.idle))
    })
    if (acted) {
      log.info({ sessionId: id, state: acted.state }, 'nobody used a session')
      told(acted)
    }
  }

  return {
    used,

    /** Idempotent: what sleeps, or is about to, stays as it is. */
    async hibernate(actor: Actor, id: string): Promise<Session> {
      return told(
        await store.as(actor.organisationId).transaction(async (tx) => {
          const row = await allowed(tx, actor, 'session.stop', id, true)
          if (ASLEEP.includes(row.state)) return shapeSession(row)
          after(row, 'hibernate')
          await allowOneMoreAsleep(tx, row.user_id)
          return putToSleep(tx, row, null)
        }),
      )
    },

    /** Idempotent: two that come at once wake it once. */
    async wake(actor: Actor, id: string): Promise<Session> {
      let isNew = false
      const woken = await store.as(actor.organisationId).transaction(async (tx) => {
        const row = await allowed(tx, actor, 'session.stop', id, true)
        if (AWAKE.includes(row.state)) return shapeSession(row)
        const state = after(row, 'wake')
        if (!row.home_id) throw fail('session.no-home')
        if (row.state === 'hibernated') await allowOneMore(tx, row.user_id)
        await controllers.open(tx, row.controller_id)
        await set(tx, row, { state, reason: row.online ? null : AWAY })
        const spec = withHome(await instances.specOf(tx, row.instance_id), row.home_id, true)
        await instances.renew(tx, row.instance_id, spec)
        await statements.restartStages({ id, now: clock.now() }).execute(tx)
        isNew = true
        return tell(tx, id)
      })
      if (isNew) options.renewed(woken.instanceId)
      return told(woken)
    },

    async keepAwake(actor: Actor, id: string): Promise<Session> {
      const scope = store.as(actor.organisationId)
      await scope.read((tx) => allowed(tx, actor, 'stream.open', id))
      await used(id)
      return scope.read(async (tx) => shapeSession(await allowed(tx, actor, 'stream.open', id)))
    },

    /** Sessions that were not used for long. Several servers may do it at once: each looks again under the row's lock. */
    async lookAtUnused(): Promise<void> {
      const { rows } = await store.system.read((tx) => statements.unused({ now: clock.now() }).execute(tx))
      // One that fails keeps nobody else waiting; it is found again.
      for (const row of rows)
        await judge(row).catch((error: unknown) => {
          log.warn(
            { sessionId: row.id, problem: error instanceof Error ? error.message : '' },
            'an unused session waits: tried again',
          )
        })
    },

    /** Until the signal. */
    async watchUnused(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        await this.lookAtUnused().catch((error: unknown) => {
          if (signal.aborted) return
          log.warn(
            { problem: error instanceof Error ? error.message : '' },
            'unused sessions wait: tried again',
          )
        })
        await clock.sleep(TICK_MS, signal).catch(() => undefined)
      }
    },
  }
}
