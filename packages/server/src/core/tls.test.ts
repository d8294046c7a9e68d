/** The local authority: kept, renewed in time, and accepted by a real TLS client that trusts only it. */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureTls, readFingerprint } from './tls.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kalnet-tls-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const names = ['localhost', 'kalnet.home.arpa', '127.0.0.1', '192.168.7.9']
const later = (days: number) => ({
  ...systemClock,
  now: () => new Date(Date.now() + days * 86_400_000),
})

test('a client that trusts only the authority accepts the server by name and address', async () => {
  const tls = await ensureTls(folder, names)
  const server = createServer({ cert: tls.certificate, key: tls.key }, (_request, answer) =>
    answer.end('hello'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const get = (servername: string) =>
    new Promise<string>((resolve, reject) => {
      const call = request(
        { host: '127.0.0.1', port, ca: tls.authority, servername, agent: false },
        (answer) => answer.on('data', (chunk) => resolve(String(chunk))),
      )
      call.on('error', reject)
      call.end()
    })
  try {
    expect(await get('kalnet.home.arpa')).toBe('hello')
    await expect(get('example.org')).rejects.toThrow(/altnames/)
  } finally {
    server.close()
    server.closeAllConnections()
  }
})

test('everything is kept while it fits, and keys are for their owner only', async () => {
  const first = await ensureTls(folder, names)
  expect(await ensureTls(folder, names.slice(0, 2))).toEqual(first)
  expect(await readFingerprint(folder)).toBe(first.fingerprint)
  expect(first.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  for (const key of ['authority.key', 'server.key'])
    expect((await stat(join(folder, 'ca', key))).mode & 0o777).toBe(0o600)
})

test('a new address or a near end makes a new certificate under the same authority', async () => {
  const first = await ensureTls(folder, names)
  const more = await ensureTls(folder, [...names, '10.1.2.3'])
  expect(more.certificate).not.toBe(first.certificate)
  expect(more.fingerprint).toBe(first.fingerprint)
  const renewed = await ensureTls(folder, names, later(380))
  expect(renewed.certificate).not.toBe(more.certificate)
  expect(renewed.fingerprint).toBe(first.fingerprint)
})
