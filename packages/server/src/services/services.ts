/** Services: what runs all the time for everybody. Puts the parts of this folder together. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor, Permission } from '@kalnet/contracts/permission'
import { demand } from '../access/access.ts'
import type { Tx } from '../core/store.ts'
import { createActing } from './acting.ts'
import { createFollowing } from './follow.ts'
import { createInstall } from './install.ts'
import { createLinks } from './links.ts'
import { createLoad } from './load.ts'
import { createMaking } from './making.ts'
import { statements as members } from './members.store.ts'
import { createMoves } from './moves.ts'
import type { ServicesOptions } from './options.ts'
import { createReading } from './reading.ts'
import { createSettle } from './settle.ts'
import type { Whole } from './shape.ts'
import { createShowing } from './showing.ts'
import { createSignOutDoor } from './sign-out.ts'
import { createSpecs } from './specs.ts'
import { statements } from './store.ts'
import { createVault } from './vault.ts'

export type { DoorsFor, OpenedApp, ServicesOptions } from './options.ts'

export function createServices(options: ServicesOptions) {
  const { store, clock } = options
  const loading = createLoad(options)
  const { load, tell } = loading
  const specs = createSpecs({ clock, addressOf: options.addressOf, load })
  const vault = createVault(options)
  const settle = createSettle({ ...options, load, specOf: specs.specOf })
  const making = createMaking({ ...options, load, specs, vault })

  /** The service, if the actor may do this with it; a foreign one looks like none. */
  async function allowed(
    tx: Tx,
    actor: Actor,
    permission: Permission,
    id: string,
    lock = false,
  ): Promise<Whole> {
    if (lock) await statements.lock({ id }).execute(tx)
    const whole = await load(tx, id)
    if (!whole) throw fail('thing.unknown', { kind: 'service' })
    demand(actor, permission, { organisationId: whole.row.organisation_id, userId: null }, 'service')
    return whole
  }

  return {
    load,
    /** Says to everybody what a service is now; for whoever changes rows of it (outsiders that register). */
    tell,
    settle,
    install: createInstall({ ...options, making, load, settle, tell }),
    ...createActing({ ...options, ...loading, making, specs, vault, allowed, settle }),
    ...createReading({ ...options, ...loading, allowed }),
    ...createFollowing({ ...options, ...loading, settle }),
    ...createMoves({ ...options, load, settle, tell }),
    ...createShowing({ ...options, allowed }),
    signOutDoor: createSignOutDoor({ ...options, load }),
    links: createLinks({ ...options, load }),
    /** A gateway says: something is open at these instances, though they get nothing new. `organisationId`: whose gateway; null: our own. */
    busy: (ids: readonly string[], organisationId: string | null): Promise<void> =>
      store.system.transaction(
        async (tx) => void (await members.busy({ ids, organisationId, now: clock.now() }).execute(tx)),
      ),
    /** Volumes there that nobody wants any more. */
    volumesLeaving: (controllerId: string): Promise<string[]> =>
      store.system.read(async (tx) =>
        (await statements.leavingOn({ controllerId }).execute(tx)).rows.map((it) => it.id),
      ),
    volumeGone: (controllerId: string, id: string): Promise<void> =>
      store.system.transaction(
        async (tx) => void (await statements.dropVolume({ id, controllerId }).execute(tx)),
      ),
  }
}
export type Services = ReturnType<typeof createServices>
