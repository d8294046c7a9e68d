/** Asks until it holds. The limit is a limit of waiting, never a figure. */
import { setTimeout as sleep } from 'node:timers/promises'

export async function eventually(
  what: string,
  holds: () => Promise<boolean>,
  limitMs = 60_000,
): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what} did not come true within ${limitMs} ms`)
    await sleep(100)
  }
}
