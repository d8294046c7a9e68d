/** Which addresses a request of ours may go to: the open internet, and of one's own networks only what is allowed by name. */
import { BlockList, isIP } from 'node:net'

/** Never the open internet (IANA special-purpose registries, RFC 6890). */
const SPECIAL: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]
/** In IPv6 only 2000::/3 is global; these parts of it lead elsewhere, some back into IPv4. */
const SPECIAL6: readonly [string, number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

function list(entries: readonly [string, number][], family: 'ipv4' | 'ipv6'): BlockList {
  const made = new BlockList()
  for (const [network, prefix] of entries) made.addSubnet(network, prefix, family)
  return made
}
const special = list(SPECIAL, 'ipv4')
const special6 = list(SPECIAL6, 'ipv6')
const global6 = list([['2000::', 3]], 'ipv6')

export function isGlobal(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !special.check(address, 'ipv4')
  return family === 6 && global6.check(address, 'ipv6') && !special6.check(address, 'ipv6')
}

/** `192.168.1.0/24`, `fd00::/8` or a single address. Throws on anything else. */
export function parseNetworks(texts: readonly string[]): BlockList {
  const made = new BlockList()
  for (const text of texts) {
    const [network = '', bits] = text.split('/')
    const family = isIP(network)
    const most = family === 4 ? 32 : 128
    const prefix = bits === undefined ? most : Number(bits)
    if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > most)
      throw new Error(`${text} is neither an address nor a network`)
    made.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6')
  }
  return made
}

/** `::ffff:10.0.0.1` is judged as the IPv4 address it stands for. */
const bare = (address: string) => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')

export function isAllowed(address: string, networks: BlockList): boolean {
  const plain = bare(address)
  return isGlobal(plain) || networks.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
}
