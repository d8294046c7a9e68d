/** People: who they are, how they get in, how they leave. More ways to sign in come beside the password and end in the same gate. */
import { fail } from '@kalnet/contracts/errors'
import type { Me } from '@kalnet/contracts/identity'
import { type Actor, role } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import type { Events } from '../core/events.ts'
import type { Handler } from '../core/http.ts'
import type { Store, Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { type Claims, createClaims, type Person } from './claims.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import { routesOfIdentity } from './routes.ts'
import { actorOf, createSignIns, type SignIns } from './sign-ins.ts'
import { statements, type UserRow } from './store.ts'
import { createThrottle } from './throttle.ts'

export interface Device {
  address: string
  userAgent: string
  /** The hash of the cookie that came along. */
  replaces: string | null
}
export interface Entered {
  me: Me
  user: UserRow
  secret: string
}
/** Told who it is before the change is committed, so that its audit row says so. */
type Known = (actor: Actor) => void
export interface People {
  claim(
    input: Omit<Person, 'passwordHash'> & { token: string; password: string },
    device: Device,
    known: Known,
  ): Promise<Entered>
  signIn(input: { email: string; password: string }, device: Device, known: Known): Promise<Entered>
  signOut(hash: string): Promise<void>
  me(userId: string, signInHash: string | null): Promise<Me>
  change(call: {
    userId: string
    organisationId: string
    signInHash: string | null
    address: string
    name?: string
    password?: { current: string; new: string }
  }): Promise<Me>
}
export interface Identity {
  routes: Handler[]
  authenticate: SignIns['authenticate']
  claims: Claims
  /** Of the sign-ins that hold connections: those that have ended. */
  ended: SignIns['ended']
  /** Removes what has run out. Call it now and then. */
  tidy(): Promise<void>
}

const shapeMe = (user: UserRow, signedInAt: string | null): Me => ({
  id: user.id,
  name: user.name,
  email: user.email,
  role: role.parse(user.role),
  organisationId: user.organisation_id,
  organisationName: user.organisation_name,
  signedInAt,
})

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
  const throttle = createThrottle({ store, clock })

  const changed = async (tx: Tx, user: UserRow) => {
    const { signedInAt: _, ...data } = shapeMe(user, null)
    await events.publish(tx, 'user.changed', { organisationId: user.organisation_id, userId: user.id }, data)
  }
  async function enter(tx: Tx, user: UserRow, device: Device, known: Known): Promise<Entered> {
    known(actorOf(user))
    const { secret } = await signIns.begin(tx, user, device)
    return { me: shapeMe(user, clock.now().toISOString()), user, secret }
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
          return enter(tx, user, reset ? { ...device, replaces: null } : device, known)
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
      if (!(await passwords.verify(user?.password_hash ?? null, password)) || !user)
        throw fail('sign-in.wrong')
      await throttle.succeeded(email, device.address)
      return store.system.transaction((tx) => enter(tx, user, device, known))
    },
    async signOut(hash) {
      await store.system.transaction((tx) => signIns.end(tx, hash))
    },
    async me(userId, signInHash) {
      const { rows } = await store.system.read((tx) => statements.me({ id: userId, signInHash }).execute(tx))
      const user = rows[0]
      if (!user) throw fail('sign-in.required')
      return shapeMe(user, user.signed_in_at)
    },
    async change({ userId, organisationId, signInHash, address, name, password }) {
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
          await signIns.endAllOf(tx, userId, signInHash)
        }
        const after = (await statements.userById({ id: userId }).execute(tx)).rows[0]
        if (after) await changed(tx, after)
      })
      return people.me(userId, signInHash)
    },
  }
  return {
    routes: routesOfIdentity({ people, claims, clock, version: options.version }),
    authenticate: signIns.authenticate,
    claims,
    ended: signIns.ended,
    async tidy() {
      await signIns.tidy()
      await throttle.tidy()
    },
  }
}
