/** One packet in, at most one out: who is answered, by whom, and how long the answer may be. */

import { isLoopback, isOfHome } from './addresses.ts'
import type { Forwarder } from './forward.ts'
import { type Asked, RCODE, type Reply, readQuestion, refusal, roomFor, writeReply } from './packet.ts'
import type { Rates } from './rates.ts'
import { type Asker, answerFrom, isLocalOnly, soaOf, type Zone } from './zone.ts'

export interface Way {
  transport: 'udp' | 'tcp'
  from: string
  /** Our address on that way. */
  at: string
}
export interface AnswererOptions {
  zone: Zone
  askerOf(way: Way): Asker
  /** On a network this machine is on itself, whatever its numbers: homes have addresses of the internet, too (IPv6). */
  isNear(address: string): boolean
  forwarder: Forwarder
  rates: Rates
}
const BAD_VERSION = 16
/** Whole zones are given to nobody; of several kinds of names only those of the internet are known here. */
const REFUSED = new Set(['AXFR', 'IXFR', 'MAILA', 'MAILB'])

export function createAnswerer({ zone, askerOf, isNear, forwarder, rates }: AnswererOptions) {
  function fromHere(asked: Asked, way: Way): Reply | null {
    if (asked.edns && asked.edns.version > 0) return { rcode: BAD_VERSION }
    if (asked.class !== 'IN' || REFUSED.has(asked.type)) return { rcode: RCODE.refused }
    const own = answerFrom(zone, asked.name, asked.type, askerOf(way))
    if (own) return own
    if (isLocalOnly(asked.name)) return { rcode: RCODE.unknownName, authorities: [soaOf(zone)] }
    return asked.wantsRecursion ? null : { rcode: RCODE.refused }
  }

  /** A certificate authority looks from outside, and finds that one thing. */
  const isChallenge = (asked: Asked | number) =>
    typeof asked === 'object' && zone.challenges(asked.name).length > 0

  return {
    /** What memory knows, at once. Null: silence. Never throws for what was in the packet. */
    now(packet: Buffer, way: Way): Buffer | null | 'elsewhere' {
      const asked = readQuestion(packet)
      if (asked === null || (!isOfHome(way.from) && !isNear(way.from) && !isChallenge(asked))) return null
      // Its address may be another's, on whom our answers would fall: short ones that say "come by TCP", then none.
      const pace = way.transport === 'udp' && !isLoopback(way.from) ? rates.of(way.from) : 'usual'
      if (pace === 'none') return null
      if (typeof asked === 'number') return refusal(packet, asked)
      if (pace === 'short') return writeReply(asked, { rcode: RCODE.ok }, 0)
      const reply = fromHere(asked, way)
      return reply ? writeReply(asked, reply, roomFor(asked, way.transport)) : 'elsewhere'
    },
    async elsewhere(packet: Buffer, way: Way, signal: AbortSignal): Promise<Buffer | null> {
      const asked = readQuestion(packet)
      if (asked === null || typeof asked === 'number') return null
      const answer = await forwarder.ask(packet, asked, signal)
      if (!answer || answer.length <= roomFor(asked, way.transport)) return answer
      return writeReply(asked, { rcode: RCODE.ok }, 0)
    },
  }
}
export type Answerer = ReturnType<typeof createAnswerer>
