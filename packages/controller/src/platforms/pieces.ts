/** Small private networks for instances, cut out of one range: never one that this machine has a route to. */
import { must } from '@kalnet/io/spawn'
import { contains, toAddress, toNumber } from './process/blocked.ts'

interface Route {
  dst?: string
  dev?: string
}

export const routesHere = async (): Promise<Route[]> => {
  const { stdout } = await must('ip', ['-j', '-4', 'route', 'show', 'table', 'all'])
  return JSON.parse(stdout || '[]') as Route[]
}

/** What the routes lead to; the default one leads everywhere and takes nothing. */
export const takenBy = (routes: Route[]): string[] =>
  routes.flatMap((it) => (it.dst && it.dst !== 'default' ? [it.dst] : []))

/** The first address of a free piece of so many bits. It starts anywhere, so that two who look at once seldom meet. */
export function freePiece(range: string, bits: number, taken: string[], random = Math.random): string {
  const [network = '', rangeBits = '32'] = range.split('/')
  const size = 2 ** (32 - bits)
  const pieces = 2 ** (bits - Number(rangeBits))
  const whole = 2 ** (32 - Number(rangeBits))
  const base = Math.floor(toNumber(network) / whole) * whole
  const first = Math.floor(random() * pieces)
  for (let offset = 0; offset < pieces; offset += 1) {
    const start = toAddress(base + ((first + offset) % pieces) * size)
    const overlaps = taken.some(
      (it) => contains(`${start}/${bits}`, it.split('/')[0]!) || contains(it, start),
    )
    if (!overlaps) return start
  }
  throw new Error(`every address of ${range} is taken`)
}
