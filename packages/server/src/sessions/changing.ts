/** What every change of a session is made of: find it and judge who asks, set its state if it is still the expected one, tell everybody. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor, Permission } from '@kalnet/contracts/permission'
import type { Session, SessionState } from '@kalnet/contracts/session'
import type { Clock } from '@kalnet/io/clock'
import { demand } from '../access/access.ts'
import type { Events } from '../core/events.ts'
import type { Tx } from '../core/store.ts'
import { ownerOf, shapeSession } from './shape.ts'
import { type Change, type SessionRow, statements } from './store.ts'

export interface ChangingOptions {
  events: Events
  clock: Clock
  /** Sessions one person may have at once: so many that run, and as many that sleep. */
  perUser: number
}

export const OVER: SessionState[] = ['stopped', 'failed']
export const AWAY = 'Its machine is not connected; this happens as soon as it is back.'

export function createChanging({ events, clock, perUser }: ChangingOptions) {
  /** Reads it as it is now and publishes that. */
  async function tell(tx: Tx, id: string): Promise<Session> {
    const row = (await statements.read({ id }).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'session' })
    await events.publish(tx, 'session.changed', ownerOf(row), shapeSession(row))
    return shapeSession(row)
  }

  /** The row, if the actor may do this with it; a foreign one looks like none. */
  async function allowed(
    tx: Tx,
    actor: Actor,
    permission: Permission,
    id: string,
    lock = false,
  ): Promise<SessionRow> {
    if (lock) await statements.lockItsInstance({ id }).execute(tx)
    const row = (await (lock ? statements.lock({ id }) : statements.read({ id })).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'session' })
    demand(actor, permission, ownerOf(row), 'session')
    return row
  }

  async function set(tx: Tx, row: SessionRow, to: Partial<Change> & { state: SessionState }) {
    const { rows } = await statements
      .change({
        id: row.id,
        expected: row.state,
        reason: null,
        logTail: [],
        progress: null,
        endedAt: OVER.includes(to.state) ? (row.ended_at ?? clock.now()) : null,
        // It counts as used from the moment when it can be.
        usedAt: to.state === 'running' && row.state !== 'running' ? clock.now() : null,
        ...to,
      })
      .execute(tx)
    if (rows.length === 0) throw fail('session.state', { state: row.state })
  }

  /** The person may have one more that runs. */
  async function allowOneMore(tx: Tx, userId: string) {
    await statements.lockUser({ userId }).execute(tx)
    const count = (await statements.countLive({ userId }).execute(tx)).rows[0]?.count ?? 0
    if (count >= perUser) throw fail('session.limit', { count })
  }
  /** … and one more that sleeps. */
  async function allowOneMoreAsleep(tx: Tx, userId: string) {
    await statements.lockUser({ userId }).execute(tx)
    const count = (await statements.countAsleep({ userId }).execute(tx)).rows[0]?.count ?? 0
    if (count >= perUser) throw fail('session.asleep-limit', { count })
  }

  return { tell, allowed, set, allowOneMore, allowOneMoreAsleep }
}
export type Changing = ReturnType<typeof createChanging>
