/** `Idempotency-Key` on a creating POST: asked twice, done once, answered alike. The key is written in the transaction of the change. */
import { createHash, createHmac } from 'node:crypto'
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import { type Clock, stamp } from '@kalnet/io/clock'
import { statements } from './idempotency.store.ts'
import type { Store, Tx } from './store.ts'
import { isDuplicate } from './store-errors.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
/** How long a second caller waits for the first one's answer. */
const PATIENCE_MS = 5_000
export const KEPT_MS = 24 * 3600_000

export interface Once {
  /** Stands in the change's transaction: a second one with the same key fails there and changes nothing. */
  claim(tx: Tx): Promise<void>
  /** The first answer to this key, null when there was none; request.conflict when it was for something else. */
  earlier(): Promise<{ answer: unknown } | null>
  keep(answer: unknown): Promise<void>
  lostRace(error: unknown): boolean
}

export function createOnce(options: {
  store: Store
  clock: Clock
  actor: Actor
  key: string
  request: { method: string; url: string; body: unknown }
}): Once {
  const { store, clock, actor, key, request } = options
  if (!/^[\x21-\x7e]{1,200}$/.test(key))
    throw fail('request.invalid', { problem: 'Idempotency-Key: 1 to 200 visible characters' })
  const id = { organisationId: actor.organisationId, userId: actor.userId, keyHash: sha256(key) }
  // Keyed by what only the client has: a request may hold a password, and a bare hash of it could be guessed at.
  const requestHash = createHmac('sha256', key)
    .update(JSON.stringify([request.method, request.url, request.body ?? null]))
    .digest('hex')
  const scope = store.as(actor.organisationId)
  const look = async () => (await scope.read((tx) => statements.find(id).execute(tx))).rows[0]
  return {
    async claim(tx) {
      await statements.add({ ...id, requestHash, at: stamp(clock) }).execute(tx)
    },
    async earlier() {
      const until = clock.now().getTime() + PATIENCE_MS
      while (true) {
        const row = await look()
        if (!row) return null
        if (row.request_hash !== requestHash) throw fail('request.conflict')
        if (row.answer !== null) return { answer: row.answer }
        // Done, but its answer is still on the way, or was lost with a crash: never do it again.
        if (clock.now().getTime() > until) throw fail('request.conflict')
        await clock.sleep(50)
      }
    },
    async keep(answer) {
      await scope.transaction((tx) =>
        statements.answer({ ...id, answer: JSON.stringify(answer) }).execute(tx),
      )
    },
    lostRace: (error) => isDuplicate(error, 'idempotency_keys_pkey'),
  }
}
