/** A new password for one who forgot it: a one-use link, by mail or from a steward's hand. It never takes a second factor away. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import type { Mail } from '../core/mail.ts'
import type { Store, Tx } from '../core/store.ts'
import type { Link } from './claims.ts'
import { hashOf, newSecret } from './cookie.ts'
import { statements as factorStatements } from './factors.store.ts'
import type { Entered, Gate } from './gate.ts'
import type { Passwords } from './passwords.ts'
import type { DeviceOf, SignIns } from './sign-ins.ts'
import { statements, type UserRow } from './store.ts'
import type { Throttle } from './throttle.ts'

export interface Resets {
  /** For a steward who hands it over, and for the mail. A new link replaces the old. */
  issue(tx: Tx, user: { id: string; organisation_id: string }): Promise<Link>
  /** Answers before it looks whether there is such a person: nobody learns it from the words nor from the time. */
  ask(email: string, address: string): Promise<void>
  use(
    input: { token: string; password: string },
    device: DeviceOf,
    known: (actor: Actor) => void,
  ): Promise<Entered>
  /** When the letters under way are out; for the end and for tests. */
  idle(): Promise<void>
}

const LINK_MS = 30 * 60_000
/** Letters being written at once; a crowd's further wishes are let fall, as those of unknown people are. */
const AT_ONCE = 20

const letter = (name: string, url: string) => `Hello ${name},

somebody, probably you, asked for a new password for Kalnet. Open this link within 30 minutes; it works once:

  ${url}

If it was not you, there is nothing to do: your password stays as it is.
`

export function createResets(options: {
  store: Store
  clock: Clock
  mail: Mail
  address: () => string
  passwords: Passwords
  gate: Gate
  signIns: SignIns
  throttle: Throttle
}): Resets {
  const { store, clock, mail, address, passwords, gate, signIns, throttle } = options
  const moment = (ms = 0) => new Date(clock.now().getTime() + ms).toISOString()
  const underWay = new Set<Promise<void>>()

  const resets: Resets = {
    async issue(tx, user) {
      const token = newSecret()
      const expiresAt = moment(LINK_MS)
      await factorStatements.dropResetsOf({ userId: user.id }).execute(tx)
      const whose = { organisationId: user.organisation_id, userId: user.id }
      await factorStatements.addReset({ hash: hashOf(token), ...whose, expiresAt }).execute(tx)
      return { url: `${new URL('/reset', address())}#${token}`, expiresAt }
    },
    async ask(email, from) {
      await throttle.attempt('reset', email, from)
      if (!mail.configured || underWay.size >= AT_ONCE) return
      const work = write(email)
      underWay.add(work)
      void work.finally(() => underWay.delete(work))
    },
    async use({ token, password }, device, known) {
      const hash = hashOf(token)
      const user = await store.system.read(async (tx) => {
        const row = (await factorStatements.findReset({ hash, now: moment() }).execute(tx)).rows[0]
        return row ? ((await statements.userById({ id: row.user_id }).execute(tx)).rows[0] ?? null) : null
      })
      if (user?.state !== 'active') throw fail('reset.unknown')
      const passwordHash = await passwords.hashNew(password, wordsOf(user))
      return store.system.transaction(async (tx) => {
        const { rows } = await factorStatements.useReset({ hash, now: moment() }).execute(tx)
        if (rows.length === 0) throw fail('reset.unknown')
        await statements.setPassword({ id: user.id, passwordHash }).execute(tx)
        await signIns.endAllOf(tx, user.id, null)
        return gate.enter(tx, user, { method: 'link', assurance: 1 }, { ...device, replaces: null }, known)
      })
    },
    async idle() {
      await Promise.all(underWay)
    },
  }
  /** Behind the answer; whoever asked learns nothing of it, the log does (mail.send). */
  async function write(email: string): Promise<void> {
    try {
      const written = await store.system.transaction(async (tx) => {
        const user = (await statements.userByEmail({ email }).execute(tx)).rows[0]
        if (user?.state !== 'active' || user.kind !== 'person') return null
        // One who comes by a provider only gets no second door by mail: a steward may open it.
        const has = (await factorStatements.summary({ userId: user.id }).execute(tx)).rows[0]
        if (user.password_hash === null && !has?.passkeys) return null
        return { user, link: await resets.issue(tx, user) }
      })
      if (!written) return
      const { user, link } = written
      await mail.send({
        to: { name: user.name, address: user.email },
        subject: 'A new password for Kalnet',
        text: letter(user.name, link.url),
      })
    } catch (error) {
      mail.failed(error)
    }
  }
  return resets
}

/** What a password of this person must not be made of. */
export const wordsOf = (user: Pick<UserRow, 'name' | 'email' | 'organisation_name'>): string[] => [
  user.name,
  user.email ?? '',
  user.organisation_name,
]
