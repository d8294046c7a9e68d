/** A person's own second factors: set up, look at, take away; never below what the role's policy demands. */
import { fail } from '@kalnet/contracts/errors'
import type { NewCredential, Passkey } from '@kalnet/contracts/passkey'
import type { Role } from '@kalnet/contracts/permission'
import type { Factors as FactorsAnswer } from '@kalnet/contracts/sign-in'
import type { SignIn } from '../core/http.ts'
import type { Store, Tx } from '../core/store.ts'
import { type PasskeyRow, statements } from './factors.store.ts'
import type { Factors } from './factors.ts'
import type { PasskeyPlace } from './passkey-place.ts'
import { policyOf } from './policy.ts'
import { CODES, renewCodes } from './recovery.ts'
import type { SignIns } from './sign-ins.ts'
import { statements as people, type UserRow } from './store.ts'

/** Who changes their own door: a person with a live sign-in. */
export interface Mine {
  userId: string
  organisationId: string
  signIn: SignIn
}
/** The secret of the sign-in was renewed: it has proved two factors now. */
export interface Raised {
  recoveryCodes: string[] | null
  cookie: { secret: string; maxAgeMs: number }
}
export interface MyFactors {
  show(mine: Mine, place: PasskeyPlace): Promise<FactorsAnswer>
  beginTotp(mine: Mine): Promise<{ secret: string; uri: string }>
  confirmTotp(mine: Mine, code: string): Promise<Raised>
  removeTotp(mine: Mine): Promise<void>
  renewCodes(mine: Mine): Promise<string[]>
  beginPasskey(mine: Mine, place: PasskeyPlace): Promise<{ challenge: string }>
  addPasskey(mine: Mine, name: string, response: NewCredential): Promise<Raised & { passkey: Passkey }>
  renamePasskey(mine: Mine, id: string, name: string): Promise<Passkey>
  removePasskey(mine: Mine, id: string): Promise<void>
}

const shapePasskey = (row: PasskeyRow): Passkey => ({
  id: row.id,
  name: row.name,
  synced: row.synced,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
})

export function createMyFactors(options: { store: Store; factors: Factors; signIns: SignIns }): MyFactors {
  const { store, factors, signIns } = options

  async function userOf(tx: Tx, mine: Mine): Promise<UserRow> {
    const user = (await people.userById({ id: mine.userId }).execute(tx)).rows[0]
    if (!user) throw fail('sign-in.required')
    return user
  }
  /** One change after the other. Whoever has a second factor changes nothing here without having shown it. */
  const change = <T>(mine: Mine, work: (tx: Tx, user: UserRow) => Promise<T>): Promise<T> =>
    store.as(mine.organisationId).transaction(async (tx) => {
      await statements.lockUser({ id: mine.userId }).execute(tx)
      const user = await userOf(tx, mine)
      if (mine.signIn.assurance !== 2 && (await factors.methodsOf(tx, user.id)).length > 0)
        throw fail('step-up.required')
      return work(tx, user)
    })
  /** After a factor was proved: codes with the first one, and the sign-in counts two from here on. */
  async function raise(tx: Tx, mine: Mine, user: UserRow): Promise<Raised> {
    const has = (await statements.summary({ userId: user.id }).execute(tx)).rows[0]
    const recoveryCodes = has?.codes === 0 ? await renewCodes(tx, user) : null
    return { recoveryCodes, cookie: await signIns.renew(tx, mine.signIn.id, 2) }
  }
  async function afterRemoval(tx: Tx, user: UserRow): Promise<void> {
    const has = (await statements.summary({ userId: user.id }).execute(tx)).rows[0]
    if (has?.totp || (has?.passkeys ?? 0) > 0) return
    const { assurance } = await policyOf(tx, user.organisation_id, user.role as Role)
    if (assurance === 2) throw fail('factor.demanded')
    await statements.dropCodes({ userId: user.id }).execute(tx)
  }
  async function ownPasskey(tx: Tx, mine: Mine, id: string): Promise<PasskeyRow> {
    const row = (await statements.passkeyById({ id }).execute(tx)).rows[0]
    if (row?.user_id !== mine.userId) throw fail('thing.unknown', { kind: 'passkey' })
    return row
  }

  return {
    show: (mine, place) =>
      store.as(mine.organisationId).read(async (tx) => {
        const user = await userOf(tx, mine)
        const totp = (await statements.totp({ userId: user.id }).execute(tx)).rows[0]
        const passkeys = (await statements.passkeysOf({ userId: user.id }).execute(tx)).rows
        const has = (await statements.summary({ userId: user.id }).execute(tx)).rows[0]
        const { assurance } = await policyOf(tx, user.organisation_id, user.role as Role)
        const hasFactor = totp?.confirmed_at || passkeys.length > 0
        return {
          password: user.password_hash !== null,
          totp: totp?.confirmed_at ? { confirmedAt: totp.confirmed_at } : null,
          recovery: hasFactor ? { left: has?.codes ?? 0, of: CODES } : null,
          passkeys: passkeys.map(shapePasskey),
          passkeysHere: place.available ? { available: true } : place,
          demanded: assurance,
          proved: mine.signIn.assurance ?? 1,
        }
      }),
    beginTotp: (mine) => change(mine, (tx, user) => factors.totp.begin(tx, user)),
    confirmTotp: (mine, code) =>
      change(mine, async (tx, user) => {
        await factors.totp.confirm(tx, user, code)
        return raise(tx, mine, user)
      }),
    removeTotp: (mine) =>
      change(mine, async (tx, user) => {
        if (!(await factors.totp.remove(tx, user))) throw fail('thing.unknown', { kind: 'authenticator app' })
        await afterRemoval(tx, user)
      }),
    renewCodes: (mine) =>
      change(mine, async (tx, user) => {
        if ((await factors.methodsOf(tx, user.id)).length === 0)
          throw fail('thing.unknown', { kind: 'second factor' })
        return renewCodes(tx, user)
      }),
    async beginPasskey(mine, place) {
      if (!place.available) throw fail('passkey.unavailable', { reason: place.reason })
      const user = await change(mine, (_tx, it) => Promise.resolve(it))
      return factors.passkeys.creationOptions(user, place)
    },
    async addPasskey(mine, name, response) {
      const user = { id: mine.userId, organisation_id: mine.organisationId }
      const keep = await factors.passkeys.made(user, response)
      return change(mine, async (tx, whole) => {
        const passkey = shapePasskey(await keep(tx, name))
        return { passkey, ...(await raise(tx, mine, whole)) }
      })
    },
    renamePasskey: (mine, id, name) =>
      change(mine, async (tx) => {
        await ownPasskey(tx, mine, id)
        await statements.renamePasskey({ id, name }).execute(tx)
        return shapePasskey(await ownPasskey(tx, mine, id))
      }),
    removePasskey: (mine, id) =>
      change(mine, async (tx, user) => {
        await ownPasskey(tx, mine, id)
        await statements.dropPasskey({ id }).execute(tx)
        await afterRemoval(tx, user)
      }),
  }
}
