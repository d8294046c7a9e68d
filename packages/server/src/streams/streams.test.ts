/** Tickets, connect and dial through the real pipeline with real sign-ins; the controller is played by the test. */
import { connect as netConnect } from 'node:net'
import type { Duplex } from 'node:stream'
import { fail } from '@kalnet/contracts/errors'
import {
  DIAL_PATH,
  STREAM_CLOSE,
  STREAM_PATH,
  STREAM_PROTOCOL,
  TICKET_PREFIX,
} from '@kalnet/contracts/stream'
import { createLog } from '@kalnet/io/log'
import { dialRaw } from '@kalnet/wire/raw'
import { createManualClock, until } from '@kalnet/wire/testing'
import { v7 as newId } from 'uuid'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { sql } from '../core/store.ts'
import { hashOf, newSecret } from '../identity/cookie.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { createStreams, type Streams } from './streams.ts'
import { createTunnels, type Tunnels } from './tunnels.ts'

type Person = Awaited<ReturnType<TestServer['person']>>
interface Opened {
  controllerId: string
  streamId: string
  instanceId: string
  port: string
  token: string
}

const clock = createManualClock()
const controllerId = newId()
const instanceId = newId()
const sessionId = newId()
const opened: Opened[] = []
const firstBytes: string[] = []
let online = true
let running = true
let server: TestServer
let streams: Streams
let tunnels: Tunnels
let owner: Person
const closers: (() => void)[] = []

async function addSession(person: Person): Promise<void> {
  const { organisationId, userId } = person
  await server.store.system.transaction(async (tx) => {
    await sql`insert into controllers (id, organisation_id, name, public_key, created_at)
      values (${controllerId}, null, 'box', 'key', now())`.execute(tx)
    await sql`insert into instances (id, organisation_id, controller_id, platform, generation, desired_state, spec)
      values (${instanceId}, ${organisationId}, ${controllerId}, 'fake', 1, 'running', '{}')`.execute(tx)
    await sql`insert into sessions (id, organisation_id, user_id, instance_id, name, template_id, template_name, state,
      accepted_at, created_at) values (${sessionId}, ${organisationId}, ${userId}, ${instanceId}, 'Terminal', 'terminal',
      'Terminal', 'running', now(), now())`.execute(tx)
  })
}

beforeAll(async () => {
  server = await testServer({ listen: false })
  owner = await server.person('owner')
  await addSession(owner)
  tunnels = createTunnels({
    http: server.http,
    clock,
    openOnController(id, request) {
      if (online) opened.push({ controllerId: id, ...request })
      return online
    },
  })
  streams = createStreams({
    store: server.store,
    http: server.http,
    clock,
    log: createLog('test', 'silent'),
    tunnels,
    async locate(id, actor) {
      if (id !== sessionId || actor.userId !== owner.userId) throw fail('thing.unknown', { kind: 'session' })
      if (!running) throw fail('session.state', { state: 'stopped' })
      return {
        controllerId,
        instanceId,
        sessionId,
        organisationId: actor.organisationId,
        userId: actor.userId,
      }
    },
    onFirstByte: (id) => void firstBytes.push(id),
  })
  server.http.add(streams.routes)
  await server.http.listen()
})
afterAll(() => server.end())
afterEach(async () => {
  for (const close of closers.splice(0)) close()
  await until(() => streams.count() === 0, 'no stream is left over')
  opened.length = 0
  firstBytes.length = 0
  online = true
  running = true
})

const askTicket = (as: string, body: object = {}) =>
  server.ask('POST', `/api/sessions/${sessionId}/tickets`, { as, body, headers: { origin: server.origin } })
async function ticketOf(person: Person): Promise<string> {
  const answer = await askTicket(person.secret)
  expect(answer.status).toBe(200)
  return String(answer.body.ticket)
}

interface ViewOptions {
  as?: string | undefined
  origin?: string
  protocols?: string[]
}
/** A browser's viewer: open, or refused with a status. */
function view(ticket: string, { as = owner.secret, origin = server.origin, protocols }: ViewOptions = {}) {
  const socket = new WebSocket(
    `ws://127.0.0.1:${server.port}${STREAM_PATH}`,
    protocols ?? [STREAM_PROTOCOL, `${TICKET_PREFIX}${ticket}`],
    { origin, headers: as ? { cookie: `kalnet=${as}` } : {} },
  )
  closers.push(() => socket.terminate())
  const got: Buffer[] = []
  const it = {
    socket,
    open: false,
    status: 0,
    body: '',
    closed: null as { code: number; reason: string } | null,
  }
  socket.on('open', () => {
    it.open = true
  })
  socket.on('unexpected-response', (request, response) => {
    it.status = response.statusCode ?? 0
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      it.body += text
    })
    request.on('error', () => undefined)
  })
  socket.on('message', (data: Buffer) => got.push(data))
  socket.on('close', (code, reason) => {
    it.closed = { code, reason: reason.toString() }
  })
  socket.on('error', () => undefined)
  return { ...it, state: it, text: () => Buffer.concat(got).toString() }
}
const refusedWith = async (viewer: ReturnType<typeof view>, status: number, code: string) => {
  await until(() => viewer.state.status !== 0 && viewer.state.body.endsWith('}'), 'the refusal')
  expect(viewer.state.status).toBe(status)
  expect(JSON.parse(viewer.state.body)).toMatchObject({ error: { code } })
  expect(viewer.state.open).toBe(false)
  expect(streams.count()).toBe(0)
}
const dialBack = async (request: Opened): Promise<Duplex> => {
  const raw = await dialRaw({
    url: server.origin,
    token: request.token,
    signal: new AbortController().signal,
  })
  closers.push(() => raw.destroy())
  raw.on('error', () => undefined)
  return raw
}
/** A viewer with its screen, joined. */
async function joined() {
  const viewer = view(await ticketOf(owner))
  await until(() => opened.length === 1, 'stream.open')
  const raw = await dialBack(opened[0]!)
  raw.write('RFB 003.008\n')
  await until(() => viewer.text() === 'RFB 003.008\n', 'the banner')
  return { viewer, raw, request: opened[0]! }
}

describe('streams', () => {
  it('[STR-1.ticket] a ticket opens the screen, bytes pass both ways, the first byte is told once', async () => {
    const { viewer, raw, request } = await joined()
    expect(request).toMatchObject({ controllerId, instanceId, port: 'display' })
    const back: Buffer[] = []
    raw.on('data', (chunk: Buffer) => back.push(chunk))
    viewer.socket.send(Buffer.from('key'))
    raw.write(' and more')
    await until(() => Buffer.concat(back).toString() === 'key', 'the key')
    await until(() => viewer.text().endsWith('and more'), 'more')
    expect(firstBytes).toEqual([sessionId])
    expect(viewer.socket.protocol).toBe(STREAM_PROTOCOL)
  })

  it('[STR-1.ticket] it is kept as a hash only and works once, of two that come at once for one', async () => {
    const ticket = await ticketOf(owner)
    const { rows } = await server.store.system.read((tx) =>
      sql<{ row: string }>`select t::text as row from tickets t`.execute(tx),
    )
    expect(rows.length).toBeGreaterThan(0)
    for (const { row } of rows) expect(row).not.toContain(ticket)
    const both = [view(ticket), view(ticket)]
    await until(() => both.every((it) => it.state.open || it.state.status > 0), 'both answers')
    expect(both.filter((it) => it.state.open)).toHaveLength(1)
    expect(both.filter((it) => it.state.status === 403)).toHaveLength(1)
    for (const it of both) it.socket.terminate()
    await until(() => streams.count() === 0, 'gone')
    await refusedWith(view(ticket), 403, 'ticket.invalid')
  })

  it('[STR-1.ticket] it is worth nothing after 30 s', async () => {
    const ticket = await ticketOf(owner)
    await clock.pass(30_000)
    await refusedWith(view(ticket), 403, 'ticket.invalid')
  })

  it('[STR-1.ticket] another sign-in of the same person, and another person, cannot use it; then its owner still can', async () => {
    const ticket = await ticketOf(owner)
    const stranger = await server.person('owner')
    const housemate = await server.person('owner', owner.organisationId)
    await refusedWith(view(ticket, { as: stranger.secret }), 403, 'ticket.invalid')
    await refusedWith(view(ticket, { as: housemate.secret }), 403, 'ticket.invalid')
    const second = newSecret()
    await server.store.system.transaction((tx) =>
      sql`insert into sign_ins (hash, organisation_id, user_id, created_at, last_seen_at, expires_at)
        values (${hashOf(second)}, ${owner.organisationId}, ${owner.userId}, now(), now(), now() + interval '1 day')`.execute(
        tx,
      ),
    )
    await refusedWith(view(ticket, { as: second }), 403, 'ticket.invalid')
    const own = view(ticket)
    await until(() => own.state.open, 'the owner opens it')
  })

  it.each([
    ['a foreign origin', { origin: 'https://elsewhere.example' }, 403, 'origin.foreign'],
    ['no sign-in', { as: '' }, 401, 'sign-in.required'],
    ['no ticket', { protocols: [STREAM_PROTOCOL] }, 403, 'ticket.invalid'],
    [
      'an invented ticket',
      { protocols: [STREAM_PROTOCOL, `${TICKET_PREFIX}${'x'.repeat(43)}`] },
      403,
      'ticket.invalid',
    ],
  ])('[STR-1.connect] %s is refused', async (_name, options, status, code) => {
    const ticket = await ticketOf(owner)
    await refusedWith(view(ticket, options), status, code)
  })

  it('[STR-1.connect] what was allowed when the ticket was made is asked again', async () => {
    const ticket = await ticketOf(owner)
    running = false
    await refusedWith(view(ticket), 409, 'session.state')
    expect((await askTicket(owner.secret)).body.error?.code).toBe('session.state')
  })

  it('[STR-1.connect] nobody gets a ticket for somebody else’s screen, or for a port with a strange name', async () => {
    const housemate = await server.person('owner', owner.organisationId)
    expect((await askTicket(housemate.secret)).status).toBe(404)
    expect((await askTicket(owner.secret, { port: '../x' })).status).toBe(400)
  })

  it('[CTL-8.dial] a dial token opens one stream once, an invented one none', async () => {
    const { request } = await joined()
    await expect(dialBack(request)).rejects.toMatchObject({ code: 'stream.unreachable' })
    await expect(dialBack({ ...request, token: 'y'.repeat(43) })).rejects.toMatchObject({
      code: 'stream.unreachable',
    })
  })

  it('[CTL-8.dial] a browser cannot dial: an Origin is refused', async () => {
    const socket = netConnect(server.port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
    })
    socket.write(
      `GET ${DIAL_PATH} HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nconnection: upgrade\r\nupgrade: kalnet-raw\r\n` +
        `origin: ${server.origin}\r\nauthorization: Bearer ${'a'.repeat(43)}\r\n\r\n`,
    )
    await new Promise((resolve) => socket.once('close', resolve))
    expect(text).toContain('origin.foreign')
  })

  const unreachable = [
    ['the controller is not connected', 'offline', 'not connected'],
    ['it says that it failed', 'failed', 'the display does not answer'],
    ['it does not dial back in 10 s', 'silent', 'did not answer'],
  ]
  it.each(unreachable)('[STR-1.unreachable] when %s the viewer is told', async (_name, how, reason) => {
    online = how !== 'offline'
    const viewer = view(await ticketOf(owner))
    if (how !== 'offline') await until(() => opened.length === 1, 'stream.open')
    if (how === 'failed') tunnels.failed(opened[0]!.streamId, 'the display does not answer')
    if (how === 'silent') await clock.pass(10_000)
    await until(() => viewer.state.closed !== null, 'the close')
    expect(viewer.state.closed?.code).toBe(STREAM_CLOSE.unreachable)
    expect(viewer.state.closed?.reason).toContain(reason)
    if (how !== 'offline')
      await expect(dialBack(opened[0]!)).rejects.toMatchObject({ code: 'stream.unreachable' })
  })

  it.each([
    ['its sign-in ends', () => streams.cutSignIn(owner.signInId), STREAM_CLOSE.revoked],
    ['its instance ends', () => streams.cutInstance(instanceId), STREAM_CLOSE.ended],
    ['the control plane stops', () => streams.close(), STREAM_CLOSE.restarting],
  ])('[STR-1.cut] when %s nothing more passes, and the viewer is told why', async (_name, cut, code) => {
    const { viewer, raw } = await joined()
    const got: string[] = []
    raw.on('data', (chunk) => got.push(String(chunk)))
    const ended = new Promise((resolve) => raw.once('close', resolve))
    cut()
    viewer.socket.send(Buffer.from('too late'))
    raw.write('too late')
    await ended
    await until(() => viewer.state.closed !== null, 'the close')
    expect(viewer.state.closed?.code).toBe(code)
    expect(viewer.text()).toBe('RFB 003.008\n')
    expect(got).toEqual([])
  })

  it('[GOV-1.access] who opened a screen, how long, and who was refused is on record', async () => {
    const rows = async (past = 3) =>
      (
        await server.store.system.read((tx) =>
          sql<{
            action: string
            outcome: string
            user_id: string
            details: { port?: string; durationMs?: number }
          }>`
            select action, outcome, user_id, details from audit where object = ${sessionId} or outcome = 'ticket.invalid'
            order by seq desc limit ${past}`.execute(tx),
        )
      ).rows
    // Ends are written after the fact: those of the tests before this one may still be on their way.
    const open = async () =>
      (await rows(1_000)).reduce(
        (sum, { action, outcome }) =>
          sum + (action === 'stream.closed' ? -1 : action === 'stream.opened' && outcome === 'done' ? 1 : 0),
        0,
      )
    await expect.poll(open).toBe(0)
    const { viewer } = await joined()
    viewer.socket.terminate()
    await until(() => streams.count() === 0, 'closed')
    let found = await rows()
    for (let tries = 0; found[0]?.action !== 'stream.closed' && tries < 500; tries++) found = await rows()
    expect(found.map((row) => row.action)).toEqual(['stream.closed', 'stream.opened', 'stream.ticket-issued'])
    expect(found[0]).toMatchObject({ user_id: owner.userId, outcome: 'done', details: { port: 'display' } })
    expect(found[0]?.details.durationMs).toBeGreaterThanOrEqual(0)
    await refusedWith(view('x'.repeat(43)), 403, 'ticket.invalid')
    for (let tries = 0; found[0]?.outcome !== 'ticket.invalid' && tries < 500; tries++) found = await rows()
    expect(found[0]).toMatchObject({
      action: 'stream.opened',
      outcome: 'ticket.invalid',
      user_id: owner.userId,
    })
  })

  it('[STR-1.cut] what is about somebody else is left alone', async () => {
    const { viewer } = await joined()
    streams.cutSignIn('another')
    streams.cutInstance(newId())
    tunnels.failed(newId(), 'another')
    expect(streams.count()).toBe(1)
    expect(viewer.state.closed).toBeNull()
  })

  it('[STR-1.unreachable] a viewer that leaves before its screen came leaves nothing behind', async () => {
    const viewer = view(await ticketOf(owner))
    await until(() => opened.length === 1, 'stream.open')
    viewer.socket.terminate()
    await until(() => streams.count() === 0, 'forgotten')
    await expect(dialBack(opened[0]!)).rejects.toMatchObject({ code: 'stream.unreachable' })
  })
})
