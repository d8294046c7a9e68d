/** The addresses an instance never reaches unless they are declared: loopback, link-local, private ranges, the LAN, multicast. */

import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { readIfThere } from '@kalnet/io/files'

/** IANA special-purpose registry (RFC 6890 and its kin), all that is not the public internet. */
export const SPECIAL_RANGES = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
]

export const toNumber = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

export const toAddress = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')

export function contains(range: string, address: string): boolean {
  const [network = '', bits = '32'] = range.split('/')
  const size = 2 ** (32 - Number(bits))
  return Math.floor(toNumber(network) / size) === Math.floor(toNumber(address) / size)
}

/** The networks this machine itself is in, whatever their numbers: that is its LAN. */
export function connectedRanges(interfaces = networkInterfaces()): string[] {
  const ranges = Object.values(interfaces)
    .flat()
    .filter((it) => it?.family === 'IPv4' && it.cidr)
    .map((it) => {
      const bits = Number(it!.cidr!.split('/')[1])
      const size = 2 ** (32 - bits)
      return `${toAddress(Math.floor(toNumber(it!.address) / size) * size)}/${bits}`
    })
  return [...new Set(ranges)]
}

export function blockedRanges(connected = connectedRanges()): string[] {
  const isCovered = (range: string) => SPECIAL_RANGES.some((it) => contains(it, range.split('/')[0]!))
  return [...SPECIAL_RANGES, ...connected.filter((it) => !isCovered(it))]
}

/** The host's resolvers that another network namespace can reach: never one on loopback. */
export async function resolvers(
  files = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'],
): Promise<string[]> {
  for (const file of files) {
    const text = (await readIfThere(file)) ?? ''
    const found = [...text.matchAll(/^nameserver\s+(\S+)/gm)]
      .map((match) => match[1]!)
      .filter((address) => isIPv4(address) && !contains('127.0.0.0/8', address))
    if (found.length > 0) return found.slice(0, 3)
  }
  return []
}
