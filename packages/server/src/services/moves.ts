/** Controllers come, go, are emptied or revoked: what that means for the services there. */
import type { Clock } from '@kalnet/io/clock'
import type { Scope, Tx } from '../core/store.ts'
import type { Instances } from '../instances/instances.ts'
import type { After } from './settle.ts'
import type { Whole } from './shape.ts'
import { statements } from './store.ts'

export interface MovesParts {
  clock: Clock
  instances: Instances
  forget(controllerId: string, instanceId: string, generation: number): void
  load(tx: Tx, id: string): Promise<Whole | null>
  settle(tx: Tx, id: string): Promise<After>
  tell(tx: Tx, id: string): Promise<unknown>
}

const DRAINED = 'Its machine is being taken out of service, and its data is there.'
const GONE = 'Its machine was removed, and its data with it.'

export function createMoves({ clock, instances, forget, load, settle, tell }: MovesParts) {
  const on = async (tx: Tx, controllerId: string) =>
    (await statements.on({ controllerId }).execute(tx)).rows.map((it) => it.id)
  const keepsDataOn = async (tx: Tx, id: string, controllerId: string) =>
    (await statements.volumes({ id }).execute(tx)).rows.some((it) => it.controller_id === controllerId)
  const stop = (tx: Tx, id: string, reason: string) =>
    statements.want({ id, desired: 'stopped', reason, now: clock.now() }).execute(tx)

  return {
    /** Its reachability changed. Nothing is waited for: what is lost is found out by the clock. */
    async controllerChanged(tx: Tx, controllerId: string): Promise<void> {
      for (const id of await on(tx, controllerId)) {
        await statements.wake({ id, at: clock.now() }).execute(tx)
        await tell(tx, id)
      }
    },

    /** It is taken out of service: what keeps no data goes elsewhere, what keeps some is stopped. Answers how many instances. */
    async drainServices(scope: Scope, controllerId: string): Promise<number> {
      const ids = await scope.read((tx) => on(tx, controllerId))
      let leaving = 0
      for (const id of ids) {
        const after = await scope.transaction(async (tx) => {
          await statements.lock({ id }).execute(tx)
          const whole = await load(tx, id)
          if (!whole || whole.row.desired === 'stopped') return null
          const here = whole.members.filter((it) => it.controllerId === controllerId)
          leaving += here.length
          const gone: After[] = []
          if (await keepsDataOn(tx, id, controllerId)) await stop(tx, id, DRAINED)
          else
            for (const it of here) {
              await instances.remove(tx, it.id)
              gone.push(() => forget(it.controllerId, it.id, it.generation))
            }
          const settled = await settle(tx, id)
          await tell(tx, id)
          return () => {
            settled()
            for (const each of gone) each()
          }
        })
        after?.()
      }
      return leaving
    },

    /** It is revoked and takes all it has with it. Stands in that transaction, before its rows go. */
    async leaveController(tx: Tx, controllerId: string): Promise<void> {
      for (const id of await on(tx, controllerId)) {
        await statements.lock({ id }).execute(tx)
        const whole = await load(tx, id)
        if (!whole) continue
        for (const it of whole.members)
          if (it.controllerId === controllerId) await instances.remove(tx, it.id)
        if (await keepsDataOn(tx, id, controllerId)) await stop(tx, id, GONE)
        // Placed anew by the clock: this controller still stands while this is being written.
        await statements.wake({ id, at: clock.now() }).execute(tx)
        await tell(tx, id)
      }
    },
  }
}
