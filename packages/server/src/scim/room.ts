/** SCIM put together, and what it needs of the other rooms. */
import type { Clock } from '@kalnet/io/clock'
import type { Handler } from '../core/http.ts'
import type { Store, Tx } from '../core/store.ts'
import { createScimGroups } from './groups.ts'
import { createScimPeople } from './people.ts'
import { routesOfScim } from './routes.ts'

export interface ScimRoomOptions {
  store: Store
  clock: Clock
  /** Where we are reached: what our addresses in answers begin with. */
  address(): string
  /** Everybody hears what a person or a group is now. */
  tellPerson(tx: Tx, userId: string): Promise<unknown>
  tellGroup(tx: Tx, groupId: string): Promise<unknown>
  groupGone(tx: Tx, group: { organisationId: string; id: string }): Promise<unknown>
  /** Ends the sign-ins of somebody and cuts what is open. */
  endAll(tx: Tx, userId: string): Promise<unknown>
  /** What runs for somebody stops; what it answers is called after the commit. */
  stopAllOf(tx: Tx, userId: string): Promise<() => void>
}

export const createScimRoom = (options: ScimRoomOptions): { routes: Handler[] } => ({
  routes: routesOfScim({
    people: createScimPeople(options),
    groups: createScimGroups(options),
    address: options.address,
  }),
})
