import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createPlain, type RequestListener } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fail } from '@kalnet/contracts/errors'
import { ensureTls, type Tls } from '@kalnet/server/core/tls'
import { routeOf } from '@kalnet/server/gateway/engine/testing/bench'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askRoute, type Entry } from './doctor-network.ts'

const HOST = 'photos.kalnet.home.arpa'
const open: { close(): void }[] = []
const signal = new AbortController().signal
let folder: string
let tls: Tls
let other: Tls
let old: Tls

const answers: Record<string, RequestListener> = {
  '/': (_, answer) => void answer.end('hello'),
  '/asks': (_, answer) => void answer.writeHead(302, { location: 'https://home/enter?to=x' }).end(),
  '/401': (_, answer) => void answer.writeHead(401).end(),
  '/gone': (_, answer) =>
    void answer.writeHead(503).end(JSON.stringify(fail('gateway.no-instance', { name: 'Photos' }).body('1'))),
  '/broken': (_, answer) => void answer.writeHead(502).end('its own words'),
  '/unknown': (_, answer) =>
    void answer.writeHead(404).end(JSON.stringify(fail('gateway-route.unknown', { host: HOST }).body('1'))),
  '/its-own-404': (_, answer) => void answer.writeHead(404).end('not here'),
}
const listener: RequestListener = (request, answer) => answers[request.url ?? '']?.(request, answer)
async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(server)
  return (server.address() as AddressInfo).port
}

let entry: Entry
let plain: Entry
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kalnet-doctor-'))
  tls = await ensureTls(join(folder, 'one'), [HOST])
  other = await ensureTls(join(folder, 'two'), [HOST])
  const early = { now: () => new Date(Date.now() - 500 * 86_400_000), sleep: () => Promise.resolve() }
  old = await ensureTls(join(folder, 'three'), [HOST], early)
  const httpsPort = await listen(createSecure({ key: tls.key, cert: tls.certificate }, listener))
  const httpPort = await listen(createPlain(listener))
  entry = { host: '127.0.0.1', httpPort, httpsPort, authority: tls.authority }
  plain = { ...entry, httpsPort: null }
})
afterAll(async () => {
  for (const server of open) server.close()
  await rm(folder, { recursive: true, force: true })
})
const route = (pathPrefix = '/', host = HOST) => routeOf({ match: { kind: 'http', host, pathPrefix } })
const secureWith = async (it: Tls) => ({
  ...entry,
  httpsPort: await listen(createSecure({ key: it.key, cert: it.certificate }, listener)),
})

describe('[NET-8.asked] each address, asked through the entry point', () => {
  it.each([
    ['/', 'pass', 'it answers (200)'],
    ['/asks', 'pass', 'it asks who one is'],
    ['/401', 'pass', 'it asks who one is'],
    ['/its-own-404', 'pass', 'it answers (404)'],
    ['/gone', 'fail', 'Photos is not there'],
    ['/broken', 'fail', 'the service answers 502'],
    ['/unknown', 'fail', 'does not know this address'],
  ])('%s: %s, %s', async (path, state, words) => {
    for (const where of [entry, plain]) {
      const found = await askRoute(where, route(path), signal)
      expect(found).toMatchObject({ state, service: 'photos' })
      expect(found.detail).toContain(words)
    }
  })
  it('tells whose certificate it is and how long it lives; nothing of the kind in plain http', async () => {
    const { certificate } = await askRoute(entry, route(), signal)
    expect(certificate?.daysLeft).toBeGreaterThan(14)
    expect((await askRoute(plain, route(), signal)).certificate).toBeNull()
  })
  it.each([
    [
      'of another authority',
      async () => secureWith(other),
      HOST,
      'an authority that this machine does not know',
    ],
    ['made out to another name', async () => entry, 'films.kalnet.home.arpa', 'made out to another name'],
    [
      'that has expired',
      async () => ({ ...(await secureWith(old)), authority: old.authority }),
      HOST,
      'has expired',
    ],
    ['none: it does not speak TLS', async () => ({ ...entry, httpsPort: plain.httpPort }), HOST, ''],
    ['none: nothing listens', async () => ({ ...entry, httpsPort: 1 }), HOST, 'nothing listens there'],
  ])('a certificate %s fails, and says so', async (_what, where, host, words) => {
    const found = await askRoute(await where(), route('/', host), signal)
    expect(found.state).toBe('fail')
    expect(found.detail).toContain(words)
  })
  it('TCP is connected to, UDP is said to be unknown', async () => {
    const listenAt = entry.httpPort
    expect(
      await askRoute(entry, routeOf({ match: { kind: 'tcp', listen: listenAt } }), signal),
    ).toMatchObject({ state: 'pass' })
    expect(await askRoute(entry, routeOf({ match: { kind: 'tcp', listen: 1 } }), signal)).toMatchObject({
      state: 'fail',
      detail: 'nothing listens there',
    })
    expect(await askRoute(entry, routeOf({ match: { kind: 'udp', listen: 5 } }), signal)).toMatchObject({
      state: 'unknown',
    })
  })
})
