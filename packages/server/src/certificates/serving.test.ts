/** Which certificate a name is served with, by real handshakes, with a clock that is moved; and what people may do with certificates, by the real pipeline. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer as createTls, type Server as TlsServer } from 'node:tls'
import { config } from '@kalnet/contracts/config'
import { type Clock, systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Letter } from '../core/mail.ts'
import { ensureTls } from '../core/tls.ts'
import { DAY_MS, issue, newAuthority, type Signer } from '../core/x509.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { createAlerts } from './alerts.ts'
import { type Certificates, createCertificates } from './certificates.ts'
import type { Host } from './serving.ts'
import { statements } from './store.ts'

let ahead = 0
const clock: Clock = { ...systemClock, now: () => new Date(Date.now() + ahead) }
const log = createLog('test', 'silent')
const letters: Letter[] = []
const mail = {
  configured: true,
  send: async (letter: Letter) => void letters.push(letter),
  failed: () => undefined,
  close: () => undefined,
}
const hosts: Host[] = []
let server: TestServer
let folder = ''
let certificates: Certificates
let tls: TlsServer
let port = 0
let root: Signer
type Person = Awaited<ReturnType<TestServer['person']>>
let first: Person
let second: Person
const stopping = new AbortController()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kn-certificates-'))
  server = await testServer({ listen: false })
  const { store, events, secrets } = server
  const standard = await ensureTls(folder, ['kalnet.local', '127.0.0.1'], clock)
  certificates = createCertificates({
    config: config.parse({ domain: 'home.example', tls: { enabled: true } }),
    folders: { config: folder },
    store,
    secrets,
    events,
    clock,
    log,
    mail,
    hosts: () => hosts,
    tls: { key: standard.key, cert: standard.certificate },
  })
  certificates.watch(stopping.signal)
  server.http.add(certificates.routes)
  await server.http.listen()
  first = await server.person('owner')
  second = await server.person('owner')
  hosts.push(
    { host: 'photos.home.example', organisationId: first.organisationId },
    { host: '*.apps.example', organisationId: first.organisationId },
    { host: 'theirs.example', organisationId: second.organisationId },
  )
  root = await newAuthority('Bought', clock.now().getTime(), 1_000)
  tls = createTls({
    SNICallback: (name, done) =>
      certificates.contextFor(name).then(
        (context) => done(context ? null : new Error('not ours'), context ?? undefined),
        (error: Error) => done(error),
      ),
  })
  tls.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve))
  port = (tls.address() as AddressInfo).port
})
afterAll(async () => {
  stopping.abort()
  tls.close()
  await certificates.close()
  await server.end()
  await rm(folder, { recursive: true, force: true })
})

interface Shown {
  issuer: string
  names: string
  serial: string
  accepted: boolean
}
/** What a client sees that trusts the local authority only; null: the handshake was ended. */
const shown = async (servername: string): Promise<Shown | null> => {
  const { authority } = await ensureTls(folder, ['kalnet.local', '127.0.0.1'], clock)
  return new Promise((resolve) => {
    const socket = connect(
      { host: '127.0.0.1', port, servername, ca: authority, rejectUnauthorized: false },
      () => {
        const peer = socket.getPeerCertificate()
        const issuer = String(peer.issuer.CN).replace(/ \w{6}$/, '')
        resolve({
          issuer,
          names: peer.subjectaltname ?? '',
          serial: peer.serialNumber,
          accepted: socket.authorized,
        })
        socket.destroy()
      },
    )
    socket.on('error', () => resolve(null))
  })
}
const bring = async (who: Person, names: string[], hours = 24 * 90) => {
  const made = await issue(root, { title: 'bought', names, now: clock.now().getTime(), hours })
  const body = { certificate: made.certificate, key: made.key }
  return server.ask('POST', '/api/certificates/import', { as: who.secret, body })
}
const soon = async (right: () => Promise<boolean>) => {
  for (let turn = 0; turn < 100 && !(await right()); turn++) await systemClock.sleep(20)
  expect(await right()).toBe(true)
}

describe('[NET-4.host] the local authority signs', () => {
  it.each([
    ['a host of a route', 'photos.home.example', 'DNS:photos.home.example'],
    ['in capitals', 'PHOTOS.home.example', 'DNS:photos.home.example'],
    ['the domain', 'home.example', 'DNS:home.example'],
    ['a star of a route', 'any.apps.example', 'DNS:*.apps.example'],
    ['what the standard one is made out to', 'kalnet.local', 'DNS:kalnet.local, IP Address:127.0.0.1'],
  ])('%s', async (_, name, names) => {
    expect(await shown(name)).toMatchObject({ issuer: 'Kalnet authority', names, accepted: true })
  })
  it.each([
    'example.com',
    'nothing.home.example',
    'deep.below.home.example',
    'home.example.evil.org',
    'nothome.example',
    'localhost',
  ])('nothing for %s', async (name) => {
    expect(await shown(name)).toBeNull()
  })
  it.each([
    ['*.home.example'],
    ['home..example'],
    ['../home.example'],
    [`${'a'.repeat(300)}.home.example`],
    ['\0'],
    ['[::1]'],
    ['1'],
  ])('nothing for %j, which is no name', async (name) => {
    expect(await certificates.contextFor(name)).toBeNull()
  })
  it('the standard one for who names nobody; a dot at the end changes nothing', async () => {
    const standard = await certificates.contextFor(null)
    expect(standard).not.toBeNull()
    expect(await certificates.contextFor('')).toBe(standard)
    expect(await certificates.contextFor('home.example.')).toBe(await certificates.contextFor('home.example'))
  })
  it('the same one again, and another when a third of its month is left', async () => {
    const one = await shown('photos.home.example')
    expect((await shown('photos.home.example'))?.serial).toBe(one?.serial)
    ahead = 19 * DAY_MS
    expect((await shown('photos.home.example'))?.serial).toBe(one?.serial)
    ahead = 21 * DAY_MS
    expect((await shown('photos.home.example'))?.serial).not.toBe(one?.serial)
    ahead = 0
  })
  it('many names at once below a star of a route cost one certificate', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, index) => shown(`n${index}.apps.example`)))
    expect(new Set(all.map((it) => it?.serial)).size).toBe(1)
  })
})

describe('[NET-4.own] what was brought', () => {
  it('comes before the local authority, for its names only, until it is removed', async () => {
    const answer = await bring(first, ['photos.home.example'])
    expect(answer.body).toMatchObject({ source: 'own', state: 'valid', names: ['photos.home.example'] })
    expect(answer.text).not.toContain('PRIVATE')
    await soon(async () => (await shown('photos.home.example'))?.issuer === 'Bought')
    expect((await shown('home.example'))?.issuer).toBe('Kalnet authority')
    const { items } = (await server.ask('GET', '/api/certificates/hosts', { as: first.secret })).body as never
    expect(items).toContainEqual(
      expect.objectContaining({ host: 'photos.home.example', source: 'own', certificateId: answer.body.id }),
    )
    await server.ask('DELETE', `/api/certificates/${answer.body.id}`, { as: first.secret })
    await soon(async () => (await shown('photos.home.example'))?.issuer === 'Kalnet authority')
  })
  it("another organisation's is not shown for names that are not its own", async () => {
    await bring(second, ['photos.home.example', 'home.example', '*.home.example', 'theirs.example'])
    await soon(async () => (await shown('theirs.example'))?.issuer === 'Bought')
    for (const name of ['photos.home.example', 'home.example'])
      expect((await shown(name))?.issuer).toBe('Kalnet authority')
    expect(await shown('x.home.example')).toBeNull()
  })
  it('[NET-4.alert] ends soon: said once, with a letter, and the local authority takes over at its end', async () => {
    const { id } = (await bring(first, ['any.apps.example'], 24 * 20)).body as { id: string }
    await soon(async () => (await shown('any.apps.example'))?.issuer === 'Bought')
    const { store } = server
    const told: string[] = []
    const alerts = createAlerts({ store, clock, log, mail, changed: async (_, one) => void told.push(one) })
    expect(await alerts.look()).toBe(0)
    ahead = 7 * DAY_MS
    await alerts.look()
    await alerts.look()
    expect(told).toEqual([id])
    expect(letters).toHaveLength(1)
    expect(letters[0]?.subject).toBe('The certificate of any.apps.example ends soon')
    const state = async () =>
      (await server.ask('GET', `/api/certificates/${id}`, { as: first.secret })).body.state
    expect(await state()).toBe('expiring')
    ahead = 21 * DAY_MS
    expect(await state()).toBe('expired')
    expect((await shown('any.apps.example'))?.issuer).toBe('Kalnet authority')
    ahead = 0
  })
})

describe('[NET-4.own] people and certificates', () => {
  const post = (path: string, body: object, who = first) =>
    server.ask('POST', `/api/certificates/${path}`, { as: who.secret, body })
  const order = (names: string[], challenge = 'http-01', who = first) =>
    post('order', { names, challenge, agree: true }, who)
  it.each([
    ['a star by http', ['*.home.example'], 'http-01', /by dns-01 only/],
    ['dns without a DNS server', ['home.example'], 'dns-01', /dns\.enabled/],
    ['a name of no domain', ['localhost'], 'http-01', /not a name of the internet/],
    ['twice the same', ['a.home.example', '*.home.example'], 'dns-01', /covered by/],
  ])('an order of %s is refused in words', async (_, names, challenge, words) => {
    const answer = await order(names, challenge)
    expect(answer.status).toBe(502)
    expect(answer.body.error?.message).toMatch(words)
  })
  it('only the first organisation orders names that are no routes of its own', async () => {
    expect((await order(['photos.home.example'], 'http-01', second)).body.error?.message).toMatch(
      /no route of yours/,
    )
  })
  it('without agreeing to the terms nothing is ordered', async () => {
    expect((await post('order', { names: ['a.example'], challenge: 'http-01' })).status).toBe(400)
  })
  it("one's own are not there for others, and what is brought cannot be renewed nor revoked here", async () => {
    const { id } = (await bring(first, ['x.example'])).body as { id: string }
    const { as, path } = { as: second.secret, path: `/api/certificates/${id}` }
    expect((await server.ask('GET', path, { as })).status).toBe(404)
    expect((await server.ask('DELETE', path, { as })).status).toBe(404)
    expect((await post(`${id}/renew`, {})).body.error?.message).toMatch(/bring a new one/)
    expect((await post(`${id}/revoke`, {})).body.error?.message).toMatch(/remove it here/)
    // Sealed: neither the row nor its secret has the key in it.
    const rows = await server.store.system.read((tx) => statements.byId({ id }).execute(tx))
    expect(JSON.stringify(rows)).not.toContain('PRIVATE')
  })
})

describe('[MSH-6.given] what a gateway of its own is given, with its key', () => {
  const given = async (name: string, who: Person) =>
    certificates.forGateways.pemFor(name, who.organisationId, (it) => it === 'kalnet.local')
  const namesIn = async (name: string, who: Person) => {
    const found = await given(name, who)
    return found && new X509Certificate(found.chain).subjectAltName
  }
  it.each<[string, string, () => Person, string | null]>([
    ['a host of its route', 'photos.home.example', () => first, 'DNS:photos.home.example'],
    ['a host below a star of its route', 'b.apps.example', () => first, 'DNS:*.apps.example'],
    ['the domain', 'home.example', () => first, 'DNS:home.example'],
    [
      'a name of the dashboard, never with the key of the control plane',
      'kalnet.local',
      () => first,
      'DNS:kalnet.local',
    ],
    ['for who names nobody', '', () => first, 'DNS:home.example'],
    ['its own address at home', '192.168.1.5', () => first, 'DNS:home.example, IP Address:192.168.1.5'],
    ['nothing for an address of the internet', '8.8.8.8', () => first, null],
    ["nothing for another's host", 'theirs.example', () => first, null],
    ['nothing for a name that leads nowhere', 'nothing.home.example', () => first, null],
    ["nothing of the first's to another", 'photos.home.example', () => second, null],
    ['nothing of the domain to another', 'home.example', () => second, null],
    ['nothing of the dashboard to another', 'kalnet.local', () => second, null],
    ['nothing for who names nobody, to another', '', () => second, null],
    ['nothing for an address, to another', '192.168.1.5', () => second, null],
    ['nothing for what is no name', '../home.example', () => first, null],
  ])('%s', async (_, name, who, names) => {
    expect(await namesIn(name, who())).toBe(names)
  })
  it('the key fits, and is its own', async () => {
    const one = await given('photos.home.example', first)
    const certificate = new X509Certificate(one?.chain ?? '')
    expect(certificate.checkPrivateKey(createPrivateKey(one?.key ?? ''))).toBe(true)
    expect(Date.parse(one?.end ?? '')).toBeGreaterThan(clock.now().getTime())
  })
  it("the key of the first's star is not given to another that it serves", async () => {
    await bring(first, ['*.example'])
    await soon(async () => (await shown('theirs.example'))?.issuer === 'Bought')
    const { items } = (await server.ask('GET', '/api/certificates', { as: second.secret })).body as never as {
      items: { id: string }[]
    }
    for (const { id } of items) await server.ask('DELETE', `/api/certificates/${id}`, { as: second.secret })
    await soon(async () => (await namesIn('theirs.example', second)) === 'DNS:theirs.example')
    // What is served follows what was told, a moment later.
    await soon(async () => (await shown('theirs.example'))?.names === 'DNS:*.example')
    expect(await namesIn('theirs.example', second)).toBe('DNS:theirs.example')
  })
})

describe('[NET-4.authority] the authority as files, for anybody', () => {
  it('as data', async () => {
    const { authority } = (await server.ask('GET', '/api/certificates/authority')).body as never as {
      authority: Record<string, string>
    }
    const { fingerprint } = await ensureTls(folder, ['kalnet.local', '127.0.0.1'], clock)
    expect(authority).toMatchObject({ fingerprint, pem: expect.stringContaining('BEGIN CERTIFICATE') })
  })
  it.each([
    ['pem', 'application/x-pem-file', /^-----BEGIN CERTIFICATE/],
    ['der', 'application/x-x509-ca-cert', /^0/],
    ['mobileconfig', 'application/x-apple-aspen-config', /com\.apple\.security\.root/],
  ])('%s', async (form, type, begins) => {
    const answer = await server.ask('GET', `/api/certificates/authority/${form}`)
    expect(answer.headers['content-type']).toContain(type)
    expect(answer.headers['content-disposition']).toMatch(/^attachment; filename="kalnet/)
    expect(answer.text).toMatch(begins)
  })
})
