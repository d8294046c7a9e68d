/** Small private networks for instances, cut out of one range: never one that this machine has a route to. */
import { readIfThere } from '@kalnet/io/files'
import { must } from '@kalnet/io/spawn'
import { contains, toAddress, toNumber } from './process/blocked.ts'

interface Route {
  dst?: string
  dev?: string
}

/** All tables where `ip` is there, else what the kernel prints of the main one. */
export async function routesHere(): Promise<Route[]> {
  try {
    const { stdout } = await must('ip', ['-j', '-4', 'route', 'show', 'table', 'all'])
    return JSON.parse(stdout || '[]') as Route[]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return routesIn((await readIfThere('/proc/net/route')) ?? '')
  }
}

/** /proc/net/route: device, destination, …, mask as the eighth word; numbers in hexadecimal with the first byte last (proc(5)). */
export function routesIn(text: string): Route[] {
  const number = (word = '') => Buffer.from(word, 'hex').reverse().readUInt32BE()
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter((words) => words.length > 7)
    .map(([dev, to, , , , , , mask]) => {
      const bits = number(mask).toString(2).replaceAll('0', '').length
      return { dev, dst: bits === 0 ? 'default' : `${toAddress(number(to))}/${bits}` }
    })
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
