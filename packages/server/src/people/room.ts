/** The room put together: people, groups, invitations, organisations, and their routes. */
import type { Clock } from '@kalnet/io/clock'
import type { Events } from '../core/events.ts'
import type { Handler } from '../core/http.ts'
import type { Mail } from '../core/mail.ts'
import type { Store, Tx } from '../core/store.ts'
import type { Identity } from '../identity/identity.ts'
import { createGroups, type Groups } from './groups.ts'
import { createInvitations, type Invitations } from './invitations.ts'
import { createJoining } from './joining.ts'
import { mailInvitation } from './letter.ts'
import { createOrganisations } from './organisations.ts'
import { createPeople, type People } from './people.ts'
import { routesOfPeople } from './routes.ts'

export interface PeopleRoom {
  people: People
  groups: Groups
  invitations: Invitations
  routes: Handler[]
}
export interface PeopleRoomOptions {
  store: Store
  events: Events
  clock: Clock
  identity: Pick<Identity, 'gate' | 'passwords' | 'userById' | 'resets'>
  /** Where people reach the dashboard. */
  address: () => string
  /** What runs for somebody who is being removed goes too; what it answers is called after the commit. */
  leaving(tx: Tx, userId: string): Promise<() => void>
  mail: Mail
  /** Every sign-in, and whatever else is connected in this person's name. */
  endAll(tx: Tx, userId: string): Promise<void>
}

export function createPeopleRoom(options: PeopleRoomOptions): PeopleRoom {
  const { store, events, clock, mail, identity, address, leaving } = options
  const groups = createGroups({ store, events, clock })
  const invitations = createInvitations({ store, events, clock, address })
  const people = createPeople({
    store,
    events,
    clock,
    endAll: options.endAll,
    resetLink: identity.resets.issue,
    leaving,
    tellGroup: async (tx, id) => void (await groups.tell(tx, id)),
    tellInvitation: async (tx, id) => void (await invitations.tell(tx, id)),
  })
  const organisations = createOrganisations({ store, events, clock, invitations })
  const joining = createJoining({ store, identity, people, invitations })
  return {
    people,
    groups,
    invitations,
    routes: routesOfPeople({
      people,
      groups,
      invitations,
      organisations,
      joining,
      mail: (made) => mailInvitation({ mail, clock }, made),
    }),
  }
}
