/** argon2id, few at a time: each takes 19 MiB and a core for a moment. */
import { availableParallelism } from 'node:os'
import { fail } from '@kalnet/contracts/errors'
import { hash, verify } from '@node-rs/argon2'
import { createLane } from './lane.ts'
import { weaknessOf } from './weak-passwords.ts'

export interface Passwords {
  hash(password: string): Promise<string>
  /** The same for one a person has chosen. `context`: names and addresses it must not be made of. Throws password.weak. */
  hashNew(password: string, context: readonly string[]): Promise<string>
  /** `stored` null: nobody with this name; takes as long as a real one. */
  verify(stored: string | null, password: string): Promise<boolean>
}

/** Half of the cores at most: whoever is signed in already keeps the other half. */
export const HASHES_AT_ONCE = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)))
const WAITING = 32
/** Nobody has this one; made by the same parameters, so that looking at it takes as long. */
const NOBODY =
  '$argon2id$v=19$m=19456,t=2,p=1$BFgE3fA38EQn6zcjFXFhrQ$ETl+DoRhQk76qqXLcimtHKhTalDwJ+B3gxHcgvVav1k'

export function createPasswords({ atOnce = HASHES_AT_ONCE, waiting = WAITING } = {}): Passwords {
  const inTurn = createLane({ atOnce, waiting, rests: true })
  // The library's defaults are argon2id, 19 MiB, 2 passes, 1 lane (OWASP Password Storage).
  const hashed = (password: string) => inTurn(() => hash(password))
  return {
    hash: hashed,
    async hashNew(password, context) {
      const problem = await weaknessOf(password, context)
      if (problem) throw fail('password.weak', { problem })
      return hashed(password)
    },
    async verify(stored, password) {
      const right = await inTurn(() => verify(stored ?? NOBODY, password))
      return right && stored !== null
    },
  }
}
