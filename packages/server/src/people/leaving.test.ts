/** Somebody is removed from the whole control plane as composed: what ran for them is wanted no more, and told so. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { LIVE_PATH } from '@kalnet/contracts/event'
import { createLog } from '@kalnet/io/log'
import pg from 'pg'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { testDatabase } from '../core/testing.ts'
import { createServer } from '../server.ts'
import { askAt, freePort } from '../testing/server.ts'

const log = createLog('test', 'silent')
const PASSWORD = 'seven purple teapots'
let home: string
let database: Awaited<ReturnType<typeof testDatabase>>
let server: Awaited<ReturnType<typeof createServer>>
let client: pg.Client
let port: number
beforeAll(async () => {
  home = await mkdtemp('/tmp/kalnet-test-')
  database = await testDatabase()
  port = await freePort()
  const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
  const config = configSchema.parse({ listen: { port } })
  server = await createServer({ config, folders, log, databaseUrl: database.url })
  await server.listen()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query('set role kalnet_system')
})
afterAll(async () => {
  await client.end()
  await server.close()
  await database.drop()
  await rm(home, { recursive: true, force: true })
})
const local = (method: string, path: string, body?: object) =>
  askAt({ socketPath: join(home, 'run/control.sock') }, method, path, { body })
const tokenIn = (link: unknown) => new URL((link as { url: string }).url).hash.slice(1)

it('[SEC-2.roles] a removed person leaves no session, no instance and no sign-in behind', async () => {
  const early = await local('POST', '/api/local/organisations', { name: 'Too early' })
  expect([early.status, early.body.error?.code]).toEqual([409, 'organisation.unclaimed'])
  // The same for whatever else would belong to a household or team.
  for (const [path, body] of [
    ['/api/invitations', { email: 'grace@example.org', role: 'member' }],
    ['/api/groups', { name: 'Kids' }],
    ['/api/service-accounts', { name: 'Directory', role: 'admin' }],
  ] as const) {
    const answer = await local('POST', path, body)
    expect([path, answer.status, answer.body.error?.code]).toEqual([path, 409, 'organisation.unclaimed'])
  }
  const claim = (await local('POST', '/api/local/claim-link', {})).body.link
  const owner = {
    token: tokenIn(claim),
    name: 'Ada',
    email: 'ada@example.org',
    password: PASSWORD,
    organisationName: 'Home',
  }
  expect((await askAt({ port }, 'POST', '/api/claim', { body: owner })).status).toBe(200)

  const invited = await local('POST', '/api/invitations', { email: 'grace@example.org', role: 'member' })
  const joined = await askAt({ port }, 'POST', '/api/invitations/accept', {
    body: { token: tokenIn(invited.body.link), name: 'Grace', password: PASSWORD },
  })
  const { id: userId, organisationId } = (joined.body as { me: { id: string; organisationId: string } }).me

  const [controller, instance, session] = [newId(), newId(), newId()]
  await client.query(
    `insert into controllers (id, organisation_id, name, public_key, created_at) values ($1, null, 'here', 'key', now())`,
    [controller],
  )
  await client.query(
    `insert into instances (id, organisation_id, controller_id, platform, generation, desired_state, spec)
     values ($1, $2, $3, 'process', 1, 'running', '{}')`,
    [instance, organisationId, controller],
  )
  await client.query(
    `insert into sessions (id, organisation_id, user_id, instance_id, name, template_id, template_name, state, accepted_at, created_at)
     values ($1, $2, $3, $4, 'Terminal', 'terminal', 'Terminal', 'running', now(), now())`,
    [session, organisationId, userId, instance],
  )
  expect((await local('GET', `/api/people/${userId}`)).body).toMatchObject({ sessions: 1, devices: 1 })

  expect((await local('DELETE', `/api/people/${userId}`)).status).toBe(200)
  for (const table of ['instances', 'sessions']) {
    const { rows } = await client.query(`select id from ${table}`)
    expect([table, rows]).toEqual([table, []])
  }
  const { rows } = await client.query(
    `select type, data->>'id' as id from events where type in ('session.removed', 'person.removed') order by xid, seq`,
  )
  expect(rows).toEqual([
    { type: 'session.removed', id: session },
    { type: 'person.removed', id: userId },
  ])
  const { rows: signIns } = await client.query('select id from sign_ins where user_id = $1', [userId])
  expect(signIns).toEqual([])
})

it.each<[string, (path: string) => Promise<{ status: number }>]>([
  ['signed out by an admin', (path) => local('POST', `${path}/sign-out`, {})],
  ['given a lower role', (path) => local('POST', `${path}/role`, { role: 'guest' })],
  ['switched off', (path) => local('POST', `${path}/off`, {})],
  ['removed', (path) => local('DELETE', path)],
])(
  '[SEC-2.within-seconds] the live line of somebody who is %s is cut',
  async (_, act) => {
    const email = `${newId()}@example.org`
    const invited = await local('POST', '/api/invitations', { email, role: 'member' })
    const joined = await askAt({ port }, 'POST', '/api/invitations/accept', {
      body: { token: tokenIn(invited.body.link), name: 'Grace', password: PASSWORD },
    })
    const secret = /kalnet=([\w-]{43})/.exec(joined.headers['set-cookie']?.[0] ?? '')?.[1]
    const socket = new WebSocket(`ws://127.0.0.1:${port}${LIVE_PATH}`, {
      headers: { cookie: `kalnet=${secret}`, origin: `http://127.0.0.1:${port}` },
    })
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    await new Promise<void>((resolve, reject) => {
      socket.once('message', () => resolve())
      socket.once('error', reject)
      socket.once('open', () => socket.send(JSON.stringify({ type: 'hello', after: null })))
    })
    const { id } = (joined.body as { me: { id: string } }).me
    expect((await act(`/api/people/${id}`)).status).toBe(200)
    // Waiting longer than five seconds would end the test: that is the promise.
    await closed
  },
  8_000,
)
