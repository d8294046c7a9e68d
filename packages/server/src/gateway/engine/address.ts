/** What a request asks for: its host and path, read in one way only; and how near its client is. */
import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

export interface Host {
  /** Lower-case, without port, brackets and final dot. */
  name: string
  /** Lower-case, as written. */
  text: string
}

/** Null: not a host that could be meant in one way. */
export function readHost(header: string): Host | null {
  const text = header.toLowerCase()
  const [, name, port] = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  if (!name || (port !== undefined && Number(port) > 65_535)) return null
  if (name.startsWith('[')) {
    const bare = name.slice(1, -1)
    return isIP(bare) === 6 ? { name: bare, text } : null
  }
  const plain = name.endsWith('.') ? name.slice(0, -1) : name
  return plain === '' || plain.includes('..') || plain.startsWith('.') ? null : { name: plain, text }
}

/** Path and query as one may pass it on: of origin form, printable, without a fragment. Null: refused. */
export const readUri = (target: string): string | null => (/^\/[!"$-~]*$/.test(target) ? target : null)

export const pathOf = (uri: string): string => {
  const query = uri.indexOf('?')
  return query < 0 ? uri : uri.slice(0, query)
}

/** Of homes and of links, wherever they are. */
export const HOME_RANGES = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
] as const
const PRIVATE = new BlockList()
for (const range of HOME_RANGES) {
  const [network = '', bits] = range.split('/')
  PRIVATE.addSubnet(network, Number(bits), network.includes(':') ? 'ipv6' : 'ipv4')
}

/** Networks this machine stands in, such as the public IPv6 network of a home. */
function ownNetworks(): BlockList {
  const list = new BlockList()
  for (const all of Object.values(networkInterfaces()))
    for (const { cidr, family } of all ?? []) {
      const [network, bits] = (cidr ?? '').split('/')
      // A network wider than a household's is not near (some providers hand out such addresses).
      const least = family === 'IPv6' ? 56 : 22
      if (network && Number(bits) >= least)
        list.addSubnet(network, Number(bits), family === 'IPv6' ? 'ipv6' : 'ipv4')
    }
  return list
}
let own: BlockList | null = null
let readAt = 0
/** Interfaces come and go: looked at again after a minute. */
const INTERFACES_MS = 60_000

/** From this network or this machine. */
export function isNear(address: string, now: number): boolean {
  const family = isIP(address)
  if (family === 0) return false
  const kind = family === 6 ? 'ipv6' : 'ipv4'
  const bare = address.split('%')[0] ?? ''
  if (PRIVATE.check(bare, kind)) return true
  if (!own || now - readAt > INTERFACES_MS) {
    own = ownNetworks()
    readAt = now
  }
  return own.check(bare, kind)
}
