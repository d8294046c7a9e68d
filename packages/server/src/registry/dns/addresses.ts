/** Who may ask us, and which of our addresses leads an asker to the gateway. Pure. */
import { BlockList, isIP } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { isGlobal, parseNetworks } from '@kalnet/io/addresses'

/** Loopback and networks of homes: nobody else is answered, so that nobody's address can be flooded through us. */
const HOME = parseNetworks([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '::1',
  'fc00::/7',
  'fe80::/10',
])

/** `::ffff:192.168.1.7` and `fe80::1%eth0` are the addresses they stand for. */
export const plain = (address: string) => address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
const kindOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')
export const isOfHome = (address: string) => HOME.check(plain(address), kindOf(plain(address)))
export const isLoopback = (address: string) => /^(127\.|::1$)/.test(plain(address))

type Interfaces = Record<string, NetworkInterfaceInfo[] | undefined>
const isEverywhere = (host: string) => host === '0.0.0.0' || host === '::'

/** All addresses of the interface on whose network that address is, the narrowest of them; none when it is on no network of ours. */
export function onNetworkOf(asker: string, interfaces: Interfaces): NetworkInterfaceInfo[] {
  let found: { bits: number; all: NetworkInterfaceInfo[] } = { bits: -1, all: [] }
  for (const all of Object.values(interfaces))
    for (const one of all ?? []) {
      const bits = Number(one.cidr?.split('/')[1] ?? -1)
      if (bits <= found.bits || isIP(asker) !== isIP(one.address)) continue
      const network = new BlockList()
      network.addSubnet(one.address, bits, kindOf(one.address))
      if (network.check(asker, kindOf(asker))) found = { bits, all: all ?? [] }
    }
  return found.all
}

/**
 * On a network this machine is on itself. Of addresses of the internet only IPv6: such a network is one household's, while an IPv4 one
 * that a rented machine stands in is full of strangers, for whom we would be an open resolver.
 */
export const isNeighbour = (address: string, interfaces: Interfaces): boolean =>
  (isIP(address) === 6 || !isGlobal(address)) && onNetworkOf(address, interfaces).length > 0

/**
 * `gatewayHost` as it is configured. Where the gateway listens everywhere: the addresses of the interface on whose network the asker is;
 * else the address that was asked.
 */
export function gatewayFor(
  from: string,
  askedAt: string,
  gatewayHost: string,
  interfaces: Interfaces,
): { ipv4: string[]; ipv6: string[] } {
  const asker = plain(from)
  const split = (all: string[]) => ({
    ipv4: all.filter((it) => isIP(it) === 4),
    ipv6: all.filter((it) => isIP(it) === 6),
  })
  if (gatewayHost === 'localhost') return split(['127.0.0.1'])
  if (!isEverywhere(gatewayHost)) return split([plain(gatewayHost)])
  if (isLoopback(asker)) return split(['127.0.0.1', '::1'])
  const near = onNetworkOf(asker, interfaces)
    .map((it) => it.address)
    .filter((it) => !/^(fe80:|169\.254\.)/i.test(it))
  return split(near.length > 0 ? near : [plain(askedAt)])
}
