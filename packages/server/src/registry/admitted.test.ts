/** Addresses of outsiders: where the gateway may be led, and where never. */
import { expect, test } from 'vitest'
import { createAdmission } from './admitted.ts'

const usual = createAdmission({ allow: [], ours: ['10.214.0.0/16'] })
test.each([
  ['192.168.1.7', null],
  ['10.1.2.3', null],
  ['100.64.3.4', null],
  ['fd12::7', null],
  ['8.8.8.8', null],
  ['2606:4700::1111', null],
  ['127.0.0.1', /neither/],
  ['127.1.2.3', /neither/],
  ['0.0.0.0', /neither/],
  ['169.254.169.254', /neither/],
  ['224.0.0.251', /neither/],
  ['255.255.255.255', /neither/],
  ['::', /neither/],
  ['::1', /neither/],
  ['fe80::1', /neither/],
  ['::ffff:127.0.0.1', /neither/],
  ['::ffff:7f00:1', /neither/],
  ['::ffff:192.168.1.7', null],
  ['::ffff:10.214.3.2', /instance of Kalnet/],
  ['64:ff9b::7f00:1', /neither/],
  ['2002:7f00:1::', /neither/],
  ['10.214.3.2', /instance of Kalnet/],
  ['localhost', /not an IP/],
  ['2130706433', /not an IP/],
  ['0x7f.1', /not an IP/],
  ['127.0.0.1.nip.io', /not an IP/],
  ['192.168.1.7:22', /not an IP/],
  ['', /not an IP/],
])('[MSH-1.admitted] %s', (host, problem) => {
  if (problem === null) expect(usual(host)).toBeNull()
  else expect(usual(host)).toMatch(problem)
})
test('[MSH-1.admitted] what the house allows by name is taken', () => {
  const open = createAdmission({ allow: ['127.0.0.1', '10.214.0.0/24'], ours: ['10.214.0.0/16'] })
  expect([open('127.0.0.1'), open('10.214.0.9')]).toEqual([null, null])
  expect(open('127.0.0.2')).toMatch(/neither/)
})
