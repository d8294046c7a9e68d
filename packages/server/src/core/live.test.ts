/** The live WebSocket and the one door for upgrades, with real sign-ins and real sockets. */
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { type EventType, LIVE_PATH, type LiveMessage } from '@kalnet/contracts/event'
import type { Role } from '@kalnet/contracts/permission'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { watchSignIns } from '../identity/watch.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { createLive, visible } from './live.ts'
import { sql } from './store.ts'

let server: TestServer
let person: Awaited<ReturnType<TestServer['person']>>
const stopping = new AbortController()
const log = createLog('test', 'silent')
beforeAll(async () => {
  server = await testServer()
  createLive({ http: server.http, events: server.events, log })
  server.http.upgrade('/api/raw', {
    origin: 'none',
    signIn: 'none',
    handle: (_request, socket) =>
      void socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nhello'),
  })
  watchSignIns({
    identity: server.identity,
    events: server.events,
    clock: systemClock,
    log,
    connected: server.http.connectedSignIns,
    cut: server.http.cut,
    signal: stopping.signal,
  })
  person = await server.person('member')
})
afterAll(async () => {
  stopping.abort()
  await server.end()
})

interface Line {
  socket: WebSocket
  heard: LiveMessage[]
  until(count: number): Promise<LiveMessage[]>
  closed: Promise<{ code: number; after: number }>
}
function open(secret: string, after: string | null = null, hello = true): Line {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${LIVE_PATH}`, {
    headers: { cookie: `kalnet=${secret}` },
    origin: server.origin,
  })
  const heard: LiveMessage[] = []
  const started = performance.now()
  socket.on('message', (data) => heard.push(JSON.parse(String(data)) as LiveMessage))
  if (hello) socket.once('open', () => socket.send(JSON.stringify({ type: 'hello', after })))
  const closed = new Promise<{ code: number; after: number }>((resolve) =>
    socket.once('close', (code) => resolve({ code, after: performance.now() - started })),
  )
  socket.on('error', () => undefined)
  return {
    socket,
    heard,
    closed,
    async until(count) {
      for (let waited = 0; heard.length < count && waited < 10_000; waited += 10) await pause(10)
      return heard
    },
  }
}
const publish = (
  userId: string | null,
  organisationId = person.organisationId,
  id = '01920000-0000-7000-8000-000000000001',
) =>
  server.store.system.transaction((tx) =>
    server.events.publish(tx, 'session.removed', { organisationId, userId }, { id }),
  )

describe('[DSH-3.live] live updates', () => {
  it('ready with a cursor, then what is his and nothing else', async () => {
    const line = open(person.secret)
    await line.until(1)
    const stranger = await server.person('owner')
    await publish(stranger.userId, stranger.organisationId, '01920000-0000-7000-8000-00000000000e')
    await publish(
      '01920000-0000-7000-8000-0000000000aa',
      person.organisationId,
      '01920000-0000-7000-8000-00000000000f',
    )
    await publish(person.userId)
    const heard = await line.until(2)
    expect(heard.map((one) => one.type)).toEqual(['ready', 'event'])
    expect(heard[1]).toMatchObject({
      event: 'session.removed',
      data: { id: '01920000-0000-7000-8000-000000000001' },
    })
    line.socket.close()
  })
  it('goes on from a cursor without a loss, and says when it cannot', async () => {
    const first = open(person.secret)
    await first.until(1)
    await publish(person.userId)
    const cursor = (await first.until(2))[1]
    first.socket.terminate()
    for (const n of [1, 2, 3])
      await publish(person.userId, person.organisationId, `01920000-0000-7000-8000-00000000000${n}`)
    const second = open(person.secret, cursor && 'cursor' in cursor ? cursor.cursor : '')
    expect((await second.until(4)).map((one) => one.type)).toEqual(['ready', 'event', 'event', 'event'])
    second.socket.close()
    const third = open(person.secret, 'feed.1.1')
    expect((await third.until(2)).map((one) => one.type)).toContain('gap')
    third.socket.close()
  })
  it.each([
    ['no JSON', 'what'],
    ['another message', '{"type":"event"}'],
    ['an unknown key', '{"type":"hello","after":null,"x":1}'],
  ])('%s instead of the hello: closed', async (_, text) => {
    const line = open(person.secret, null, false)
    line.socket.once('open', () => line.socket.send(text))
    expect((await line.closed).code).toBe(4400)
  })
  it('a message that is too large closes it', async () => {
    const line = open(person.secret, null, false)
    line.socket.once('open', () => line.socket.send('x'.repeat(10_000)))
    expect((await line.closed).code).toBe(1009)
  })
  it('a reader that does not read is closed, and the server keeps little for it', async () => {
    const line = open(person.secret)
    await line.until(1)
    line.socket.pause()
    await server.store.system.transaction((tx) =>
      sql`insert into events (type, organisation_id, user_id, at, data)
        select 'session.removed', ${person.organisationId}, ${person.userId}, now(), jsonb_build_object('id', repeat('x', 20000))
        from generate_series(1, 1500)`.execute(tx),
    )
    for (
      let waited = 0;
      server.http.connectedSignIns().includes(person.signInId) && waited < 10_000;
      waited += 20
    )
      await pause(20)
    expect(server.http.connectedSignIns()).not.toContain(person.signInId)
    line.socket.terminate()
  })
})

describe('[STR-1.revoked] what a sign-in holds open ends with it', () => {
  it('signing out cuts it', async () => {
    const leaver = await server.person('member')
    const line = open(leaver.secret)
    await line.until(1)
    await server.ask('POST', '/api/sign-out', { as: leaver.secret, body: {} })
    expect((await line.closed).after).toBeLessThan(5_000)
  })
  it('also when the row vanished without an event', async () => {
    const leaver = await server.person('member')
    const line = open(leaver.secret)
    await line.until(1)
    await server.store.system.transaction((tx) =>
      sql`delete from sign_ins where id = ${leaver.signInId}`.execute(tx),
    )
    await line.closed
    expect(server.http.connectedSignIns()).not.toContain(leaver.signInId)
  })
})

const upgrade = (path: string, headers: Record<string, string>): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(server.port, '127.0.0.1')
    let back = ''
    socket.on('data', (piece) => {
      back += piece
    })
    socket.on('error', () => undefined)
    socket.once('close', () => resolve(back))
    const all = {
      host: `127.0.0.1:${server.port}`,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      ...headers,
    }
    socket.write(
      `GET ${path} HTTP/1.1\r\n${Object.entries(all)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}\r\n`,
    )
  })

describe('[SEC-7.upgrades] the door for upgrades', () => {
  it.each<[string, string, () => Record<string, string>, string]>([
    ['an unknown address', '/api/nothing', () => ({ origin: server.origin }), 'route.unknown'],
    [
      'another site',
      LIVE_PATH,
      () => ({ origin: 'https://evil.example', cookie: `kalnet=${person.secret}` }),
      'origin.foreign',
    ],
    [
      'no Origin where browsers come',
      LIVE_PATH,
      () => ({ cookie: `kalnet=${person.secret}` }),
      'origin.foreign',
    ],
    [
      'a rebound name',
      LIVE_PATH,
      () => ({ host: 'evil.example', origin: 'http://evil.example', cookie: `kalnet=${person.secret}` }),
      'origin.foreign',
    ],
    ['nobody', LIVE_PATH, () => ({ origin: server.origin }), 'sign-in.required'],
    [
      'an ended sign-in',
      LIVE_PATH,
      () => ({ origin: server.origin, cookie: `kalnet=${'A'.repeat(43)}` }),
      'sign-in.required',
    ],
    ['a browser where programs come', '/api/raw', () => ({ origin: server.origin }), 'origin.foreign'],
  ])('%s', async (_, path, headers, code) => {
    const back = await upgrade(path, headers())
    expect(back).toContain(code)
    expect(back).not.toContain('101')
  })
  it('programs are handed the raw socket', async () => {
    expect(await upgrade('/api/raw', { upgrade: 'x' })).toContain('hello')
  })
})

describe('[DSH-3.live] who may see which event', () => {
  const HOME = '01920000-0000-7000-8000-00000000000a'
  const ME = '01920000-0000-7000-8000-000000000001'
  const OTHER = '01920000-0000-7000-8000-000000000002'
  const actor = (role: Role) => ({
    kind: 'user' as const,
    userId: ME,
    organisationId: HOME,
    role,
    scopes: null,
  })
  it.each<[EventType, string | null, string | null, Role[]]>([
    ['session.changed', HOME, ME, ['owner', 'admin', 'member', 'child', 'guest']],
    ['session.changed', HOME, OTHER, ['owner', 'admin']],
    ['session.changed', 'elsewhere', ME, []],
    ['controller.changed', HOME, null, ['owner', 'admin']],
    ['controller.changed', null, null, ['owner', 'admin']],
    ['user.changed', HOME, ME, ['owner', 'admin', 'member', 'child', 'guest']],
    ['user.changed', HOME, OTHER, []],
    ['organisation.claimed', HOME, null, ['owner', 'admin', 'member', 'child', 'guest']],
    ['sign-in.ended', HOME, ME, []],
  ])('%s of %s, %s: %s', (type, organisationId, userId, roles) => {
    const all: Role[] = ['owner', 'admin', 'member', 'child', 'guest']
    expect(all.filter((role) => visible(actor(role), { type, organisationId, userId }))).toEqual(roles)
  })
})
