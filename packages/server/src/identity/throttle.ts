/** Wrong passwords slow down: per account, per address and per network, remembered in the database. */
import { createHash } from 'node:crypto'
import { fail } from '@kalnet/contracts/errors'
import type { Clock } from '@kalnet/io/clock'
import { networkOf } from '../core/origin.ts'
import { aside, type Store } from '../core/store.ts'
import { statements } from './store.ts'

export interface Throttle {
  /** Counts a try; throws sign-in.throttled with the seconds to wait. Call `succeeded` with the same when it was right. */
  attempt(account: string, address: string): Promise<void>
  succeeded(account: string, address: string): Promise<void>
  tidy(): Promise<void>
}

/** Tries that cost nothing, then 2, 4, 8 … seconds. An account's wait stays short, so that nobody is locked out by others. */
const RULES = {
  account: { free: 5, longestMs: 60_000 },
  address: { free: 20, longestMs: 900_000 },
  network: { free: 60, longestMs: 900_000 },
}
const FORGET_MS = 15 * 60_000
type Kind = keyof typeof RULES

const keysFor = (account: string, address: string): { kind: Kind; key: string }[] => [
  { kind: 'account', key: `account ${createHash('sha256').update(account).digest('hex')}` },
  { kind: 'address', key: `address ${address}` },
  { kind: 'network', key: `network ${networkOf(address)}` },
]

export function createThrottle({ store, clock }: { store: Store; clock: Clock }): Throttle {
  const later = (ms: number) => new Date(clock.now().getTime() + ms).toISOString()
  return {
    async attempt(account, address) {
      const keys = keysFor(account, address)
      const wait = await aside(() =>
        store.system.transaction(async (tx) => {
          const now = later(0)
          const known = (await statements.blocked({ keys: keys.map((it) => it.key), now }).execute(tx))
            .rows[0]
          if (known) return known.blocked_until
          // One order for everybody, so that two tries never wait for each other in a circle.
          for (const { kind, key } of keys) {
            const { rows } = await statements
              .countTry({ key, now, forgetBefore: later(-FORGET_MS) })
              .execute(tx)
            // Another try of the same moment may have closed the door while this one waited for the row.
            const closed = rows[0]?.blocked_until
            if (closed && closed > now) return closed
            const over = (rows[0]?.failures ?? 0) - RULES[kind].free
            if (over >= 0) {
              const until = later(Math.min(RULES[kind].longestMs, 2_000 * 2 ** Math.min(over, 20)))
              await statements.block({ key, until }).execute(tx)
            }
          }
          return null
        }),
      )
      if (wait === null) return
      const seconds = Math.max(1, Math.ceil((Date.parse(wait) - clock.now().getTime()) / 1000))
      throw fail('sign-in.throttled', { seconds })
    },
    async succeeded(account, address) {
      await aside(() =>
        store.system.transaction(async (tx) => {
          for (const { kind, key } of keysFor(account, address))
            await (kind === 'account' ? statements.clear({ key }) : statements.forgive({ key })).execute(tx)
        }),
      )
    },
    async tidy() {
      await store.system.transaction((tx) =>
        statements.dropOldThrottles({ before: later(-FORGET_MS * 4) }).execute(tx),
      )
    },
  }
}
