/** People: who they are, how they get in, how they leave. More ways to sign in come beside the password and end in the same gate. */
import { fail } from '@kalnet/contracts/errors'
import type { Me } from '@kalnet/contracts/identity'
import type { Actor } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import type { Events } from '../core/events.ts'
import type { Handler } from '../core/http.ts'
import type { Store, Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { type Claims, createClaims, type Person } from './claims.ts'
import { createGate, type Entered, type Gate, shapeMe } from './gate.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import { routesOfIdentity } from './routes.ts'
import { createSignIns, type DeviceOf, type SignIns } from './sign-ins.ts'
import { statements, type UserRow } from './store.ts'
import { createThrottle } from './throttle.ts'

/** Told who it is before the change is committed, so that its audit row says so. */
type Known = (actor: Actor) => void
export interface People {
  claim(
    input: Omit<Person, 'passwordHash'> & { token: string; password: string },
    device: DeviceOf,
    known: Known,
  ): Promise<Entered>
  signIn(input: { email: string; password: string }, device: DeviceOf, known: Known): Promise<Entered>
  signOut(signInId: string): Promise<void>
  me(userId: string, signInId: string | null): Promise<Me>
  change(call: {
    userId: string
    organisationId: string
    signInId: string | null
    address: string
    name?: string
    password?: { current: string; new: string }
  }): Promise<Me>
}
export interface Identity {
  routes: Handler[]
  authenticate: SignIns['authenticate']
  gate: Gate
  signIns: SignIns
  passwords: Passwords
  claims: Claims
  /** As the gate wants it, for whoever lets somebody in by another way. Throws thing.unknown. */
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
  version: string
  /** Where people reach the dashboard. */
  address: () => string
  passwords?: Passwords
}

export function createIdentity(options: IdentityOptions): Identity {
  const { store, events, clock, passwords = createPasswords() } = options
  const claims = createClaims({ store, clock, address: options.address })
  const signIns = createSignIns({ store, events, clock })
  const gate = createGate({ signIns, clock })
  const throttle = createThrottle({ store, clock })

  const changed = async (tx: Tx, user: UserRow) => {
    const { signedInAt: _, unproved: __, ...data } = shapeMe(user, null)
    await events.publish(tx, 'user.changed', { organisationId: user.organisation_id, userId: user.id }, data)
  }
  const people: People = {
    async claim({ token, password, ...person }, device, known) {
      await claims.check(token)
      const passwordHash = await passwords.hash(password)
      try {
        return await store.system.transaction(async (tx) => {
          const { user, reset } = await claims.use(tx, token, { ...person, passwordHash })
          if (reset) await signIns.endAllOf(tx, user.id, null)
          const organisationId = user.organisation_id
          if (!reset)
            await events.publish(
              tx,
              'organisation.claimed',
              { organisationId, userId: null },
              { organisationId },
            )
          await changed(tx, user)
          const by = reset ? { ...device, replaces: null } : device
          return gate.enter(tx, user, { method: 'link', assurance: 1 }, by, known)
        })
      } catch (error) {
        if (isDuplicate(error, 'users_email_key'))
          throw fail('request.invalid', { problem: 'email: somebody else has this address' })
        throw error
      }
    },
    async signIn({ email, password }, device, known) {
      await throttle.attempt(email, device.address)
      const user = (await store.system.read((tx) => statements.userByEmail({ email }).execute(tx))).rows[0]
      if (!(await passwords.verify(user?.password_hash ?? null, password)) || user?.state !== 'active')
        throw fail('sign-in.wrong')
      await throttle.succeeded(email, device.address)
      return store.system.transaction((tx) =>
        gate.enter(tx, user, { method: 'password', assurance: 1 }, device, known),
      )
    },
    async signOut(signInId) {
      await store.system.transaction((tx) => signIns.end(tx, signInId))
    },
    async me(userId, signInId) {
      const { rows } = await store.system.read((tx) => statements.me({ id: userId, signInId }).execute(tx))
      const user = rows[0]
      if (!user) throw fail('sign-in.required')
      return shapeMe(user, user.signed_in_at)
    },
    async change({ userId, organisationId, signInId, address, name, password }) {
      const home = store.as(organisationId)
      const before = (await home.read((tx) => statements.userById({ id: userId }).execute(tx))).rows[0]
      if (!before) throw fail('sign-in.required')
      let passwordHash: string | null = null
      if (password) {
        await throttle.attempt(before.email, address)
        if (!(await passwords.verify(before.password_hash, password.current))) throw fail('sign-in.wrong')
        await throttle.succeeded(before.email, address)
        passwordHash = await passwords.hash(password.new)
      }
      await home.transaction(async (tx) => {
        if (name !== undefined) await statements.renameUser({ id: userId, name }).execute(tx)
        if (passwordHash) {
          await statements.setPassword({ id: userId, passwordHash }).execute(tx)
          // Whoever knew the old password is out.
          await signIns.endAllOf(tx, userId, signInId)
        }
        const after = (await statements.userById({ id: userId }).execute(tx)).rows[0]
        if (after) await changed(tx, after)
      })
      return people.me(userId, signInId)
    },
  }
  return {
    routes: routesOfIdentity({ people, claims, clock, version: options.version }),
    authenticate: signIns.authenticate,
    gate,
    signIns,
    passwords,
    claims,
    async userById(tx, id) {
      const user = (await statements.userById({ id }).execute(tx)).rows[0]
      if (!user) throw fail('thing.unknown', { kind: 'person' })
      return user
    },
    ended: signIns.ended,
    async tidy() {
      await signIns.tidy()
      await throttle.tidy()
    },
  }
}
