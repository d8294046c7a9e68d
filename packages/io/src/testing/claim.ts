/** What only one test of a machine may have at a time. The kernel holds the claim, not a file: an abstract socket (unix(7)) goes with its process, however that ends. */
import { createServer } from 'node:net'

export interface Claim {
  release(): void
}

/** Null when somebody who lives has it. */
export function claim(name: string): Promise<Claim | null> {
  return new Promise((resolve, reject) => {
    const mark = createServer()
    mark.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    )
    mark.listen(`\0kalnet-test-${name}`, () => resolve({ release: () => void mark.close() }))
    mark.unref()
  })
}

/** The first of so many that nobody has, begun anywhere. */
export async function claimOne(what: string, count: number): Promise<Claim & { number: number }> {
  const first = Math.floor(Math.random() * count)
  for (let at = 0; at < count; at++) {
    const number = (first + at) % count
    const claimed = await claim(`${what}-${number}`)
    if (claimed) return { ...claimed, number }
  }
  throw new Error(`each of ${count} is taken: ${what}`)
}
