/** One's own account: made by the claim link, entered by password or passkey, looked at, changed. */
import { fail } from '@kalnet/contracts/errors'
import type { Me } from '@kalnet/contracts/identity'
import type { Assertion } from '@kalnet/contracts/passkey'
import type { Actor } from '@kalnet/contracts/permission'
import type { Events } from '../core/events.ts'
import type { Tried } from '../core/http.ts'
import type { Store, Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import type { Claims, Person } from './claims.ts'
import { hashOf } from './cookie.ts'
import type { Factors } from './factors.ts'
import { type Entered, type Gate, shapeMe } from './gate.ts'
import { createLane } from './lane.ts'
import type { Mine } from './my-factors.ts'
import { HASHES_AT_ONCE, type Passwords } from './passwords.ts'
import { wordsOf } from './resets.ts'
import type { DeviceOf, SignIns } from './sign-ins.ts'
import { statements, type UserRow } from './store.ts'
import type { Throttle } from './throttle.ts'

/** Told who it is before the change is committed, so that its audit row says so. */
type Known = (actor: Actor) => void
export interface Accounts {
  claim(
    input: Omit<Person, 'passwordHash'> & { token: string; password: string },
    device: DeviceOf,
    known: Known,
  ): Promise<Entered>
  signIn(
    input: { email: string; password: string },
    device: DeviceOf,
    known: Known,
    tried: (account: Tried) => void,
  ): Promise<Entered>
  /** Without a name: the passkey says who it is. */
  signInByPasskey(response: Assertion, device: DeviceOf, known: Known): Promise<Entered>
  signOut(signInId: string): Promise<void>
  me(userId: string, signInId: string | null, unproved: boolean): Promise<Me>
  rename(userId: string, organisationId: string, name: string): Promise<void>
  /** Whoever knew the old one is out; this sign-in stays. */
  setPassword(
    mine: Mine,
    input: { password: string; current?: string | undefined },
    address: string,
  ): Promise<void>
}

export function createAccounts(options: {
  store: Store
  events: Events
  claims: Claims
  signIns: SignIns
  factors: Factors
  gate: Gate
  throttle: Throttle
  passwords: Passwords
  /** What the others see of a person changed too. */
  tellOthers?(tx: Tx, userId: string): Promise<void>
}): Accounts {
  const { store, events, claims, signIns, factors, gate, throttle, passwords } = options

  /** All that a password costs, not only its hash: a flood is sent away before it takes the database from those inside. */
  const doorway = createLane({ atOnce: HASHES_AT_ONCE + 2, waiting: 32 })

  const changed = async (tx: Tx, user: UserRow) => {
    const { signedInAt: _, unproved: __, ...data } = shapeMe(user, null)
    await events.publish(tx, 'user.changed', { organisationId: user.organisation_id, userId: user.id }, data)
    await options.tellOthers?.(tx, user.id)
  }
  async function existing(tx: Tx, id: string): Promise<UserRow> {
    const user = (await statements.userById({ id }).execute(tx)).rows[0]
    if (!user) throw fail('sign-in.required')
    return user
  }

  return {
    async claim({ token, password, ...person }, device, known) {
      await claims.check(token)
      const context = [person.name, person.email, person.organisationName]
      const passwordHash = await passwords.hashNew(password, context)
      try {
        return await store.system.transaction(async (tx) => {
          const { user, reset, clearFactors } = await claims.use(tx, token, { ...person, passwordHash })
          if (reset) await signIns.endAllOf(tx, user.id, null)
          if (clearFactors) await factors.clear(tx, user)
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
    async signIn({ email, password }, device, known, tried) {
      tried({ hash: hashOf(email).slice(0, 16) })
      const user = await doorway(async () => {
        await throttle.attempt('password', email, device.address)
        const { rows } = await store.system.read((tx) => statements.userByEmail({ email }).execute(tx))
        if (rows[0]) tried({ organisationId: rows[0].organisation_id, userId: rows[0].id })
        const right = await passwords.verify(rows[0]?.password_hash ?? null, password)
        if (!right || rows[0]?.state !== 'active') throw fail('sign-in.wrong')
        return rows[0]
      })
      await throttle.succeeded('password', email, device.address)
      return store.system.transaction((tx) =>
        gate.enter(tx, user, { method: 'password', assurance: 1 }, device, known),
      )
    },
    async signInByPasskey(response, device, known) {
      const shown = await factors.passkeys.shown('sign-in', null, response)
      return store.system.transaction(async (tx) => {
        const user = await existing(tx, shown.passkey.user_id)
        if (user.state !== 'active') throw fail('passkey.refused')
        await shown.use(tx)
        return gate.enter(tx, user, { method: 'passkey', assurance: 2 }, device, known)
      })
    },
    async signOut(signInId) {
      await store.system.transaction((tx) => signIns.end(tx, signInId))
    },
    async me(userId, signInId, unproved) {
      const { rows } = await store.system.read((tx) => statements.me({ id: userId, signInId }).execute(tx))
      const user = rows[0]
      if (!user) throw fail('sign-in.required')
      return shapeMe(user, user.signed_in_at, unproved)
    },
    rename: (userId, organisationId, name) =>
      store.as(organisationId).transaction(async (tx) => {
        await statements.renameUser({ id: userId, name }).execute(tx)
        await changed(tx, await existing(tx, userId))
      }),
    async setPassword(mine, { password, current = '' }, address) {
      const home = store.as(mine.organisationId)
      const user = await home.read((tx) => existing(tx, mine.userId))
      const needsFactor = await home.read((tx) => factors.methodsOf(tx, user.id))
      if (mine.signIn.assurance !== 2 && needsFactor.length > 0) throw fail('step-up.required')
      // A fresh proof may be a passkey: whoever sits at an open screen with it must know the password all the same.
      if (user.password_hash !== null) {
        const account = user.email ?? user.id
        await throttle.attempt('password', account, address)
        if (!(await passwords.verify(user.password_hash, current))) throw fail('password.wrong')
        await throttle.succeeded('password', account, address)
      }
      const passwordHash = await passwords.hashNew(password, wordsOf(user))
      await home.transaction(async (tx) => {
        await statements.setPassword({ id: user.id, passwordHash }).execute(tx)
        await signIns.endAllOf(tx, user.id, mine.signIn.id)
        await changed(tx, user)
      })
    },
  }
}
