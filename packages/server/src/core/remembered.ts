/** Who asks, remembered for a second: for routes that are asked before every call of somebody else and only read (`remembered`). */
import { createHash } from 'node:crypto'
import type { Clock } from '@kalnet/io/clock'
import type { Identified } from './call.ts'
import type { Credentials } from './http.ts'

const KEPT_MS = 1_000
/** More than that at once start afresh: a bound, not a cache's art. */
const MOST = 5_000

export interface Remembered {
  authenticate(credentials: Credentials): Promise<Identified>
  /** It ended: by the event of its end, which every server hears. */
  forget(signInId: string): void
}

/**
 * Kept under the hash of all that says who asks, so that another word is another asker. Refusals are never kept, nor whoever asks
 * through the control socket.
 */
export function createRemembered({
  clock,
  authenticate,
}: {
  clock: Clock
  authenticate(credentials: Credentials): Promise<Identified>
}): Remembered {
  const known = new Map<string, { who: Identified; until: number }>()
  /** Counts what ended, so that an answer that was on its way meanwhile is not kept. */
  let endings = 0
  return {
    async authenticate(credentials) {
      if (credentials.local) return authenticate(credentials)
      const { cookie, authorization, secure } = credentials
      const hash = createHash('sha256')
        .update(JSON.stringify([cookie, authorization, secure]))
        .digest('base64')
      const now = clock.now().getTime()
      const found = known.get(hash)
      if (found && found.until > now) return found.who
      const before = endings
      const who = await authenticate(credentials)
      if (!who.actor || !who.signIn || before !== endings) return who
      if (known.size >= MOST) known.clear()
      known.set(hash, { who, until: now + KEPT_MS })
      return who
    },
    forget(signInId) {
      endings += 1
      for (const [hash, { who }] of known) if (who.signIn?.id === signInId) known.delete(hash)
    },
  }
}
