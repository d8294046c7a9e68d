/** Recovery codes: ten, shown once, each works once; for the day the phone is gone. */
import { randomBytes } from 'node:crypto'
import type { Tx } from '../core/store.ts'
import { hashOf } from './cookie.ts'
import { statements } from './factors.store.ts'
import type { UserRow } from './store.ts'

export const CODES = 10
/** Crockford's: nothing that can be read as something else. 140 bits, so that a plain SHA-256 keeps them and nobody can find one by trying. */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz'
const LETTERS_EACH = 28
type Whose = Pick<UserRow, 'id' | 'organisation_id'>

const newCode = () =>
  [...randomBytes(LETTERS_EACH)]
    .map((byte) => LETTERS[byte & 31])
    .join('')
    .replace(/(.{4})(?=.)/g, '$1-')
/** As people type them: without dashes, in capitals, an o for a zero. */
export const plainCode = (typed: string) =>
  typed.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1')

/** New ones; the old ones stop working. */
export async function renewCodes(tx: Tx, user: Whose): Promise<string[]> {
  const codes = Array.from({ length: CODES }, newCode)
  await statements.dropCodes({ userId: user.id }).execute(tx)
  const hashes = codes.map((code) => hashOf(plainCode(code)))
  await statements.addCodes({ organisationId: user.organisation_id, userId: user.id, hashes }).execute(tx)
  return codes
}

/** Whether it is one of theirs; uses it up. */
export async function useCode(tx: Tx, user: Whose, typed: string): Promise<boolean> {
  const hash = hashOf(plainCode(typed))
  return (await statements.useCode({ userId: user.id, hash }).execute(tx)).rows.length === 1
}
