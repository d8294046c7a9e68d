/** The parts of Kalnet, as they register. */
import { config as configSchema } from '@kalnet/contracts/config'
import { expect, test } from 'vitest'
import { platformServices } from './platform.ts'

const of = (given: object, addresses: string[] = ['192.168.1.2']) =>
  platformServices({
    config: configSchema.parse(given),
    version: '1',
    machine: 'here',
    addresses,
    ttlMs: 60_000,
  }).map(
    ({ name, ports }) =>
      `${name}: ${ports.map((it) => `${it.name} ${it.host}:${it.port}${it.machine ? ` on ${it.machine}` : ''}`).join(', ')}`,
  )
const here = 'on here'
test.each([
  ['on this machine', {}, [`kalnet: http 127.0.0.1:7400 ${here}`, `gateway: http 127.0.0.1:8080 ${here}`]],
  [
    'for the house',
    { listen: { host: '0.0.0.0' }, tls: { enabled: true }, dns: { enabled: true } },
    [
      'kalnet: http 192.168.1.2:7400',
      'gateway: http 192.168.1.2:8080, https 192.168.1.2:8443',
      'names: dns 192.168.1.2:53',
    ],
  ],
  ['without a gateway', { gateway: { enabled: false } }, [`kalnet: http 127.0.0.1:7400 ${here}`]],
])('[MSH-1.platform] %s', (_, given, expected) => {
  expect(of(given)).toEqual(expected)
})
test('[MSH-1.platform] on no network at all', () => {
  expect(of({ listen: { host: '0.0.0.0' }, gateway: { enabled: false } }, [])).toEqual([
    `kalnet: http 127.0.0.1:7400 ${here}`,
  ])
})
