/** The registry in the whole control plane: registered by a key, found over HTTP and DNS at once, and by nobody whose key was revoked. */
import { createSocket } from 'node:dgram'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { createLog } from '@kalnet/io/log'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../core/testing.ts'
import { createServer } from '../server.ts'
import { askAt, freePort } from '../testing/server.ts'
import { question, read } from './dns/testing.ts'

let home: string
let port: number
let dnsPort: number
let database: Awaited<ReturnType<typeof testDatabase>>
let server: Awaited<ReturnType<typeof createServer>>
let cookie: string
let key: { id: string; token: string }

const origin = () => `http://127.0.0.1:${port}`
const until = async (isSo: () => Promise<boolean>) => {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10))
}
const call = (method: string, path: string, body?: object) =>
  askAt({ port }, method, path, { headers: { cookie, origin: origin() }, ...(body ? { body } : {}) })
const byKey = (method: string, path: string, body?: object) =>
  askAt({ port }, method, path, {
    headers: { authorization: `Bearer ${key.token}` },
    ...(body ? { body } : {}),
  })

function byDns(name: string, type: string) {
  const socket = createSocket('udp4')
  return new Promise<ReturnType<typeof read>>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('message', (answer) => {
      socket.close()
      resolve(read(answer))
    })
    socket.send(question(name, type), dnsPort, '127.0.0.1')
  })
}

beforeAll(async () => {
  home = await mkdtemp('/tmp/kalnet-test-')
  const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
  for (const folder of Object.values(folders)) await mkdir(folder)
  database = await testDatabase()
  ;[port, dnsPort] = [await freePort(), await freePort()]
  const gateway = { httpPort: await freePort(), httpsPort: await freePort() }
  const config = configSchema.parse({ listen: { port }, dns: { enabled: true, port: dnsPort }, gateway })
  server = await createServer({
    config,
    folders,
    log: createLog('test', 'silent'),
    databaseUrl: database.url,
  })
  await server.listen()
  const link = await server.identity.claims.issue()
  const token = new URL(link?.url ?? '').hash.slice(1)
  const claimed = await askAt({ port }, 'POST', '/api/claim', {
    body: {
      name: 'Ada',
      email: 'ada@example.org',
      password: 'a lantern by the river',
      organisationName: 'Home',
      token,
    },
    headers: { origin: origin() },
  })
  cookie = String(claimed.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? ''
  const made = await call('POST', '/api/me/keys', {
    name: 'bench',
    scopes: ['service.read', 'service.register'],
    expiresInDays: 1,
  })
  key = { id: (made.body.key as { id: string }).id, token: String(made.body.token) }
})
afterAll(async () => {
  await server.close()
  await database.drop()
  await rm(home, { recursive: true, force: true })
})

test('[MSH-1.register] [MSH-2.http] [MSH-2.dns] registered by a key, it is found by HTTP and DNS, and is among the services', async () => {
  const body = { name: 'printer', ports: [{ name: 'web', kind: 'http', host: '192.168.1.7', port: 631 }] }
  expect((await byKey('POST', '/api/services/register', body)).status).toBe(200)
  await until(async () => (await byKey('GET', '/api/registry/lookup?name=printer')).status === 200)
  const said = await byDns('_http._tcp.printer.kalnet.home.arpa', 'SRV')
  expect(said.answers).toMatchObject([{ type: 'SRV', data: { port: 631 } }])
  expect((await byDns('printer.kalnet.home.arpa', 'A')).answers).toMatchObject([{ data: '127.0.0.1' }])
  const listed = (await call('GET', '/api/services?search=printer')).body.items as {
    kind: string
    state: string
  }[]
  expect(listed).toMatchObject([{ kind: 'outside', state: 'running' }])
})

test('[MSH-1.outside] people name it as they like, heartbeats leave that alone, and off the list it is found no more', async () => {
  const body = { name: 'boiler', ports: [{ name: 'web', kind: 'http', host: '192.168.1.9', port: 80 }] }
  const { serviceId } = (await byKey('POST', '/api/services/register', body)).body
  const path = `/api/services/${serviceId}`
  expect((await call('PATCH', path, { title: 'The boiler' })).status).toBe(200)
  await byKey('POST', '/api/services/register', body)
  expect((await call('GET', path)).body.title).toBe('The boiler')
  expect((await call('DELETE', path)).status).toBe(200)
  await until(async () => (await byKey('GET', '/api/registry/lookup?name=boiler')).status === 404)
  // Still running, it says so again, and is back.
  expect((await byKey('POST', '/api/services/register', body)).status).toBe(200)
})

test('[MSH-1.platform] Kalnet itself is found', async () => {
  // It said so before there was a household; in this one at once.
  const found = async () =>
    (await byKey('GET', '/api/registry/lookup?capability=kalnet-api')).body.services as object[]
  await until(async () => (await found()).length > 0)
  expect(await found()).toMatchObject([
    { name: 'kalnet', kind: 'platform', endpoints: [{ direct: { host: '127.0.0.1', port } }] },
  ])
})

test('[MSH-2.remembered] a key that was just used and is revoked finds nothing any more', async () => {
  expect((await byKey('GET', '/api/registry/lookup?name=printer')).status).toBe(200)
  expect((await call('DELETE', `/api/me/keys/${key.id}`)).status).toBe(200)
  await until(async () => (await byKey('GET', '/api/registry/lookup?name=printer')).status === 401)
})
