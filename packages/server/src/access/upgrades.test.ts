/** Every WebSocket and raw door × every asker, through the real upgrade handler; and every kind of event × who may hear it. */
import { request } from 'node:http'
import { LINK_PATH } from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import { EVENTS, type EventType, LIVE_PATH } from '@kalnet/contracts/event'
import { GATEWAY_TUNNEL_PATH } from '@kalnet/contracts/gateway-joined'
import { type Actor, type Permission, type Role, SCOPES, UNPROVED } from '@kalnet/contracts/permission'
import { DIAL_PATH, STREAM_PATH, STREAM_PROTOCOL, TICKET_PREFIX } from '@kalnet/contracts/stream'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createControllers } from '../controllers/controllers.ts'
import { createHub } from '../controllers/hub.ts'
import { createLive, visible } from '../core/live.ts'
import { openTunnelDoor } from '../gateway/joined/tunnel-door.ts'
import { hashOfSecret } from '../keys/secret.ts'
import { createStreams } from '../streams/streams.ts'
import { createTunnels } from '../streams/tunnels.ts'
import { type Rows, rowsOf } from '../testing/rows.ts'
import { type TestServer, testServer } from '../testing/server.ts'

const roles: readonly Role[] = ['owner', 'admin', 'member', 'child', 'guest']
const log = createLog('test', 'silent')

describe('[SEC-2.matrix] every door for connections × every asker', () => {
  let server: TestServer
  let rows: Rows
  let hub: ReturnType<typeof createHub>
  const headers = new Map<string, Record<string, string>>()
  let made = 0
  const secret = 's'.repeat(43)

  async function key(whose: { organisationId: string; userId: string }, given: object) {
    made += 1
    const publicId = `${made}`.padStart(12, 'k')
    await rows.add('service_keys', {
      organisation_id: whose.organisationId,
      user_id: whose.userId,
      public_id: publicId,
      secret_hash: hashOfSecret(secret),
      ...given,
    })
    return { authorization: `Bearer kal_${publicId}_${secret}` }
  }
  beforeAll(async () => {
    server = await testServer({ listen: false })
    rows = await rowsOf(server.url)
    createLive({ http: server.http, events: server.events, log })
    createStreams({
      store: server.store,
      http: server.http,
      clock: systemClock,
      log,
      tunnels: createTunnels({ http: server.http, clock: systemClock, openOnController: () => false }),
      locate: () => Promise.reject(fail('thing.unknown', { kind: 'session' })),
      onFirstByte: () => undefined,
    })
    hub = createHub({
      controllers: createControllers({ store: server.store, events: server.events, clock: systemClock }),
      clock: systemClock,
      log,
      allowUrl: () => true,
      desiredFor: async () => [],
      desiredOf: async () => null,
      observed: async () => undefined,
      reached: async () => undefined,
      streamFailed: () => undefined,
      linkDial: () => undefined,
      linksFor: async () => [],
      linksCalled: () => undefined,
      volumes: {
        leaving: async () => [],
        gone: async () => undefined,
        unmeasured: async () => [],
        measured: async () => undefined,
      },
    })
    server.http.upgrade(LINK_PATH, {
      origin: 'none',
      signIn: 'none',
      handle: (asked, socket, head) => void hub.accept(asked, socket, head),
    })
    openTunnelDoor({
      http: server.http,
      tunnels: { dial: () => Promise.reject(fail('stream.unreachable', { problem: 'no' })) },
      snapshotOf: () => ({ version: '', domain: '', routes: [], endpoints: [] }),
      log,
      signal: new AbortController().signal,
    })
    await server.http.listen()
    const owner = await server.person('owner')
    const { organisationId } = owner
    const cookie = (value: string) => ({ cookie: `kalnet=${value}` })
    headers.set('nobody', {})
    headers.set('owner', cookie(owner.secret))
    for (const role of roles.slice(1))
      headers.set(role, cookie((await server.person(role, organisationId)).secret))
    headers.set('owner of another organisation', cookie((await server.person('owner')).secret))
    headers.set('key with every scope', await key(owner, { scopes: SCOPES }))
    const narrow = SCOPES.filter(
      (it) => it !== 'event.read' && it !== 'stream.open' && it !== 'gateway.serve',
    )
    headers.set('key without the scope', await key(owner, { scopes: narrow }))
    headers.set('invented key', { authorization: `Bearer kal_inventedkey1_${secret}` })
    headers.set('expired key', await key(owner, { scopes: SCOPES, expires_at: new Date(Date.now() - 1_000) }))
    const off = await server.person('owner', organisationId)
    headers.set('key of somebody switched off', await key(off, { scopes: SCOPES }))
    headers.set('somebody switched off', cookie(off.secret))
    await rows.client.query("update users set state = 'off' where id = $1", [off.userId])
    const ended = await server.person('owner', organisationId)
    await rows.client.query('delete from sign_ins where id = $1', [ended.signInId])
    headers.set('revoked sign-in', cookie(ended.secret))
    const demanding = await server.person('owner')
    await rows.add('sign_in_policies', {
      organisation_id: demanding.organisationId,
      role: 'owner',
      assurance: 2,
      idle_ms: 3600_000,
      absolute_ms: 3600_000,
    })
    headers.set('unproved sign-in', cookie(demanding.secret))
  })
  afterAll(async () => {
    hub.close()
    await rows.end()
    await server.end()
  })

  /** 'open', or the code of the refusal; a door that opens and then is shut without a word counts as its code. */
  function knock(path: string, more: Record<string, string>): Promise<string> {
    return new Promise((resolve) => {
      const call = request({
        host: '127.0.0.1',
        port: server.port,
        path,
        headers: {
          connection: 'Upgrade',
          upgrade: path === DIAL_PATH || path === GATEWAY_TUNNEL_PATH ? 'kalnet-raw' : 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
          ...more,
        },
      })
      call.on('upgrade', (_, socket) => {
        socket.destroy()
        resolve('open')
      })
      call.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => {
          text += piece
        })
        response.on('end', () => resolve(/"code":"([^"]+)"/.exec(text)?.[1] ?? String(response.statusCode)))
      })
      call.on('error', () => resolve('closed'))
      call.end()
    })
  }
  /** A stranger at the controllers' door who says something that is no proof: how it ends, and what it heard. */
  function linkAs(given: Record<string, string>): Promise<{ code: number; heard: string }> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}${LINK_PATH}`, { headers: given })
      let heard = ''
      socket.on('message', (data) => {
        heard += String(data)
        socket.send(JSON.stringify({ type: 'hello', controllerId: newId(), signature: 'none' }))
      })
      socket.on('open', () => socket.send(JSON.stringify({ type: 'hello' })))
      socket.on('close', (code) => resolve({ code, heard }))
      socket.on('error', reject)
    })
  }
  const asBrowser = (who: string) => {
    const given = headers.get(who) ?? {}
    return given.authorization ? given : { ...given, origin: server.origin }
  }
  const WHO: Record<string, string> = {
    nobody: 'sign-in.required',
    ...Object.fromEntries(roles.map((role) => [role, 'in'])),
    'owner of another organisation': 'in',
    'key with every scope': 'in',
    'key without the scope': 'permission.denied',
    'invented key': 'key.invalid',
    'expired key': 'key.invalid',
    'key of somebody switched off': 'key.invalid',
    'somebody switched off': 'sign-in.required',
    'revoked sign-in': 'sign-in.required',
    'unproved sign-in': 'sign-in.unproved',
  }
  it.each(Object.entries(WHO))('live, %s: %s', async (who, expected) => {
    expect(await knock(LIVE_PATH, asBrowser(who))).toBe(expected === 'in' ? 'open' : expected)
    expect(await knock(LIVE_PATH, { ...asBrowser(who), origin: 'https://elsewhere.example' })).toBe(
      'origin.foreign',
    )
  })
  it.each(Object.entries(WHO))('a screen with an invented ticket, %s: %s', async (who, expected) => {
    const protocol = { 'sec-websocket-protocol': `${STREAM_PROTOCOL}, ${TICKET_PREFIX}${'x'.repeat(43)}` }
    const answer = await knock(STREAM_PATH, { ...asBrowser(who), ...protocol })
    expect(answer).toBe(expected === 'in' ? 'ticket.invalid' : expected)
    expect(
      await knock(STREAM_PATH, { ...asBrowser(who), ...protocol, origin: 'https://elsewhere.example' }),
    ).toBe('origin.foreign')
  })
  it.each(Object.keys(WHO))('the doors of controllers know no people and no keys: %s', async (who) => {
    const given = headers.get(who) ?? {}
    expect(await knock(DIAL_PATH, { ...given, origin: server.origin })).toBe('origin.foreign')
    expect(await knock(LINK_PATH, { ...given, origin: server.origin })).toBe('origin.foreign')
    const dial = await knock(DIAL_PATH, {
      ...given,
      authorization: given.authorization ?? `Bearer ${'a'.repeat(43)}`,
    })
    expect(['ticket.invalid', 'closed', '400', 'request.invalid']).toContain(dial)
    const { code, heard } = await linkAs(given)
    expect(code).toBeGreaterThanOrEqual(4000)
    expect(heard).not.toMatch(/"type":"(desired|welcome)/)
  })
  it.each(Object.entries(WHO))(
    "a gateway's tunnel to an invented instance, %s: %s",
    async (who, expected) => {
      const given = headers.get(who) ?? {}
      const answer = await knock(GATEWAY_TUNNEL_PATH, given)
      // Whoever may serve is told that there is none; a sign-in has no key to show, and its role must allow it.
      const steward = who === 'owner' || who === 'admin' || who === 'owner of another organisation'
      if (given.authorization) expect(answer).toBe(expected === 'in' ? 'thing.unknown' : expected)
      else if (expected === 'in') expect(answer).toBe(steward ? 'request.invalid' : 'permission.denied')
      else expect(answer).toBe(expected)
      expect(await knock(GATEWAY_TUNNEL_PATH, { ...given, origin: server.origin })).toBe('origin.foreign')
    },
  )
  it('there is no other door', async () => {
    for (const path of ['/', '/api', '/api/me', '/api/sessions', '/api/live2', '/ws'])
      expect(await knock(path, asBrowser('owner'))).toBe('route.unknown')
  })
})

describe('[SEC-2.matrix] every kind of event × who may hear it', () => {
  const HOME = newId()
  const ME = newId()
  const OTHER = newId()
  const READABLE: Record<string, { permission: Permission }> = {
    'organisation.claimed': { permission: 'me.read' },
    'organisation.changed': { permission: 'me.read' },
    'user.changed': { permission: 'me.read' },
    'session.changed': { permission: 'session.read' },
    'session.removed': { permission: 'session.read' },
    'service.changed': { permission: 'service.read' },
    'service.removed': { permission: 'service.read' },
    'route.changed': { permission: 'route.read' },
    'route.removed': { permission: 'route.read' },
    'certificate.changed': { permission: 'network.read' },
    'certificate.removed': { permission: 'network.read' },
    'controller.changed': { permission: 'controller.read' },
    'controller.removed': { permission: 'controller.read' },
    'cluster.changed': { permission: 'controller.read' },
    'person.changed': { permission: 'person.read' },
    'person.removed': { permission: 'person.read' },
    'group.changed': { permission: 'group.read' },
    'group.removed': { permission: 'group.read' },
    'invitation.changed': { permission: 'invitation.manage' },
    'audit.sealed': { permission: 'audit.read' },
  }
  const types = Object.keys(EVENTS) as EventType[]
  const actor = (role: Role, more: Partial<Actor> = {}): Actor => ({
    kind: 'user',
    userId: ME,
    organisationId: HOME,
    role,
    scopes: null,
    ...more,
  })
  it.each(types.flatMap((type) => roles.map((role) => [type, role] as const)))('%s, %s', (type, role) => {
    const hears = (who: Actor, organisationId: string, userId: string | null) =>
      visible(who, { type, organisationId, userId })
    // Never another organisation's, whatever it is and whoever asks, by sign-in or by key.
    for (const userId of [ME, OTHER, null]) {
      expect(hears(actor(role), newId(), userId)).toBe(false)
      expect(hears(actor(role, { kind: 'service-key', scopes: SCOPES }), newId(), userId)).toBe(false)
    }
    // A sign-in that has not proved enough hears of itself only; a key hears what its scopes name.
    const permission = READABLE[type]?.permission
    const unproved = actor(role, { scopes: UNPROVED })
    if (permission !== 'me.read') expect(hears(unproved, HOME, ME)).toBe(false)
    const without = SCOPES.filter((it) => it !== permission)
    if (permission) expect(hears(actor(role, { kind: 'service-key', scopes: without }), HOME, ME)).toBe(false)
    // What is somebody else's own.
    const steward = role === 'owner' || role === 'admin'
    const others = hears(actor(role), HOME, OTHER)
    if (!permission || permission === 'me.read') expect(others).toBe(false)
    if (['session.read', 'controller.read', 'invitation.manage', 'audit.read'].includes(permission ?? ''))
      expect(others).toBe(steward)
  })
  it('what ends a sign-in is heard by nobody', () => {
    for (const role of roles)
      expect(visible(actor(role), { type: 'sign-in.ended', organisationId: HOME, userId: ME })).toBe(false)
  })
})
