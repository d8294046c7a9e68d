/** People and controllers come and go: what that means for the sessions that are theirs, or there. */
import type { Clock } from '@kalnet/io/clock'
import type { Events } from '../core/events.ts'
import type { Scope, Tx } from '../core/store.ts'
import type { Instances } from '../instances/instances.ts'
import { type Changing, OVER } from './changing.ts'
import type { Homes } from './homes.ts'
import { after, ownerOf, shapeSession } from './shape.ts'
import { type SessionRow, statements } from './store.ts'

export interface MovesOptions {
  events: Events
  clock: Clock
  instances: Instances
  push(controllerId: string, instanceId: string): void
  forget(controllerId: string, instanceId: string, generation: number): void
}

const DRAINED = 'Its machine is being taken out of service.'
const OFF = 'Another directory switched its person off.'
const GOING = ['stopping', 'hibernating', 'hibernated']

export function createMoves(options: MovesOptions & { changing: Changing; homes: Homes }) {
  const { events, instances, homes } = options
  const { tell, set } = options.changing

  /** What was kept through a sleep is not lost by a machine's or a directory's wish: it goes back to sleep. */
  async function end(tx: Tx, row: SessionRow, reason: string): Promise<boolean> {
    if (GOING.includes(row.state) || OVER.includes(row.state)) return false
    await set(tx, row, { state: after(row, row.state === 'waking' ? 'hibernate' : 'stop'), reason })
    await instances.stop(tx, row.instance_id)
    await tell(tx, row.id)
    return true
  }

  return {
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
          return row ? end(tx, row, DRAINED) : false
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
      const gone: (() => void)[] = []
      for (const row of rows) {
        gone.push(await homes.leave(tx, row))
        await instances.remove(tx, row.instance_id)
        await events.publish(tx, 'session.removed', ownerOf(row), { id: row.id })
      }
      return (cut) => {
        for (const row of rows) {
          cut(row.instance_id)
          options.forget(row.controller_id, row.instance_id, row.generation)
        }
        for (const each of gone) each()
      }
    },

    /** Somebody is switched off by another directory: what runs stops, and is there again when they are. Called after the commit, as above. */
    async stopAllOf(tx: Tx, userId: string): Promise<(cut: (instanceId: string) => void) => void> {
      await statements.lockInstancesOf({ userId }).execute(tx)
      const { rows } = await statements.lockLiveOf({ userId }).execute(tx)
      const ended: SessionRow[] = []
      for (const row of rows) if (await end(tx, row, OFF)) ended.push(row)
      return (cut) => {
        for (const row of ended) {
          cut(row.instance_id)
          options.push(row.controller_id, row.instance_id)
        }
      }
    },

    /** The sessions of a controller that came or went are told anew: `reachable` changed. */
    async controllerChanged(tx: Tx, controllerId: string): Promise<void> {
      for (const row of (await statements.liveOn({ controllerId }).execute(tx)).rows)
        await events.publish(tx, 'session.changed', ownerOf(row), shapeSession(row))
    },
  }
}
