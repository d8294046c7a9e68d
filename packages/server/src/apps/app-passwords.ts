/** Passwords for programs that cannot follow a redirect: one for each program and guarded address, shown once, kept as a hash. */
import { randomBytes } from 'node:crypto'
import { fail } from '@kalnet/contracts/errors'
import type { AppPassword } from '@kalnet/contracts/forward'
import type { Actor } from '@kalnet/contracts/permission'
import { type Clock, stamp } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { aside, type Store } from '../core/store.ts'
import type { Throttle } from '../identity/throttle.ts'
import { hashed } from './adapter.ts'
import { type PasswordRow, statements } from './forward.store.ts'
import { type AppPeople, admits } from './people.ts'

/** How exact `last used` is: a program may ask many times a second. */
const TOUCH_MS = 5 * 60_000
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789'

/** 160 bits in groups of four, without signs that look alike: some programs let nobody paste. */
const newPassword = () =>
  [...randomBytes(32)]
    .map((byte) => LETTERS[byte % 32])
    .join('')
    .replace(/(.{4})(?=.)/g, '$1-')
const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')

const shape = (row: PasswordRow): AppPassword => ({
  id: row.id,
  name: row.name,
  routeId: row.route_id,
  routeName: row.route_name,
  host: row.host,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
})

export interface AppPasswords {
  /** Whose it is, of a Basic header at this address; null: not right. Wrong ones are slowed down: throws sign-in.throttled. */
  check(routeId: string, header: string, address: string): Promise<string | null>
  list(actor: Actor): Promise<AppPassword[]>
  places(actor: Actor): Promise<{ id: string; name: string; host: string }[]>
  add(
    actor: Actor,
    body: { routeId: string; name: string },
  ): Promise<{ appPassword: AppPassword; username: string; secret: string }>
  remove(actor: Actor, id: string): Promise<void>
}

export function createAppPasswords(options: {
  store: Store
  clock: Clock
  people: AppPeople
  throttle: Pick<Throttle, 'attempt'>
}): AppPasswords {
  const { store, clock, people, throttle } = options

  async function check(routeId: string, header: string, address: string): Promise<string | null> {
    const [username = '', ...rest] = Buffer.from(header.slice(6).trim(), 'base64').toString('utf8').split(':')
    const hash = hashed(plain(rest.join(':')))
    const row = (await store.system.read((tx) => statements.findPassword({ hash }).execute(tx))).rows[0]
    const name = username.trim().toLowerCase()
    const right = row?.route_id === routeId && (name === row.username || name === row.email)
    if (!row || !right) {
      await throttle.attempt('password', `app password of ${name.slice(0, 254)}`, address)
      return null
    }
    if (!row.last_used_at || Date.parse(row.last_used_at) < clock.now().getTime() - TOUCH_MS)
      await aside(() =>
        store.system.transaction((tx) =>
          statements.usedPassword({ id: row.id, at: stamp(clock) }).execute(tx),
        ),
      )
    return row.user_id
  }

  async function places({ userId, organisationId }: Actor) {
    const person = await people.find(userId)
    if (!person) return []
    const { rows } = await store
      .as(organisationId)
      .read((tx) => statements.passwordRoutes({ organisationId }).execute(tx))
    return rows.filter((row) => admits(row, person)).map(({ id, name, host }) => ({ id, name, host }))
  }

  return {
    check,
    places,
    async list({ userId, organisationId }) {
      const { rows } = await store
        .as(organisationId)
        .read((tx) => statements.passwordsOf({ userId, id: null }).execute(tx))
      return rows.map(shape)
    },
    async add(actor, { routeId, name }) {
      const { userId, organisationId } = actor
      if (!(await places(actor)).some((it) => it.id === routeId))
        throw fail('thing.unknown', { kind: 'address' })
      const person = await people.find(userId)
      if (!person) throw fail('permission.denied')
      const id = newId()
      const secret = newPassword()
      const row = await store.as(organisationId).transaction(async (tx) => {
        await statements
          .addPassword({
            id,
            organisationId,
            userId,
            routeId,
            name,
            hash: hashed(plain(secret)),
            at: stamp(clock),
          })
          .execute(tx)
        return (await statements.passwordsOf({ userId, id }).execute(tx)).rows[0]
      })
      if (!row) throw new Error('the app password was not made')
      return { appPassword: shape(row), username: person.username, secret }
    },
    async remove({ userId, organisationId }, id) {
      const { rows } = await store
        .as(organisationId)
        .transaction((tx) => statements.removePassword({ id, userId }).execute(tx))
      if (!rows[0]) throw fail('thing.unknown', { kind: 'app password' })
    },
  }
}
