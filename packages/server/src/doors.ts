/** The part of the composition by which programs and people of elsewhere come in: service keys, other directories. */
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Outbound } from '@kalnet/io/outbound'
import { bearerKey } from './core/bearer.ts'
import type { Events } from './core/events.ts'
import type { Credentials, Handler, Identified, RecordAudit } from './core/http.ts'
import type { Mail } from './core/mail.ts'
import type { Secrets } from './core/secrets.ts'
import type { Store, Tx } from './core/store.ts'
import { createFederation, type Federation } from './federation/federation.ts'
import type { Identity } from './identity/identity.ts'
import { createAccounts } from './keys/accounts.ts'
import { createKeyDoor } from './keys/authenticate.ts'
import { createKeys } from './keys/keys.ts'
import { routesOfKeys } from './keys/routes.ts'
import { createPeopleRoom } from './people/room.ts'
import { createScimRoom } from './scim/room.ts'

export interface DoorsOptions {
  store: Store
  events: Events
  clock: Clock
  identity: Identity
  mail: Mail
  secrets: Secrets
  log: Log
  outbound: Outbound
  record: RecordAudit
  /** Where people reach the dashboard. */
  address: () => string
  /** What runs for somebody who is being removed goes too; what it answers is called after the commit. */
  leaving(tx: Tx, userId: string): Promise<() => void>
  /** What runs for somebody who is switched off from outside stops; what it answers is called after the commit. */
  stopAllOf(tx: Tx, userId: string): Promise<() => void>
}
export interface Doors {
  routes: Handler[]
  federation: Federation
  /** Tells everybody what a person is now. */
  tellPerson(tx: Tx, userId: string): Promise<void>
  /** The one answer to who asks: by a service key when one came along, else by sign-in. */
  authenticate(credentials: Credentials): Promise<Identified>
  /** Of the sign-ins and keys that hold connections: those that have ended. */
  ended(ids: string[]): Promise<string[]>
  tidy(): Promise<void>
  /** Looks after what comes from elsewhere, until the signal. */
  follow(signal: AbortSignal): void
}

export function createDoors(options: DoorsOptions): Doors {
  const { store, events, clock, identity, mail, address, leaving } = options
  const keys = createKeys({ store, events, clock })
  /** Sign-ins end; connections that came by a key are cut, and come back with what it may do now. */
  const endAll = async (tx: Tx, userId: string) => {
    await identity.signIns.endAllOf(tx, userId, null)
    await keys.cutAllOf(tx, userId)
  }
  const room = createPeopleRoom({ store, events, clock, mail, identity, address, leaving, endAll })
  const tellPerson = async (tx: Tx, userId: string) => void (await room.people.tell(tx, userId))
  const federation = createFederation({
    ...options,
    personChanged: tellPerson,
    assign: async (tx, userId, from, to) => void (await room.people.assign(tx, userId, from, to)),
  })
  const accounts = createAccounts({ store, clock, keys })
  const keyDoor = createKeyDoor({ store, clock })
  const scim = createScimRoom({
    store,
    clock,
    address,
    tellPerson: room.people.tell,
    tellGroup: room.groups.tell,
    groupGone: (tx, { organisationId, id }) =>
      events.publish(tx, 'group.removed', { organisationId, userId: null }, { id }),
    endAll,
    stopAllOf: options.stopAllOf,
  })

  return {
    federation,
    tellPerson,
    routes: [...room.routes, ...federation.routes, ...routesOfKeys({ keys, accounts }), ...scim.routes],
    authenticate(credentials) {
      const token = bearerKey(credentials.authorization)
      return token === null
        ? identity.authenticate(credentials)
        : keyDoor.authenticate(token, credentials.address)
    },
    ended: async (ids) => keyDoor.ended(await identity.ended(ids)),
    async tidy() {
      await identity.tidy()
      await room.invitations.tidy()
      await keyDoor.tidy()
    },
    follow: federation.follow,
  }
}
