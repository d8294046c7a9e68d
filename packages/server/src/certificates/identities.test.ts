/** Who a service is: what its certificate says, how long it lives, and that nothing of its key is kept. */
import { X509Certificate } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type SecureContext } from 'node:tls'
import { type DesiredInstance, desiredInstance } from '@kalnet/contracts/instance'
import { type Clock, systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createIdentityGiver } from '../controllers/identity-giver.ts'
import { sql } from '../core/store.ts'
import { type Rows, rowsOf } from '../testing/rows.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { createIdentities } from './identities.ts'

let ahead = 0
const clock: Clock = { ...systemClock, now: () => new Date(Date.now() + ahead) }
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
let server: TestServer
let rows: Rows
let house: string
let other: string
let make: () => ReturnType<typeof createIdentities>

beforeAll(async () => {
  server = await testServer({ listen: false })
  rows = await rowsOf(server.url)
  house = (await server.person('owner')).organisationId
  other = (await server.person('owner')).organisationId
  const { store, secrets } = server
  make = () => createIdentities({ store, secrets, clock, domain: 'home.example' })
})
afterAll(async () => {
  await rows.end()
  await server.end()
})

/** An instance of a service that is there, as the controller is told of it. */
async function instanceOf(organisationId: string, name: string, links: object[] = []) {
  const service = await rows.add('services', { organisation_id: organisationId, name, kind: 'managed' })
  const controller = await rows.add('controllers', { organisation_id: organisationId })
  const instance = await rows.add('instances', {
    organisation_id: organisationId,
    controller_id: controller.id,
  })
  await rows.add('releases', {
    organisation_id: organisationId,
    service_id: service.id,
    number: 1,
    state: 'live',
    content: JSON.stringify({ template: { parts: [{ name: 'main', links }] } }),
  })
  await rows.add('service_instances', {
    id: instance.id,
    organisation_id: organisationId,
    service_id: service.id,
    release_number: 1,
    part: 'main',
    number: 1,
  })
  const wish = {
    id: String(instance.id),
    generation: 1,
    organisationId,
    platform: 'fake',
    state: 'running',
    spec: { image: { reference: 'x' }, command: ['x'], identity: true },
  }
  return { serviceId: String(service.id), wish: desiredInstance.parse(wish) }
}
const given = async (wish: DesiredInstance, identities = make()) => {
  const identity = await identities.identityFor(wish)
  if (!identity) throw new Error('no identity')
  return { ...identity, leaf: new X509Certificate(identity.certificate) }
}

describe('[MSH-4.identity] the certificate of a service', () => {
  it('says who it is, and every name by which links lead to it, for a day', async () => {
    const { wish, serviceId } = await instanceOf(house, 'postgres')
    const app = await instanceOf(house, 'photos', [{ name: 'db', dependency: 'database', port: 'sql' }])
    await rows.add('service_dependencies', {
      organisation_id: house,
      service_id: app.serviceId,
      needs_id: serviceId,
      name: 'database',
    })
    const { leaf, renewAt, authority } = await given(wish)
    expect(leaf.subjectAltName?.split(', ')).toEqual([
      `URI:spiffe://home.example/${house}/postgres`,
      'DNS:postgres.home.example',
      'DNS:postgres',
      'DNS:main',
      'DNS:database',
      'DNS:db',
    ])
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
    const now = clock.now().getTime()
    expect(Math.abs(leaf.validToDate.getTime() - now - DAY_MS)).toBeLessThan(60_000)
    expect(Math.abs(renewAt - now - DAY_MS / 2)).toBeLessThan(60_000)
    expect(leaf.verify(new X509Certificate(authority).publicKey)).toBe(true)
  })
  it('has a new key each time, and neither key is anywhere in the database', async () => {
    const { wish } = await instanceOf(house, 'keys')
    const [one, two] = [await given(wish), await given(wish)]
    expect(one.key).not.toBe(two.key)
    const { rows: tables } = await server.store.system.read((tx) =>
      sql<{
        name: string
      }>`select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`.execute(
        tx,
      ),
    )
    const secret = one.key.split('\n')[1] ?? ''
    expect(secret.length).toBeGreaterThan(40)
    for (const { name } of tables) {
      const { rows: all } = await server.store.system
        .read((tx) => sql<{ text: string }>`select t::text as text from ${sql.table(name)} as t`.execute(tx))
        .catch(() => ({ rows: [] }))
      expect(all.filter(({ text }) => text.includes(secret))).toEqual([])
      expect(all.filter(({ text }) => text.includes('PRIVATE KEY'))).toEqual([])
    }
  })
  it('is for an instance of a service that asks for it and runs', async () => {
    const { wish } = await instanceOf(house, 'quiet')
    const identities = make()
    expect(await identities.identityFor({ ...wish, state: 'stopped' })).toBeNull()
    expect(await identities.identityFor({ ...wish, spec: { ...wish.spec, identity: false } })).toBeNull()
    expect(await identities.identityFor({ ...wish, organisationId: other })).toBeNull()
  })
  it('two servers have one authority; two organisations have two', async () => {
    const { wish } = await instanceOf(house, 'one')
    const strange = (await instanceOf(other, 'one')).wish
    const [here, there] = await Promise.all([given(wish), given(wish)])
    expect(here.authority).toBe(there.authority)
    const theirs = await given(strange)
    expect(theirs.authority).not.toBe(here.authority)
    expect(theirs.leaf.verify(new X509Certificate(here.authority).publicKey)).toBe(false)
  })
  it('the next authority is known before it signs, and the old one while it lasts', async () => {
    const { wish } = await instanceOf(house, 'later')
    const before = await given(wish)
    const count = (pem: string) => pem.match(/BEGIN/g)?.length
    ahead = (5 * 365 - 89) * DAY_MS
    const between = await given(wish)
    expect([count(before.authority), count(between.authority)]).toEqual([1, 2])
    expect(between.leaf.issuer).toBe(before.leaf.issuer)
    ahead = (5 * 365 - 29) * DAY_MS
    const after = await given(wish)
    expect(after.leaf.issuer).not.toBe(before.leaf.issuer)
    expect(after.authority).toBe(between.authority)
    ahead = (5 * 365 + 1) * DAY_MS
    expect(count((await given(wish)).authority)).toBe(1)
    ahead = 0
  })
  it('[MSH-4.mutual] the gateway shows itself to a service, each organisation by its own authority', async () => {
    const { wish } = await instanceOf(house, 'door')
    const { certificate, key, authority } = await given(wish)
    const asking = { requestCert: true, rejectUnauthorized: true }
    const service = createServer({ cert: certificate, key, ca: authority, ...asking }, (socket) =>
      socket.end(socket.getPeerCertificate().subjectaltname ?? ''),
    )
    service.on('tlsClientError', () => undefined)
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
    const { port } = service.address() as AddressInfo
    const asked = (secureContext: SecureContext, servername: string) =>
      new Promise<string>((resolve) => {
        const socket = connect({ host: '127.0.0.1', port, servername, secureContext })
        socket.on('data', (piece: Buffer) => resolve(piece.toString('utf8')))
        socket.on('error', () => resolve('refused'))
        socket.on('close', () => resolve('closed'))
      })
    const [ours, theirs] = [await make().upstreamFor(house), await make().upstreamFor(other)]
    expect(await asked(ours.context, 'door')).toBe(`URI:spiffe://home.example/${house}/_gateway`)
    expect(await asked(ours.context, ours.serverNameOf('door'))).toContain('_gateway')
    expect(await asked(ours.context, 'window')).toBe('refused')
    expect(await asked(theirs.context, 'door')).toBe('refused')
    service.close()
  })
})

describe('[MSH-4.identity] an instance is told who it is', () => {
  const log = createLog('test', 'silent')
  const wishOf = (id: string, generation = 1, identity = true) =>
    desiredInstance.parse({
      id: `01920000-0000-7000-8000-00000000000${id}`,
      generation,
      organisationId: '01920000-0000-7000-8000-0000000000aa',
      platform: 'fake',
      state: 'running',
      spec: { image: { reference: 'x' }, command: ['x'], identity },
    })
  it('once for a connection and generation, again at half of its time; one that fails holds up nobody', async () => {
    const sent: string[] = []
    const link = () => ({
      send: (message: { instanceId?: string }) => Boolean(sent.push(message.instanceId?.at(-1) ?? '')),
    })
    const give = createIdentityGiver({
      clock,
      log,
      async identityFor({ id }) {
        if (id.endsWith('9')) throw new Error('the database is away')
        return { certificate: 'c', key: 'k', authority: 'a', renewAt: clock.now().getTime() + 12 * HOUR_MS }
      },
    })
    const said = async (connection: ReturnType<typeof link>, wishes: DesiredInstance[]) => {
      sent.length = 0
      await give(connection as Parameters<typeof give>[0], wishes)
      return sent.join('')
    }
    const [one, two] = [link(), link()]
    const all = [wishOf('9'), wishOf('1'), wishOf('2'), wishOf('3', 1, false)]
    expect(await said(one, all)).toBe('12')
    expect(await said(one, all)).toBe('')
    expect(await said(one, [wishOf('1', 2)])).toBe('1')
    expect(await said(two, all)).toBe('12')
    ahead = 11 * HOUR_MS
    expect(await said(two, all)).toBe('')
    ahead = 13 * HOUR_MS
    expect(await said(two, all)).toBe('12')
    ahead = 0
  })
})
