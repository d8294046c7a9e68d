/** What is said on the local network (RFC 6762, RFC 6763): one name, and that a page is served there. Pure. */
import type { Answer, DecodedPacket, Question } from 'dns-packet'

export const GROUP = '224.0.0.251'
export const MDNS_PORT = 5353
const HOST_TTL = 120
/** To whoever asks from a port of its own: it keeps no cache of ours (RFC 6762 §6.7). */
const LEGACY_TTL = 10
const KIND = '_services._dns-sd._udp.local'

export interface Said {
  /** `kalnet.local`, or the next one that is free. */
  name: string
  port: number
  secure: boolean
  title: string
}
/** `kalnet`, `kalnet-2`, `kalnet-3`: what others have is left to them. */
export const nameOf = (attempt: number) => `kalnet${attempt === 1 ? '' : `-${attempt}`}.local`
const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase()

/** Everything there is to say on a network where these are our addresses. `ttl` 0: it is over. */
export function recordsOf(said: Said, addresses: readonly string[], ttl = HOST_TTL): Answer[] {
  const { name, port, secure, title } = said
  const type = `_${secure ? 'https' : 'http'}._tcp.local`
  const instance = `${title}.${type}`
  return [
    ...addresses.map(
      (data): Answer => ({ type: data.includes(':') ? 'AAAA' : 'A', name, ttl, flush: true, data }),
    ),
    { type: 'PTR', name: KIND, ttl, data: type },
    { type: 'PTR', name: type, ttl, data: instance },
    { type: 'SRV', name: instance, ttl, flush: true, data: { priority: 0, weight: 0, port, target: name } },
    { type: 'TXT', name: instance, ttl, flush: true, data: ['path=/'] },
  ]
}

const isAsked = (record: Answer, { name, type }: Question) =>
  same(record.name, name) && ((type as string) === 'ANY' || record.type === type)
const dataOf = (record: Answer) => ('data' in record ? JSON.stringify(record.data) : '')

/** What is answered to a question; null: nothing of ours. What the asker knows already is left out (§7.1). */
export function answerTo(
  query: DecodedPacket,
  records: readonly Answer[],
  isLegacy: boolean,
): { answers: Answer[]; additionals: Answer[] } | null {
  const known = query.answers ?? []
  const answers = records.filter(
    (record) =>
      query.questions?.some((question) => isAsked(record, question)) &&
      !known.some(
        (one) => one.type === record.type && same(one.name, record.name) && dataOf(one) === dataOf(record),
      ),
  )
  if (answers.length === 0) return null
  const rest = answers.some((one) => one.type === 'PTR' || one.type === 'SRV')
    ? records.filter((one) => one.type !== 'PTR' && !answers.includes(one))
    : []
  if (!isLegacy) return { answers, additionals: rest }
  const plain = (record: Answer) => ({ ...record, flush: false, ttl: LEGACY_TTL }) as Answer
  return { answers: answers.map(plain), additionals: rest.map(plain) }
}

/** Somebody else has the name: an address under it that is none of ours. */
export const isTaken = (response: DecodedPacket, name: string, ours: readonly string[]): boolean =>
  [...(response.answers ?? []), ...(response.additionals ?? [])].some(
    (one) =>
      (one.type === 'A' || one.type === 'AAAA') &&
      same(one.name, name) &&
      (one.ttl ?? 0) > 0 &&
      !ours.includes(one.data),
  )
