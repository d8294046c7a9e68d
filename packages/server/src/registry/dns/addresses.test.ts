/** Which address of ours an asker gets. */
import type { NetworkInterfaceInfo } from 'node:os'
import { expect, test } from 'vitest'
import { gatewayFor, isOfHome } from './addresses.ts'

const one = (address: string, bits: number) =>
  ({ address, cidr: `${address}/${bits}`, internal: false }) as NetworkInterfaceInfo
const interfaces = {
  lo: [one('127.0.0.1', 8)],
  eth0: [one('192.168.1.2', 24), one('fd00::2', 64), one('fe80::2', 64)],
  eth1: [one('10.0.0.2', 8)],
}

test.each([
  ['on this machine', '127.0.0.1', '0.0.0.0', ['127.0.0.1'], ['::1']],
  ['on the first network', '192.168.1.50', '0.0.0.0', ['192.168.1.2'], ['fd00::2']],
  ['by IPv6', 'fd00::50', '::', ['192.168.1.2'], ['fd00::2']],
  ['on the second network', '10.9.9.9', '0.0.0.0', ['10.0.0.2'], []],
  ['behind a router', '172.16.0.9', '0.0.0.0', ['192.168.1.9'], []],
  ['an address that was mapped', '::ffff:192.168.1.50', '0.0.0.0', ['192.168.1.2'], ['fd00::2']],
  ['a gateway with an address of its own', '192.168.1.50', '10.0.0.2', ['10.0.0.2'], []],
  ['a gateway on loopback', '127.0.0.1', '127.0.0.1', ['127.0.0.1'], []],
])('[MSH-2.seen] an asker %s', (_, from, host, ipv4, ipv6) => {
  expect(gatewayFor(from, '192.168.1.9', host, interfaces)).toEqual({ ipv4, ipv6 })
})

test.each([
  ['127.0.0.53', true],
  ['192.168.7.7', true],
  ['fe80::1%eth0', true],
  ['::ffff:10.0.0.1', true],
  ['1.1.1.1', false],
  ['::ffff:1.1.1.1', false],
  ['2001:db8::1', false],
  ['', false],
])('[MSH-2.closed] %s', (address, expected) => {
  expect(isOfHome(address)).toBe(expected)
})
