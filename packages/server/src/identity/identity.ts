/** How people get in and leave: put together here. Every way to sign in ends in the one gate. */
import { fail } from '@kalnet/contracts/errors'
import type { Clock } from '@kalnet/io/clock'
import type { Events } from '../core/events.ts'
import type { Handler } from '../core/http.ts'
import type { Mail } from '../core/mail.ts'
import type { Secrets } from '../core/secrets.ts'
import type { Store, Tx } from '../core/store.ts'
import { createAccounts } from './accounts.ts'
import { type Claims, createClaims } from './claims.ts'
import { createDevices } from './devices.ts'
import { createFactors, type Factors } from './factors.ts'
import { createGate, type Gate } from './gate.ts'
import { createMyFactors } from './my-factors.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import { createResets, type Resets } from './resets.ts'
import { routesOfIdentity } from './routes.ts'
import { routesOfFactors } from './routes-factors.ts'
import { routesOfSignIn } from './routes-sign-in.ts'
import { createSignIns, type SignIns } from './sign-ins.ts'
import { createStepUp } from './step-up.ts'
import { statements, type UserRow } from './store.ts'
import { createThrottle } from './throttle.ts'

export interface Identity {
  routes: Handler[]
  authenticate: SignIns['authenticate']
  gate: Gate
  signIns: SignIns
  /** For a new one: `hashNew`, which refuses what is easy to guess. */
  passwords: Passwords
  claims: Claims
  /** Links for a new password: `issue(tx, user)`. */
  resets: Resets
  /** `clear(tx, user)` when a person is removed: sealed seeds do not go with the row. */
  factors: Factors
  /** For the gate, by whoever lets somebody in another way; thing.unknown when there is none. */
  userById(tx: Tx, id: string): Promise<UserRow>
  /** Of the sign-ins that hold connections: those that have ended. */
  ended: SignIns['ended']
  /** Removes what has run out. Call it now and then. */
  tidy(): Promise<void>
}

export interface IdentityOptions {
  store: Store
  events: Events
  clock: Clock
  secrets: Secrets
  mail: Mail
  version: string
  /** Where people reach the dashboard. */
  address: () => string
  /** The address of the configuration, which passkeys are bound to; null: whatever a browser asks for. */
  publicUrl: string | null
  passwords?: Passwords
  /** A person's name changed: what the others see of them is told by a room that comes later. */
  tellOthers?(tx: Tx, userId: string): Promise<void>
}

export function createIdentity(options: IdentityOptions): Identity {
  const { store, events, clock, secrets, mail, publicUrl, passwords = createPasswords() } = options
  const claims = createClaims({ store, clock, address: options.address })
  const signIns = createSignIns({ store, events, clock })
  const throttle = createThrottle({ store, clock })
  const factors = createFactors({ store, secrets, clock })
  const gate = createGate({ store, signIns, factors, throttle, clock })
  const resets = createResets({
    store,
    clock,
    mail,
    address: options.address,
    passwords,
    gate,
    signIns,
    throttle,
  })
  const accounts = createAccounts({
    store,
    events,
    claims,
    signIns,
    factors,
    gate,
    throttle,
    passwords,
    tellOthers: options.tellOthers,
  })
  const myFactors = createMyFactors({ store, factors, signIns })
  const stepUp = createStepUp({ store, factors, passwords, signIns, throttle })
  const devices = createDevices({ store, signIns, clock })

  return {
    routes: [
      ...routesOfIdentity({ accounts, claims, clock, version: options.version }),
      ...routesOfSignIn({ accounts, gate, factors, resets, signIns, store, mail, publicUrl }),
      ...routesOfFactors({ accounts, myFactors, stepUp, devices, clock, publicUrl }),
    ],
    authenticate: signIns.authenticate,
    gate,
    signIns,
    passwords,
    claims,
    resets,
    factors,
    async userById(tx, id) {
      const user = (await statements.userById({ id }).execute(tx)).rows[0]
      if (!user) throw fail('thing.unknown', { kind: 'person' })
      return user
    },
    ended: signIns.ended,
    async tidy() {
      await signIns.tidy()
      await throttle.tidy()
      await store.system.transaction((tx) => factors.tidy(tx))
    },
  }
}
