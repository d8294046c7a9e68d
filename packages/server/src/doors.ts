/** The part of the composition by which programs and people of elsewhere come in: service keys, other directories. */
import type { Clock } from '@kalnet/io/clock'
import { bearerKey } from './core/bearer.ts'
import type { Events } from './core/events.ts'
import type { Credentials, Handler, Identified } from './core/http.ts'
import type { Store } from './core/store.ts'
import type { Identity } from './identity/identity.ts'
import { createAccounts } from './keys/accounts.ts'
import { createKeyDoor } from './keys/authenticate.ts'
import { createKeys } from './keys/keys.ts'
import { routesOfKeys } from './keys/routes.ts'

export interface DoorsOptions {
  store: Store
  events: Events
  clock: Clock
  identity: Identity
}
export interface Doors {
  routes: Handler[]
  /** The one answer to who asks: by a service key when one came along, else by sign-in. */
  authenticate(credentials: Credentials): Promise<Identified>
  /** Of the sign-ins and keys that hold connections: those that have ended. */
  ended(ids: string[]): Promise<string[]>
  tidy(): Promise<void>
}

export function createDoors({ store, events, clock, identity }: DoorsOptions): Doors {
  const keys = createKeys({ store, events, clock })
  const accounts = createAccounts({ store, clock, keys })
  const keyDoor = createKeyDoor({ store, clock })

  return {
    routes: [...routesOfKeys({ keys, accounts })],
    authenticate(credentials) {
      const token = bearerKey(credentials.authorization)
      return token === null
        ? identity.authenticate(credentials)
        : keyDoor.authenticate(token, credentials.address)
    },
    ended: async (ids) => keyDoor.ended(await identity.ended(ids)),
    async tidy() {
      await identity.tidy()
      await keyDoor.tidy()
    },
  }
}
