/** What `<domain>` and the names below it are, for one asker: answers from the registry, with nothing but memory. Pure. */
import type { Endpoint } from '@kalnet/contracts/gateway'
import type { Answer } from 'dns-packet'
import { isUsable, type RegisteredService } from '../memory.ts'
import { RCODE, type Reply } from './packet.ts'

/** Short, because what is asked for may be somewhere else in a moment. */
const TTL = 5
const NAMES_TTL = 60
const SRV_MOST = 32

/** Where the asker finds our doors, and what it reaches besides. */
export interface Asker {
  /** The gateway's addresses as this asker sees them. */
  gateway: { ipv4: readonly string[]; ipv6: readonly string[] }
  /** It is on a machine's own network: addresses of that machine are for it, too. */
  machine: string | null
}
export interface Zone {
  domain: string
  /** Grows with every change. */
  serial(): number
  service(name: string): RegisteredService | undefined
  /** The gateway answers for this name, whatever the registry knows. */
  isHost(name: string): boolean
  /** The gateway's port for http(s), where an asker cannot reach an instance itself. */
  gatewayPort: number
  challenges(name: string): readonly string[]
}

const unknown: Reply = { rcode: RCODE.unknownName }
const nothing: Reply = { rcode: RCODE.ok }

export function soaOf({ domain, serial }: Pick<Zone, 'domain' | 'serial'>): Answer {
  return {
    type: 'SOA',
    name: domain,
    ttl: TTL,
    data: {
      mname: `ns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: serial() >>> 0,
      refresh: 3_600,
      retry: 600,
      expire: 86_400,
      minimum: TTL,
    },
  }
}

function addressesFor(name: string, type: string, { gateway }: Asker): Answer[] {
  const of = (kind: 'A' | 'AAAA', all: readonly string[]): Answer[] =>
    type === kind ? all.map((data) => ({ type: kind, name, ttl: TTL, data })) : []
  return [...of('A', gateway.ipv4), ...of('AAAA', gateway.ipv6)]
}

/** Is there a way from this asker to it? */
const reaches = (asker: Asker, { direct }: Endpoint) =>
  direct !== null && (direct.machine === null || direct.machine === asker.machine)

const words = (name: string, service: RegisteredService): Answer[] => {
  const said = [
    ...(service.version === null ? [] : [`version=${service.version}`]),
    ...(service.tags.length === 0 ? [] : [`tags=${service.tags.join(',')}`]),
    ...(service.capabilities.length === 0 ? [] : [`capabilities=${service.capabilities.join(',')}`]),
  ]
  // A word of TXT has 255 bytes at most (RFC 1035 §3.3.14).
  const cut = said.flatMap((text) => text.match(/.{1,250}/gs) ?? [])
  return cut.length === 0 ? [] : [{ type: 'TXT', name, ttl: TTL, data: cut }]
}

/** `_http._tcp` means every http port; else the port by its name. */
const isMeant = (endpoint: Endpoint, port: string, protocol: string) =>
  (endpoint.kind === 'udp') === (protocol === 'udp') &&
  (port === endpoint.port || (port === 'http' && endpoint.kind === 'http'))

/** The name of one instance below its service. */
const labelOf = ({ id }: Endpoint) => `i-${id.replaceAll('-', '').slice(-12)}`

function places(
  name: string,
  base: string,
  found: readonly Endpoint[],
  asker: Asker,
  gatewayPort: number,
): Reply {
  const answers: Answer[] = []
  const additionals: Answer[] = []
  for (const endpoint of found) {
    const { direct, weight } = endpoint
    if (!direct || !reaches(asker, endpoint) || answers.length >= SRV_MOST) continue
    const target = `${labelOf(endpoint)}.${base}`
    const data = { priority: 0, weight: Math.min(65_535, Math.round(weight)), port: direct.port, target }
    answers.push({ type: 'SRV', name, ttl: TTL, data })
    const type = direct.host.includes(':') ? 'AAAA' : 'A'
    additionals.push({ type, name: target, ttl: TTL, data: direct.host })
  }
  if (answers.length === 0 && found.some((one) => one.kind === 'http'))
    // It cannot go there itself: by the gateway it can.
    return {
      rcode: RCODE.ok,
      answers: [
        { type: 'SRV', name, ttl: TTL, data: { priority: 0, weight: 0, port: gatewayPort, target: base } },
      ],
      additionals: [...addressesFor(base, 'A', asker), ...addressesFor(base, 'AAAA', asker)],
    }
  return { rcode: RCODE.ok, answers, additionals }
}

/** Null: the name is not below the domain. `labels` are what stands before it. */
function find(zone: Zone, name: string, type: string, asker: Asker): Reply | null {
  const { domain } = zone
  if (name !== domain && !name.endsWith(`.${domain}`)) return null
  const challenge = zone.challenges(name)
  if (challenge.length > 0)
    return type === 'TXT'
      ? { rcode: RCODE.ok, answers: challenge.map((data) => ({ type: 'TXT', name, ttl: 1, data })) }
      : nothing
  if (name === domain) {
    if (type === 'SOA') return { rcode: RCODE.ok, answers: [soaOf(zone)] }
    if (type === 'NS')
      return { rcode: RCODE.ok, answers: [{ type: 'NS', name, ttl: NAMES_TTL, data: `ns.${domain}` }] }
    return { rcode: RCODE.ok, answers: addressesFor(name, type, asker) }
  }
  const labels = name.slice(0, -domain.length - 1).split('.')
  const isGate = zone.isHost(name) || name === `ns.${domain}`
  const service = zone.service(labels.at(-1) ?? '')
  if (isGate || (service && labels.length === 1))
    return {
      rcode: RCODE.ok,
      answers:
        type === 'TXT' && service && labels.length === 1
          ? words(name, service)
          : addressesFor(name, type, asker),
    }
  if (!service) return unknown
  const base = `${labels.at(-1)}.${domain}`
  const usable = service.endpoints.filter(isUsable)
  if (labels.length === 3) {
    const [port = '', protocol = ''] = labels.map((label) => label.slice(1))
    const isService =
      labels[0]?.startsWith('_') && (protocol === 'tcp' || protocol === 'udp') && labels[1]?.[0] === '_'
    const found = isService ? service.endpoints.filter((one) => isMeant(one, port, protocol)) : []
    if (found.length === 0) return unknown
    return type === 'SRV' ? places(name, base, found.filter(isUsable), asker, zone.gatewayPort) : nothing
  }
  if (labels.length === 2) {
    if (labels[0] === '_tcp' || labels[0] === '_udp') return nothing
    const one = usable.find((it) => labelOf(it) === labels[0] && reaches(asker, it))
    if (!one?.direct) return unknown
    const kind = one.direct.host.includes(':') ? 'AAAA' : 'A'
    return kind === type
      ? { rcode: RCODE.ok, answers: [{ type: kind, name, ttl: TTL, data: one.direct.host }] }
      : nothing
  }
  return unknown
}

/** Everything below the domain is answered here, also that it is not there (RFC 2308). Null: somebody else knows. */
export function answerFrom(zone: Zone, name: string, type: string, asker: Asker): Reply | null {
  // Everything about a name is what floods are made of: one short word instead (RFC 8482).
  const any: Reply = {
    rcode: RCODE.ok,
    answers: [{ type: 'HINFO', name, ttl: NAMES_TTL, data: { cpu: 'RFC8482', os: '' } }],
  }
  const found = find(zone, name, type, asker)
  if (!found) return null
  if (type === 'ANY' && found.rcode === RCODE.ok) return { ...any, authoritative: true }
  const isEmpty = (found.answers ?? []).length === 0
  return { ...found, authoritative: true, ...(isEmpty ? { authorities: [soaOf(zone)] } : {}) }
}

/** Never asked elsewhere: they belong to this network only (RFC 6762, RFC 7686, RFC 6761, RFC 8375). */
export const isLocalOnly = (name: string) =>
  name === '' ? false : /(^|\.)(local|onion|invalid|localhost|home\.arpa)$/.test(name)
