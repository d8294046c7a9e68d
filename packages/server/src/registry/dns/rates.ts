/** How often one address is answered by UDP: usually, then with short answers only, then not at all. Pure but for the clock. */
import type { Clock } from '@kalnet/io/clock'

const PER_SECOND = 200
const BURST = 400
/** Of those that came too often, this many are told to come by TCP, which nobody can do in another's name. */
const SHORT_EVERY = 4
const KNOWN_MOST = 10_000

export interface Rates {
  of(address: string): 'usual' | 'short' | 'none'
}

export function createRates(clock: Clock): Rates {
  const known = new Map<string, { tokens: number; at: number; over: number }>()
  return {
    of(address) {
      const at = clock.now().getTime()
      let one = known.get(address)
      if (!one) {
        if (known.size >= KNOWN_MOST) known.clear()
        one = { tokens: BURST, at, over: 0 }
        known.set(address, one)
      }
      one.tokens = Math.min(BURST, one.tokens + ((at - one.at) / 1000) * PER_SECOND)
      one.at = at
      if (one.tokens >= 1) {
        one.tokens -= 1
        return 'usual'
      }
      one.over += 1
      return one.over % SHORT_EVERY === 0 ? 'short' : 'none'
    },
  }
}
