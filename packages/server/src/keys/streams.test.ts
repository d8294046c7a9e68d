/** A screen opened by a key: its ticket is the key's own, its stream ends with the key. The controller is played by the test. */

import { randomUUID } from 'node:crypto'
import { fail } from '@kalnet/contracts/errors'
import { SCOPES } from '@kalnet/contracts/permission'
import { STREAM_CLOSE, STREAM_PATH, STREAM_PROTOCOL, TICKET_PREFIX } from '@kalnet/contracts/stream'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { dialRaw } from '@kalnet/wire/raw'
import { until } from '@kalnet/wire/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { watchSignIns } from '../identity/watch.ts'
import { createStreams, type Streams } from '../streams/streams.ts'
import { createTunnels } from '../streams/tunnels.ts'
import { type Rows, rowsOf } from '../testing/rows.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { hashOfSecret } from './secret.ts'

const log = createLog('test', 'silent')
const SECRET = 's'.repeat(43)
const stopping = new AbortController()
let server: TestServer
let rows: Rows
let streams: Streams
let owner: Awaited<ReturnType<TestServer['person']>>
let sessionId: string
const asked: { streamId: string; token: string }[] = []

beforeAll(async () => {
  server = await testServer({ doors: true, listen: false })
  rows = await rowsOf(server.url)
  owner = await server.person('owner')
  const whose = { organisation_id: owner.organisationId, user_id: owner.userId }
  const instance = await rows.add('instances', { organisation_id: owner.organisationId })
  sessionId = String((await rows.add('sessions', { ...whose, instance_id: instance.id })).id)
  streams = createStreams({
    store: server.store,
    http: server.http,
    clock: systemClock,
    log,
    tunnels: createTunnels({
      http: server.http,
      clock: systemClock,
      openOnController: (_, request) => asked.push(request) > 0,
    }),
    async locate(id, actor) {
      if (id !== sessionId || actor.userId !== owner.userId) throw fail('thing.unknown', { kind: 'session' })
      const { organisationId, userId } = actor
      return {
        controllerId: randomUUID(),
        instanceId: String(instance.id),
        sessionId,
        organisationId,
        userId,
      }
    },
    onFirstByte: () => undefined,
  })
  server.http.add(streams.routes)
  await server.http.listen()
  watchSignIns({
    identity: server.doors,
    events: server.events,
    clock: systemClock,
    log,
    connected: server.http.connectedSignIns,
    cut(id) {
      streams.cutSignIn(id)
      server.http.cut(id)
    },
    signal: stopping.signal,
  })
})
afterAll(async () => {
  stopping.abort()
  await rows.end()
  await server.end()
})

async function keyOf(scopes: readonly string[] = SCOPES) {
  const publicId = randomUUID().replaceAll('-', '').slice(0, 12)
  const row = await rows.add('service_keys', {
    organisation_id: owner.organisationId,
    user_id: owner.userId,
    public_id: publicId,
    scopes,
    secret_hash: hashOfSecret(SECRET),
  })
  return { id: String(row.id), headers: { authorization: `Bearer kal_${publicId}_${SECRET}` } }
}
const ticketOf = async (headers: Record<string, string>) => {
  const answer = await server.ask('POST', `/api/sessions/${sessionId}/tickets`, { headers, body: {} })
  return { status: answer.status, ticket: String(answer.body.ticket) }
}
/** The status of the refusal, or the socket. */
function view(ticket: string, headers: Record<string, string>): Promise<number | WebSocket> {
  return new Promise((resolve) => {
    const socket = new WebSocket(
      `ws://127.0.0.1:${server.port}${STREAM_PATH}`,
      [STREAM_PROTOCOL, `${TICKET_PREFIX}${ticket}`],
      { headers },
    )
    socket.on('open', () => resolve(socket))
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))
    socket.on('error', () => undefined)
  })
}

describe('[IDN-4.key-cut] a screen opened by a key', () => {
  it('shows its bytes, and is closed with the reason when the key is revoked', async () => {
    const key = await keyOf()
    const { ticket } = await ticketOf(key.headers)
    const socket = await view(ticket, key.headers)
    if (typeof socket === 'number') throw new Error(`refused with ${socket}`)
    const got: string[] = []
    let closed = 0
    socket.on('message', (data) => got.push(String(data)))
    socket.on('close', (code) => {
      closed = code
    })
    await until(() => asked.length === 1, 'the question to the controller')
    const raw = await dialRaw({
      url: server.origin,
      token: asked[0]?.token ?? '',
      signal: new AbortController().signal,
    })
    raw.on('error', () => undefined)
    raw.write('RFB 003.008\n')
    await until(() => got.join('') === 'RFB 003.008\n', 'the banner')
    await server.ask('DELETE', `/api/me/keys/${key.id}`, { as: owner.secret })
    await until(() => closed !== 0, 'the close')
    expect(closed).toBe(STREAM_CLOSE.revoked)
    expect(streams.count()).toBe(0)
  })
  it('a ticket is worth something only with the key that asked for it', async () => {
    const [one, other] = [await keyOf(), await keyOf()]
    const { ticket } = await ticketOf(one.headers)
    expect(await view(ticket, other.headers)).toBe(403)
    expect(await view(ticket, { cookie: `kalnet=${owner.secret}`, origin: server.origin })).toBe(403)
    expect(await view(ticket, {})).toBe(403)
    const socket = await view(ticket, one.headers)
    if (typeof socket === 'number') throw new Error(`refused with ${socket}`)
    socket.terminate()
  })
  it('a key that may not look at screens gets no ticket', async () => {
    const key = await keyOf(SCOPES.filter((it) => it !== 'stream.open'))
    expect((await ticketOf(key.headers)).status).toBe(403)
  })
})
