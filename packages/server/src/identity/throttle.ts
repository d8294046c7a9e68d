/** Wrong tries slow down: per account, per address and per network, remembered in the database. */
import { createHash } from 'node:crypto'
import { fail } from '@kalnet/contracts/errors'
import type { Clock } from '@kalnet/io/clock'
import { networkOf } from '../core/origin.ts'
import { aside, type Store } from '../core/store.ts'
import { statements } from './store.ts'

/** What is tried: a password, a second factor, asking for a link by mail. Each counts for itself. */
export type Door = 'password' | 'factor' | 'reset'
export interface Throttle {
  /** Counts a try; throws sign-in.throttled with the seconds to wait. Call `succeeded` with the same when it was right. */
  attempt(door: Door, account: string, address: string): Promise<void>
  succeeded(door: Door, account: string, address: string): Promise<void>
  tidy(): Promise<void>
}

const HOUR_MS = 3600_000
/**
 * Tries that cost nothing, then 2, 4, 8 … seconds. An account's wait for a password stays short, so that nobody is locked out by
 * others; for a second factor it grows, because only one who knows the password gets so far, and six digits are few.
 */
const ACCOUNT: Record<Door, { free: number; longestMs: number; forgetMs: number }> = {
  password: { free: 5, longestMs: 60_000, forgetMs: HOUR_MS / 4 },
  factor: { free: 8, longestMs: HOUR_MS / 4, forgetMs: 24 * HOUR_MS },
  reset: { free: 3, longestMs: HOUR_MS / 4, forgetMs: HOUR_MS },
}
const PLACES = {
  address: { free: 20, longestMs: HOUR_MS / 4, forgetMs: HOUR_MS / 4 },
  network: { free: 60, longestMs: HOUR_MS / 4, forgetMs: HOUR_MS / 4 },
}

const rulesFor = (door: Door, account: string, address: string) => [
  {
    ...ACCOUNT[door],
    account: true,
    key: `${door} account ${createHash('sha256').update(account).digest('hex')}`,
  },
  { ...PLACES.address, account: false, key: `${door} address ${address}` },
  { ...PLACES.network, account: false, key: `${door} network ${networkOf(address)}` },
]

export function createThrottle({ store, clock }: { store: Store; clock: Clock }): Throttle {
  const later = (ms: number) => new Date(clock.now().getTime() + ms).toISOString()
  return {
    async attempt(door, account, address) {
      const rules = rulesFor(door, account, address)
      const keys = rules.map((it) => it.key)
      const wait = await aside(() =>
        store.system.transaction(async (tx) => {
          const now = later(0)
          // One order for everybody, so that two tries never wait for each other in a circle.
          const forgetBefore = rules.map((it) => later(-it.forgetMs))
          const { rows } = await statements.countTry({ keys, forgetBefore, now }).execute(tx)
          // Another try of the same moment may have closed the door while this one waited for the row.
          const closed = rows.find((row) => row.blocked_until && row.blocked_until > now)?.blocked_until
          if (closed) return closed
          if (rows.length === 0)
            return (
              (await statements.blocked({ keys, now }).execute(tx)).rows[0]?.blocked_until ?? later(1_000)
            )
          const over = rules.flatMap(({ key, free, longestMs }) => {
            const beyond = (rows.find((row) => row.key === key)?.failures ?? 0) - free
            return beyond < 0
              ? []
              : [{ key, until: later(Math.min(longestMs, 2_000 * 2 ** Math.min(beyond, 20))) }]
          })
          if (over.length > 0)
            await statements
              .block({ keys: over.map((it) => it.key), until: over.map((it) => it.until) })
              .execute(tx)
          return null
        }),
      )
      if (wait === null) return
      const seconds = Math.max(1, Math.ceil((Date.parse(wait) - clock.now().getTime()) / 1000))
      throw fail('sign-in.throttled', { seconds })
    },
    async succeeded(door, account, address) {
      await aside(() =>
        store.system.transaction(async (tx) => {
          for (const it of rulesFor(door, account, address))
            await (it.account ? statements.clear(it) : statements.forgive(it)).execute(tx)
        }),
      )
    },
    async tidy() {
      await store.system.transaction((tx) =>
        statements.dropOldThrottles({ before: later(-25 * HOUR_MS) }).execute(tx),
      )
    },
  }
}
