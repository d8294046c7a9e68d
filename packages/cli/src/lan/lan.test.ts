/** The names of this machine on its network, and trust by fingerprint alone. */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { config } from '@kalnet/contracts/config'
import { freePort } from '@kalnet/io/testing/free-port'
import { ensureTls } from '@kalnet/server/core/tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { explain } from '../problem.ts'
import { NO_HOME, temporaryHome } from '../testing.ts'
import { certificateNames, lanAddresses, lanUrl } from './addresses.ts'
import { trust } from './trust.ts'

const one = (address: string, internal = false) => ({
  address,
  internal,
  netmask: '',
  mac: '',
  cidr: null,
  family: 'IPv4' as const,
})
const interfaces = {
  lo: [one('127.0.0.1', true)],
  eth0: [one('192.168.1.5'), one('fe80::1')],
  docker0: [one('172.17.0.1')],
  wlan0: [one('169.254.3.4'), one('fd00::7')],
}

test("engines and link-local addresses are nobody's way in", () => {
  expect(lanAddresses(interfaces)).toEqual(['192.168.1.5', 'fd00::7'])
})

test('the certificate is made out to every name people may use', () => {
  const names = certificateNames(['box.example.org'], '0.0.0.0', interfaces, 'attic')
  expect(names).toEqual([
    'kalnet.home.arpa',
    'kalnet.local',
    'attic',
    'attic.local',
    'localhost',
    '127.0.0.1',
    '::1',
    '192.168.1.5',
    'fd00::7',
    'box.example.org',
  ])
  expect(certificateNames([], '10.0.0.9', {}, '')).toContain('10.0.0.9')
})

test.each([
  ['https everywhere', { tls: { enabled: true }, listen: { host: '0.0.0.0' } }, 'https://192.168.1.5:7400'],
  ['https on one address', { tls: { enabled: true }, listen: { host: '10.0.0.9' } }, undefined],
  ['plain', {}, undefined],
])('address for others: %s', (_name, given, expected) => {
  expect(lanUrl(config.parse(given), interfaces)).toBe(expected)
})

let it = NO_HOME
let url = ''
let fingerprint = ''
let close: () => void = () => undefined
beforeAll(async () => {
  it = await temporaryHome()
  const tls = await ensureTls(`${it.home}/server`, ['127.0.0.1'])
  const server = createServer({ cert: tls.certificate, key: tls.key })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  fingerprint = tls.fingerprint
  close = () => {
    server.close()
    server.closeAllConnections()
  }
})
afterAll(async () => {
  close()
  await it.remove()
})
const signal = new AbortController().signal

test('[CTL-2.authority] a controller trusts the authority of its join line, and remembers it', async () => {
  expect(await trust(url, undefined, `${it.home}/a`, signal)).toBeNull()
  const pem = await trust(url, fingerprint, `${it.home}/a`, signal)
  expect(pem).toMatch(/BEGIN CERTIFICATE/)
  expect(await trust(url, undefined, `${it.home}/a`, signal)).toBe(pem)
})

test('[K8S-2.parts-later] what was seen once needs nobody there; and whoever is patient waits for somebody', async () => {
  const folder = `${it.home}/c`
  const pem = await trust(url, fingerprint, folder, signal)
  const nobody = 'https://127.0.0.1:1'
  expect(await trust(nobody, fingerprint, folder, signal)).toBe(pem)
  const away = `https://127.0.0.1:${await freePort()}`
  const waiting = trust(away, fingerprint, `${it.home}/d`, signal, 60_000)
  const tls = await ensureTls(`${it.home}/server`, ['127.0.0.1'])
  const late = createServer({ cert: tls.certificate, key: tls.key })
  await new Promise<void>((resolve) => late.listen(Number(new URL(away).port), '127.0.0.1', resolve))
  expect(await waiting).toBe(pem)
  late.close()
  late.closeAllConnections()
})

test.each([
  [
    'another fingerprint',
    () => trust(url, fingerprint.replace(/^../, '00'), `${it.home}/b`, signal),
    /another authority/,
  ],
  ['plain http', () => trust('http://127.0.0.1:1', fingerprint, `${it.home}/b`, signal), /https address/],
  [
    'nobody there',
    () => trust('https://127.0.0.1:1', fingerprint, `${it.home}/b`, signal),
    /cannot be reached/,
  ],
])('%s is refused in words, and nothing is kept', async (_name, attempt, message) => {
  const error = await attempt().catch((it: unknown) => it)
  expect(explain(error).message).toMatch(message)
  expect(await trust(url, undefined, `${it.home}/b`, signal)).toBeNull()
})
