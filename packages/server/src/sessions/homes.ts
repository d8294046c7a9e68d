/**
 * The home folder of a session, as a volume of its own on its machine. It stays while the session runs, sleeps or has failed, and goes
 * when the session is stopped, started afresh or removed: then no session has it any more, and its machine is told until it is gone.
 */

import { HOME, type InstanceSpec, type Volume } from '@kalnet/contracts/instance'
import type { HomesThere } from '@kalnet/contracts/kept'
import type { Actor } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { Store, Tx } from '../core/store.ts'
import type { Changing } from './changing.ts'
import { statements } from './homes.store.ts'
import { KEPT } from './shape.ts'
import { statements as sessions } from './store.ts'

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

type Measured = { id: string; bytes: number | null; reservedBytes: number | null; place: string | null }

export interface HomesOptions {
  store: Store
  clock: Clock
  /** What a volume held is deleted on its machine; called after the commit. */
  forgetVolume(controllerId: string, volumeId: string): void
  /** How large is it? Asked after the commit; what is answered comes by `measured`. */
  measureVolume(controllerId: string, volumeId: string): void
}

export function createHomes(options: HomesOptions & { changing: Changing }) {
  const { store, clock, forgetVolume, measureVolume, changing } = options
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
    /** From now on nothing of it runs, so that it can be measured. What is answered is called after the commit. */
    async rests(tx: Tx, it: { home_id: string | null; controller_id: string }): Promise<() => void> {
      const id = it.home_id
      if (id === null) return () => undefined
      await statements.outdate({ id }).execute(tx)
      return () => void measureVolume(it.controller_id, id)
    },
    unmeasuredOn: (controllerId: string): Promise<string[]> =>
      store.system.read(async (tx) =>
        (await statements.unmeasuredOn({ controllerId }).execute(tx)).rows.map((it) => it.id),
      ),
    /** What its machine says of it; of a session that runs again it is not kept. */
    measured: (controllerId: string, { id, ...it }: Measured): Promise<void> =>
      store.system.transaction(async (tx) => {
        const whose = (await statements.sessionOf({ id, controllerId }).execute(tx)).rows[0]
        if (!whose) return
        await sessions.lockItsInstance({ id: whose.session_id }).execute(tx)
        const row = (await sessions.lock({ id: whose.session_id }).execute(tx)).rows[0]
        if (row?.home_id !== id || !KEPT.includes(row.state)) return
        await statements.measured({ id, ...it, now: clock.now() }).execute(tx)
        await changing.tell(tx, row.id)
      }),
    /** Machine by machine, as far as the actor's organisation has any there. */
    kept: ({ organisationId }: Actor): Promise<HomesThere[]> =>
      store.as(organisationId).read(async (tx) =>
        (await statements.kept().execute(tx)).rows.map((row) => ({
          controllerId: row.controller_id,
          homes: row.homes,
          bytes: row.bytes,
          reservedBytes: row.reserved_bytes,
          unknown: row.unknown,
        })),
      ),
    leavingOn: (controllerId: string): Promise<string[]> =>
      store.system.read(async (tx) =>
        (await statements.leavingOn({ controllerId }).execute(tx)).rows.map((it) => it.id),
      ),
    gone: (controllerId: string, id: string): Promise<void> =>
      store.system.transaction(async (tx) => void (await statements.drop({ id, controllerId }).execute(tx))),
  }
}
export type Homes = ReturnType<typeof createHomes>
