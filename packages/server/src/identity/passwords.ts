/** argon2id in a bounded pool: each takes 19 MiB and a core for a moment, so a crowd waits in a short line or is sent away. */
import { fail } from '@kalnet/contracts/errors'
import { hash, verify } from '@node-rs/argon2'

export interface Passwords {
  hash(password: string): Promise<string>
  /** `stored` null: nobody with this name; takes as long as a real one. */
  verify(stored: string | null, password: string): Promise<boolean>
}

const AT_ONCE = 2
const WAITING = 32

export function createPasswords({ atOnce = AT_ONCE, waiting = WAITING } = {}): Passwords {
  let running = 0
  const line: (() => void)[] = []
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= atOnce) {
      if (line.length >= waiting) throw fail('request.too-many', { seconds: 2 })
      await new Promise<void>((resolve) => line.push(resolve))
    } else running += 1
    try {
      return await work()
    } finally {
      // The place is handed to the next in line.
      const next = line.shift()
      if (next) next()
      else running -= 1
    }
  }
  let nobody: Promise<string> | null = null
  return {
    // The library's defaults are argon2id, 19 MiB, 2 passes, 1 lane (OWASP Password Storage).
    hash: (password) => inTurn(() => hash(password)),
    async verify(stored, password) {
      nobody ??= inTurn(() => hash('nobody has this password'))
      const against = stored ?? (await nobody)
      const right = await inTurn(() => verify(against, password))
      return right && stored !== null
    },
  }
}
