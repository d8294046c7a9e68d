/** Who is signed out is out everywhere within five seconds: HTTP, live WebSocket, screens; on the other server too. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { LIVE_PATH } from '@kalnet/contracts/event'
import { STREAM_CLOSE, STREAM_PATH, STREAM_PROTOCOL, TICKET_PREFIX } from '@kalnet/contracts/stream'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { dialRaw } from '@kalnet/wire/raw'
import pg from 'pg'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createLive } from './core/live.ts'
import { sql } from './core/store.ts'
import { testDatabase } from './core/testing.ts'
import { hashOf } from './identity/cookie.ts'
import { watchSignIns } from './identity/watch.ts'
import { createServer } from './server.ts'
import { createStreams } from './streams/streams.ts'
import { createTunnels } from './streams/tunnels.ts'
import { secretOf } from './testing/door.ts'
import { askAt, freePort, type TestServer, testServer } from './testing/server.ts'

const log = createLog('test', 'silent')
const within = { timeout: 5_000, interval: 50 }

/** A line that is open, and how it ended. */
async function openLine(port: number, path: string, secret: string, protocols: string[] = []) {
  const origin = `http://127.0.0.1:${port}`
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, {
    origin,
    headers: { cookie: `kalnet=${secret}` },
  })
  const line = { socket, closed: null as number | null }
  socket.on('error', () => undefined)
  socket.on('close', (code) => {
    line.closed = code
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('unexpected-response', () => reject(new Error('refused')))
  })
  return line
}

describe('[IDN-1.revocation] two whole control planes on one database', () => {
  const PERSON = {
    name: 'Ada',
    email: 'ada@example.org',
    password: 'a lantern by the river',
    organisationName: 'Home',
  }
  let home: string
  let database: Awaited<ReturnType<typeof testDatabase>>
  const planes: { server: Awaited<ReturnType<typeof createServer>>; port: number }[] = []
  let owner = ''
  beforeAll(async () => {
    home = await mkdtemp('/tmp/kalnet-test-')
    database = await testDatabase({ migrated: false })
    for (const name of ['one', 'two']) {
      const port = await freePort()
      const folders = {
        data: join(home, name, 'data'),
        runtime: join(home, name, 'run'),
        config: join(home, 'config'),
      }
      const config = configSchema.parse({ listen: { port } })
      const server = await createServer({ config, folders, log, databaseUrl: database.url })
      await server.listen()
      planes.push({ server, port })
    }
    const socketPath = join(home, 'one', 'run', 'control.sock')
    const { body } = await askAt({ socketPath }, 'POST', '/api/local/claim-link')
    const token = new URL((body.link as { url: string }).url).hash.slice(1)
    owner = secretOf(
      await askAt({ port: planes[0]!.port }, 'POST', '/api/claim', { body: { ...PERSON, token } }),
    )
  })
  afterAll(async () => {
    for (const { server } of planes) await server.close()
    await database.drop()
    await rm(home, { recursive: true, force: true })
  })
  const [ONE, TWO] = [() => planes[0]!.port, () => planes[1]!.port]
  const signIn = async () => {
    const { email, password } = PERSON
    return secretOf(await askAt({ port: ONE() }, 'POST', '/api/sign-in', { body: { email, password } }))
  }
  const status = async (port: number, as: string) => (await askAt({ port }, 'GET', '/api/me', { as })).status

  it.each<[string, (victim: string) => Promise<unknown>]>([
    ['signing out', (victim) => askAt({ port: ONE() }, 'POST', '/api/sign-out', { as: victim, body: {} })],
    [
      'signing out on another device',
      async (victim) => {
        const { body } = await askAt({ port: ONE() }, 'GET', '/api/sign-ins', { as: victim })
        const { id } = (body.items as { id: string; current: boolean }[]).find((it) => it.current)!
        return askAt({ port: ONE() }, 'DELETE', `/api/sign-ins/${id}`, { as: owner })
      },
    ],
    [
      'signing out all the others',
      () => askAt({ port: ONE() }, 'POST', '/api/sign-ins/end-others', { as: owner, body: {} }),
    ],
    [
      'running out of time',
      async (victim) => {
        const hash = hashOf(victim)
        const client = new pg.Client({ connectionString: database.url })
        await client.connect()
        await client.query('set role kalnet_system')
        await client.query("update sign_ins set idle_until = now() - interval '1 second' where hash = $1", [
          hash,
        ])
        await client.end()
      },
    ],
  ])('%s at one server: out at both', async (_, end) => {
    const victim = await signIn()
    const lines = [await openLine(ONE(), LIVE_PATH, victim), await openLine(TWO(), LIVE_PATH, victim)]
    const stays = await openLine(TWO(), LIVE_PATH, owner)
    expect([await status(ONE(), victim), await status(TWO(), victim)]).toEqual([200, 200])
    await end(victim)
    expect([await status(ONE(), victim), await status(TWO(), victim)]).toEqual([401, 401])
    await expect.poll(() => lines.map((it) => it.closed !== null), within).toEqual([true, true])
    expect([stays.closed, await status(TWO(), owner)]).toEqual([null, 200])
    stays.socket.terminate()
  })
  it('[IDN-1.policy] a policy that demands more cuts what is open at both, and comes back when it is proved', async () => {
    const victim = await signIn()
    const lines = [await openLine(ONE(), LIVE_PATH, victim), await openLine(TWO(), LIVE_PATH, victim)]
    const set = (as: string, assurance: number) =>
      askAt({ port: ONE() }, 'PUT', '/api/sign-in-policies/owner', {
        as,
        body: { assurance, idleMs: 86_400_000, absoluteMs: 604_800_000 },
      })
    expect((await set(victim, 2)).status).toBe(200)
    await expect.poll(() => lines.map((it) => it.closed !== null), within).toEqual([true, true])
    await expect(openLine(TWO(), LIVE_PATH, victim)).rejects.toThrow('refused')
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query('set role kalnet_system')
    await client.query('delete from sign_in_policies')
    await client.end()
    const back = await openLine(TWO(), LIVE_PATH, victim)
    back.socket.terminate()
  })
  it('a renewed secret is dead at both, and the line stays open', async () => {
    const victim = await signIn()
    const line = await openLine(TWO(), LIVE_PATH, victim)
    const proof = { method: 'password', password: PERSON.password }
    const fresh = secretOf(
      await askAt({ port: ONE() }, 'POST', '/api/sign-in/step-up', { as: victim, body: { proof } }),
    )
    expect([await status(TWO(), victim), await status(TWO(), fresh)]).toEqual([401, 200])
    expect(line.closed).toBeNull()
    await askAt({ port: ONE() }, 'POST', '/api/sign-out', { as: fresh, body: {} })
    await expect.poll(() => line.closed !== null, within).toBe(true)
  })
})

describe('[IDN-1.revocation] a screen that is open at the other server', () => {
  let one: TestServer
  let two: TestServer
  const stopping = new AbortController()
  const [controllerId, instanceId, sessionId] = [newId(), newId(), newId()]
  const opened: { token: string }[] = []
  beforeAll(async () => {
    one = await testServer()
    two = await testServer({ beside: one, listen: false })
    createLive({ http: two.http, events: two.events, log })
    const streams = createStreams({
      store: two.store,
      http: two.http,
      clock: systemClock,
      log,
      tunnels: createTunnels({
        http: two.http,
        clock: systemClock,
        openOnController: (_id, request) => opened.push(request) > 0,
      }),
      locate: async (_id, { organisationId, userId }) => ({
        controllerId,
        instanceId,
        sessionId,
        organisationId,
        userId,
      }),
      onFirstByte: () => undefined,
    })
    two.http.add(streams.routes)
    await two.http.listen()
    watchSignIns({
      identity: two.identity,
      events: two.events,
      clock: systemClock,
      log,
      connected: two.http.connectedSignIns,
      cut(signInId) {
        streams.cutSignIn(signInId)
        two.http.cut(signInId)
      },
      signal: stopping.signal,
    })
  })
  afterAll(async () => {
    stopping.abort()
    await two.end()
    await one.end()
  })
  it('goes dark, and the viewer hears why', async () => {
    const { userId, organisationId, secret } = await one.person('member')
    await one.store.system.transaction(async (tx) => {
      await sql`insert into controllers (id, organisation_id, name, public_key, created_at)
        values (${controllerId}, null, 'box', 'key', now())`.execute(tx)
      await sql`insert into instances (id, organisation_id, controller_id, platform, generation, desired_state, spec)
        values (${instanceId}, ${organisationId}, ${controllerId}, 'fake', 1, 'running', '{}')`.execute(tx)
      await sql`insert into sessions (id, organisation_id, user_id, instance_id, name, template_id, template_name, state,
        accepted_at, created_at) values (${sessionId}, ${organisationId}, ${userId}, ${instanceId}, 'Terminal', 'terminal',
        'Terminal', 'running', now(), now())`.execute(tx)
    })
    const { body } = await two.ask('POST', `/api/sessions/${sessionId}/tickets`, { as: secret, body: {} })
    const protocols = [STREAM_PROTOCOL, `${TICKET_PREFIX}${String(body.ticket)}`]
    const viewer = await openLine(two.port, STREAM_PATH, secret, protocols)
    await expect.poll(() => opened.length, within).toBe(1)
    const raw = await dialRaw({ url: two.origin, token: opened[0]!.token, signal: stopping.signal })
    raw.on('error', () => undefined)
    let banner = ''
    viewer.socket.on('message', (piece: Buffer) => {
      banner += piece.toString()
    })
    raw.write('RFB 003.008\n')
    await expect.poll(() => banner, within).toBe('RFB 003.008\n')
    await one.ask('POST', '/api/sign-ins/end-all', { as: secret, body: {} })
    await expect.poll(() => viewer.closed, within).toBe(STREAM_CLOSE.revoked)
    await expect.poll(() => raw.destroyed || raw.readableEnded, within).toBe(true)
  })
})
