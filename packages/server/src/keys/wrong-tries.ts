/** Wrong service keys slow down: per network and key, and per network, within a minute and in memory. */
import { fail } from '@kalnet/contracts/errors'
import type { Clock } from '@kalnet/io/clock'
import { networkOf } from '../core/origin.ts'

/**
 * 256 bits are not guessed; this keeps noise away from the database. A key that is not being guessed at keeps working for
 * its neighbours behind the same address, unless that address has tried too many different ones.
 */
const PER_KEY = 10
const PER_NETWORK = 60
const WINDOW_MS = 60_000
const REMEMBERED = 10_000

export function createWrongTries(clock: Clock) {
  const tries = new Map<string, { until: number; count: number }>()
  const at = (key: string) => {
    const found = tries.get(key)
    return found && found.until > clock.now().getTime() ? found : null
  }
  function count(key: string) {
    const window = at(key) ?? { until: clock.now().getTime() + WINDOW_MS, count: 0 }
    window.count += 1
    tries.delete(key)
    tries.set(key, window)
    // The oldest are forgotten first: a flood cannot fill the memory.
    for (const oldest of tries.keys()) {
      if (tries.size <= REMEMBERED) break
      tries.delete(oldest)
    }
  }
  return {
    /** Throws request.too-many without a look at the key. `known`: it was right before, and is judged by its own tries only. */
    check(address: string, publicId: string, known: boolean): void {
      const network = networkOf(address)
      const own = at(`${network} ${publicId}`)
      const all = known ? null : at(network)
      const closed = own && own.count >= PER_KEY ? own : all && all.count >= PER_NETWORK ? all : null
      if (!closed) return
      const seconds = Math.max(1, Math.ceil((closed.until - clock.now().getTime()) / 1000))
      throw fail('request.too-many', { seconds })
    },
    wrong(address: string, publicId: string): void {
      const network = networkOf(address)
      count(`${network} ${publicId}`)
      count(network)
    },
  }
}
