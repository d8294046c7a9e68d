/** For tests: a zone with one service, and questions as clients write them. */
import type { Endpoint } from '@kalnet/contracts/gateway'
import { type Answer, type DecodedPacket, decode, encode } from 'dns-packet'
import type { RegisteredService } from '../memory.ts'
import { createAnswerer } from './answer.ts'
import type { Forwarder } from './forward.ts'
import { createRates } from './rates.ts'
import type { Asker, Zone } from './zone.ts'

export const endpointOf = (n: number, more: Partial<Endpoint> = {}): Endpoint => ({
  id: `01920000-0000-7000-8000-${String(n).padStart(12, '0')}`,
  serviceId: '01920000-0000-7000-8000-0000000000a1',
  port: 'web',
  kind: 'http',
  release: 1,
  weight: 1,
  health: 'healthy',
  direct: { host: `192.168.1.${n}`, port: 8000 + n, machine: null },
  tunnel: null,
  ...more,
})
export const serviceOf = (name: string, endpoints: Endpoint[], more: object = {}): RegisteredService => ({
  id: '01920000-0000-7000-8000-0000000000a1',
  organisationId: '01920000-0000-7000-8000-0000000000a2',
  name,
  title: name,
  kind: 'managed',
  desired: 'running',
  release: 1,
  version: '2.1',
  tags: ['media', 'family'],
  capabilities: ['http'],
  endpoints,
  ...more,
})
export const LAN: Asker = { gateway: { ipv4: ['192.168.1.2'], ipv6: ['fd00::2'] }, machine: null }
export const zoneOf = (services: RegisteredService[], more: Partial<Zone> = {}): Zone => ({
  domain: 'kalnet.home.arpa',
  serial: () => 7,
  service: (name) => services.find((it) => it.name === name),
  isHost: (name) => name === 'blog.kalnet.home.arpa' || name === 'a.b.kalnet.home.arpa',
  gatewayPort: 8443,
  challenges: (name) => (name === '_acme-challenge.photos.kalnet.home.arpa' ? ['one', 'two'] : []),
  ...more,
})
const silence: Forwarder = { ask: async () => null }
export const answererOf = (zone: Zone, forwarder: Forwarder = silence) =>
  createAnswerer({
    zone,
    forwarder,
    askerOf: () => LAN,
    // The household's own network of the internet (RFC 3849).
    isNear: (address) => address.startsWith('2001:db8:77:'),
    rates: createRates({ now: () => new Date(), sleep: async () => undefined }),
  })

export const question = (name: string, type = 'A', more: object = {}): Buffer =>
  encode({ type: 'query', id: 0x1234, flags: 0x100, questions: [{ name, type: type as 'A' }], ...more })
export const OPTIONS = (size = 1232, version = 0) => ({
  additionals: [
    {
      type: 'OPT',
      name: '.',
      udpPayloadSize: size,
      extendedRcode: 0,
      ednsVersion: version,
      flags: 0,
      flag_do: false,
      options: [],
    } as unknown as Answer,
  ],
})
export type Said = Omit<DecodedPacket, 'flags'> & { rcode: number; flags: number; length: number }
export function read(packet: Buffer | null | string): Said {
  if (!(packet instanceof Buffer)) throw new Error(`no answer: ${packet}`)
  const flags = packet.readUInt16BE(2)
  return { ...decode(packet), flags, rcode: flags & 0xf, length: packet.length }
}
