/**
 * The home folder of a session, as a volume of its own on its machine. It stays while the session runs, sleeps or has failed, and goes
 * when the session is stopped, started afresh or removed: then no session has it any more, and its machine is told until it is gone.
 */
import { HOME, type InstanceSpec, type Volume } from '@kalnet/contracts/instance'
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { Store, Tx } from '../core/store.ts'
import { statements } from './homes.store.ts'

export const homeOf = (spec: InstanceSpec): Volume | null => spec.volumes.find((it) => it.at === HOME) ?? null

/** The same with this home in place of the one it has. Pure. */
export const withHome = (spec: InstanceSpec, id: string, existing = false): InstanceSpec => ({
  ...spec,
  volumes: [
    ...spec.volumes.filter((it) => it.at !== HOME),
    {
      id,
      name: 'home',
      at: HOME,
      class: 'user-data',
      readOnly: false,
      ...(existing && { existing: true as const }),
    },
  ],
})

export interface HomesOptions {
  store: Store
  clock: Clock
  /** What a volume held is deleted on its machine; called after the commit. */
  forgetVolume(controllerId: string, volumeId: string): void
}

export function createHomes({ store, clock, forgetVolume }: HomesOptions) {
  return {
    newId,
    async add(
      tx: Tx,
      row: { id: string; organisationId: string; sessionId: string; controllerId: string },
    ): Promise<void> {
      await statements.add({ ...row, now: clock.now() }).execute(tx)
    },
    /** No session has it any more. What is answered is called after the commit. */
    async leave(tx: Tx, it: { home_id: string | null; controller_id: string }): Promise<() => void> {
      const id = it.home_id
      if (id === null) return () => undefined
      await statements.leave({ id }).execute(tx)
      return () => void forgetVolume(it.controller_id, id)
    },
    leavingOn: (controllerId: string): Promise<string[]> =>
      store.system.read(async (tx) =>
        (await statements.leavingOn({ controllerId }).execute(tx)).rows.map((it) => it.id),
      ),
    gone: (controllerId: string, id: string): Promise<void> =>
      store.system.transaction(async (tx) => void (await statements.drop({ id, controllerId }).execute(tx))),
  }
}
export type Homes = ReturnType<typeof createHomes>
