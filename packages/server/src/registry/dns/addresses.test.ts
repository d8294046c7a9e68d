/** Which address of ours an asker gets. */
import type { NetworkInterfaceInfo } from 'node:os'
import { expect, test } from 'vitest'
import { gatewayFor, isNeighbour, isOfHome } from './addresses.ts'

const one = (address: string, bits: number) =>
  ({ address, cidr: `${address}/${bits}`, internal: false }) as NetworkInterfaceInfo
const interfaces = {
  lo: [one('127.0.0.1', 8)],
  eth0: [one('192.168.1.2', 24), one('fd00::2', 64), one('fe80::2', 64)],
  eth1: [one('10.0.0.2', 8)],
  // A smaller network inside the one before: its own way counts.
  eth2: [one('10.7.7.1', 30)],
}

test.each([
  ['on this machine', '127.0.0.1', '0.0.0.0', ['127.0.0.1'], ['::1']],
  ['on the first network', '192.168.1.50', '0.0.0.0', ['192.168.1.2'], ['fd00::2']],
  ['by IPv6', 'fd00::50', '::', ['192.168.1.2'], ['fd00::2']],
  ['on the second network', '10.9.9.9', '0.0.0.0', ['10.0.0.2'], []],
  ['on a network inside another', '10.7.7.2', '0.0.0.0', ['10.7.7.1'], []],
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

test.each([
  ['192.168.1.50', true],
  ['2a01:db8:7::50', true],
  ['2a01:db8:8::50', false],
  ['93.184.215.50', false],
  ['192.0.2.50', true],
])('[MSH-2.near] %s', (address, expected) => {
  const rented = {
    ...interfaces,
    eth2: [one('93.184.215.14', 24), one('2a01:db8:7::2', 64), one('192.0.2.2', 24)],
  }
  expect(isNeighbour(address, rented)).toBe(expected)
})
