/** What controllers report of a service's instances, and what the clock says is due: each brings the service nearer to what is wanted. */
import type { Service } from '@kalnet/contracts/service'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import type { Store, Tx } from '../core/store.ts'
import type { InstanceChange } from '../instances/instances.ts'
import { type MemberRow, statements as members } from './members.store.ts'
import type { After } from './settle.ts'
import { statements } from './store.ts'

export interface FollowingParts {
  store: Store
  clock: Clock
  log: Log
  settle(tx: Tx, id: string): Promise<After>
  look(tx: Tx, id: string): Promise<{ service: Service }>
  tell(tx: Tx, id: string, unless?: Service): Promise<unknown>
}

const TICK_MS = 1_000
/** One service after the other, and then the others' turn: an endless backlog must not hold the loop. */
const AT_ONCE = 200
/** A service that could not be looked after is left alone this long. */
const FAILED_AGAIN_MS = 10_000
const HEALTH_KEPT = 1_000
const nothing: After = () => undefined

export function createFollowing({ store, clock, log, settle, look, tell }: FollowingParts) {
  async function recordHealth(tx: Tx, row: MemberRow, { organisationId, observed, before }: InstanceChange) {
    const { health } = observed
    if (!health || health.state === before?.health?.state) return
    await members
      .addHealth({
        id: newId(),
        organisationId,
        serviceId: row.service_id,
        instanceId: row.id,
        part: row.part,
        number: row.number,
        state: health.state,
        detail: health.detail,
        tookMs: health.tookMs,
        at: clock.now(),
      })
      .execute(tx)
    await members.tidyHealth({ serviceId: row.service_id, keep: HEALTH_KEPT }).execute(tx)
  }

  /** Times of our own clock: a controller's may differ. */
  async function recordTimes(tx: Tx, row: MemberRow, { observed }: InstanceChange) {
    const runs = observed.state === 'running'
    const now = clock.now()
    const unhealthy = runs && observed.health?.state === 'unhealthy'
    const startedAt = row.started_at ?? (runs ? now : null)
    const unhealthyAt = unhealthy ? (row.unhealthy_at ?? now) : null
    if (startedAt !== row.started_at || unhealthyAt !== row.unhealthy_at)
      await members.seen({ id: row.id, startedAt, unhealthyAt }).execute(tx)
  }

  /** The next thing that is due, if any; true: there may be more. Of several servers one gets it. */
  const doNext = async (): Promise<boolean> => {
    let id: string | null = null
    try {
      const after = await store.system.transaction(async (tx) => {
        const due = (await statements.lockDue({ now: clock.now() }).execute(tx)).rows[0]
        if (!due) return null
        id = due.id
        const { service } = await look(tx, due.id)
        const done = await settle(tx, due.id)
        await tell(tx, due.id, service)
        return done
      })
      after?.()
      return after !== null
    } catch (error) {
      if (id === null) throw error
      // One that cannot be looked after must not keep the others from it.
      log.error({ serviceId: id, error }, 'a service waits: tried again')
      await postpone(id)
      return true
    }
  }
  const postpone = (id: string) =>
    store.system.transaction((tx) =>
      statements.wake({ id, at: new Date(clock.now().getTime() + FAILED_AGAIN_MS) }).execute(tx),
    )

  return {
    /** Before a report is recorded: whoever holds a service and an instance takes the service first. */
    hold: async (tx: Tx, instanceId: string): Promise<void> =>
      void (await statements.lockOfInstance({ instanceId }).execute(tx)),

    /** A report of an instance, in the transaction that recorded it. What it answers is called after the commit. */
    async follow(tx: Tx, change: InstanceChange): Promise<After> {
      const row = (await members.read({ id: change.instanceId }).execute(tx)).rows[0]
      if (!row) return nothing
      await recordHealth(tx, row, change)
      await recordTimes(tx, row, change)
      const after = await settle(tx, row.service_id)
      await tell(tx, row.service_id)
      return after
    },

    /** Everything that is due now. For the loop, and for tests. */
    async tick(): Promise<void> {
      for (let count = 0; count < AT_ONCE && (await doNext()); count++);
    },
    /** Looks for what is due, until the signal. */
    async run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        await this.tick().catch((error: unknown) => {
          if (signal.aborted) return
          log.warn({ problem: error instanceof Error ? error.message : '' }, 'services wait: tried again')
        })
        await clock.sleep(TICK_MS, signal).catch(() => undefined)
      }
    },
  }
}
