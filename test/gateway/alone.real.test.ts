/** Gateways as processes of their own, for a real control plane: what they serve, whom they let in, and what happens when either is away. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { cli } from '@kalnet/cli/testing'
import type { GatewayRoute, WayInProblem } from '@kalnet/contracts/gateway'
import type { Service } from '@kalnet/contracts/service'
import { freePort } from '@kalnet/server/testing/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { type Person, type Plane, startPlane } from '../running/support.ts'
import { eventually } from '../support/eventually.ts'
import { ask, openSocket, type Process, startGateway } from './alone-support.ts'

const template = (id: string, access: 'public' | 'people') => `id: ${id}
version: 1.0.0
name: ${id}
summary: Answers
category: tools
licence: MIT
kind: service
platforms: [fake]
doors: [{ port: web, access: ${access} }]
parts:
  - name: web
    image: { reference: none }
    command: [program]
    ports: [{ name: web, kind: http, at: { tcp: 8080 } }]
`
/** A game: reached through the tunnel only, by both kinds of ports. */
const game = (udp: number, tcp: number) => `id: game
version: 1.0.0
name: game
summary: Echoes
category: tools
licence: MIT
kind: service
platforms: [fake]
doors: [{ port: play, kind: udp, listen: ${udp} }, { port: talk, kind: tcp, listen: ${tcp} }]
parts:
  - name: play
    image: { reference: none }
    command: [program]
    ports: [{ name: play, kind: udp, at: { udp: 30000 } }, { name: talk, kind: tcp, at: { tcp: 30000 } }]
`
const HTML = { accept: 'text/html' }
const LIMIT_MS = 5_000

let home: string
let plane: Plane
let owner: Person
let key: { id: string; token: string }
let attic: Process
let cellar: Process
let ports: { udp: number; tcp: number }
const processes: Process[] = []
const services = new Map<string, Service>()

/** Says what it heard, and echoes over WebSockets. */
const heard = createServer((request: IncomingMessage, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ url: request.url, headers: request.headers }))
})
const sockets = new WebSocketServer({ server: heard })
sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`heard ${data}`)))

async function call(method: string, path: string, body?: object, who = owner) {
  const given = body ?? (method === 'POST' ? {} : undefined)
  const answer = await plane.ask(method, path, { as: who.secret, body: given })
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
  return answer.body
}
async function makeKey(scopes: string[]): Promise<{ id: string; token: string }> {
  const made = await call('POST', '/api/me/keys', { name: 'gateway', scopes })
  return { id: (made.key as { id: string }).id, token: String(made.token) }
}
async function gateway(name: string, more: Partial<Parameters<typeof startGateway>[0]> = {}) {
  const one = await startGateway({ home: join(home, name), join: plane.url, key: key.token, name, ...more })
  processes.push(one)
  return one
}
/** Through sign-in, as a browser goes; answers the cookie of that host. */
async function enter(port: number, host: string, who: Person): Promise<string> {
  const first = await ask(port, host, { path: '/start', headers: HTML })
  expect(first.status, first.text).toBe(302)
  const to = new URL(String(first.headers.location))
  expect(to.pathname).toBe('/enter')
  const state = { to: to.searchParams.get('to'), state: to.searchParams.get('state') }
  const answer = await call('POST', '/api/enter', state, who)
  const back = new URL(String(answer.to))
  const began = String(first.headers['set-cookie']?.[0]).split(';')[0] ?? ''
  const second = await ask(port, host, { path: back.pathname + back.search, headers: { cookie: began } })
  expect(second.status, second.text).toBe(302)
  return String(second.headers['set-cookie']?.[0]).split(';')[0] ?? ''
}
const status = async (port: number, host: string, headers = {}) => (await ask(port, host, { headers })).status

beforeAll(async () => {
  home = await mkdtemp('/tmp/kalnet-test-')
  await once(heard.listen(0, '127.0.0.1'), 'listening')
  ports = { udp: await freePort(), tcp: await freePort() }
  const templates = {
    site: template('site', 'public'),
    wiki: template('wiki', 'people'),
    far: template('far', 'public'),
    game: game(ports.udp, ports.tcp),
  }
  plane = await startPlane({ templates, gateway: false })
  owner = await plane.claim()
  const machine = await plane.machine(undefined, 'box')
  for (const id of Object.keys(templates)) {
    const { id: serviceId } = (await call('POST', '/api/services', { templateId: id })) as unknown as Service
    await eventually(`${id} runs`, async () => {
      const found = (await call('GET', `/api/services/${serviceId}`)) as unknown as Service
      services.set(id, found)
      return found.state === 'running'
    })
    for (const instance of services.get(id)?.instances ?? [])
      machine.world.programs.told.onConnection(
        instance.id,
        'web',
        (stream) => void heard.emit('connection', stream),
      )
  }
  // One that gateways of this machine reach themselves; the others are reached through their controller.
  for (const id of ['site', 'wiki']) {
    const { port } = heard.address() as AddressInfo
    for (const instance of services.get(id)?.instances ?? [])
      machine.world.programs.told.addresses.set(instance.id, { web: { host: '127.0.0.1', port } })
    await call('POST', `/api/services/${services.get(id)?.id}/restart`)
    await eventually(`${id} runs again`, async () => {
      const found = (await call('GET', `/api/services/${services.get(id)?.id}`)) as unknown as Service
      return found.state === 'running' && (found.instances[0]?.generation ?? 0) > 1
    })
  }
  key = await makeKey(['gateway.serve'])
  ;[attic, cellar] = await Promise.all([gateway('attic'), gateway('cellar', { secure: true })])
  expect([attic.log(), cellar.log()]).toEqual([
    expect.stringContaining('the gateway serves'),
    expect.stringContaining('the gateway serves'),
  ])
})
afterAll(async () => {
  for (const one of processes) await one.kill('SIGKILL')
  sockets.close()
  heard.close()
  heard.closeAllConnections()
  await plane?.end()
  await rm(home, { recursive: true, force: true })
})

describe('[MSH-6.alone] what a gateway of its own serves', () => {
  it('an address, through the tunnel of the instance that only its controller reaches', async () => {
    const { status: got, text } = await ask(attic.port, 'far.localhost', {
      path: '/a?b=c',
      headers: { 'x-forwarded-for': '203.0.113.9', 'x-kalnet-user': 'ada' },
    })
    expect(got, text).toBe(200)
    const { url, headers } = JSON.parse(text)
    expect([url, headers['x-forwarded-for'], headers['x-kalnet-user']]).toEqual([
      '/a?b=c',
      '127.0.0.1',
      undefined,
    ])
    expect(await status(attic.port, 'nowhere.localhost')).toBe(404)
  })
  it.each(['site.localhost', 'far.localhost'])('a WebSocket to %s', async (host) => {
    const socket = await openSocket(attic.port, host)
    socket.send('hello')
    expect(String((await once(socket, 'message'))[0])).toBe('heard hello')
    socket.close()
  })
  it('TCP by port, through the tunnel', async () => {
    const talk = connect(ports.tcp, '127.0.0.1')
    expect(String((await once(talk, 'data'))[0])).toBe('RFB 003.008\n')
    talk.write('hello')
    expect(String((await once(talk, 'data'))[0])).toBe('hello')
    talk.destroy()
  }, 20_000)
  it('UDP by port, through the tunnel', async () => {
    const play = createSocket('udp4')
    play.send('jump', ports.udp, '127.0.0.1')
    expect(String((await once(play, 'message'))[0])).toBe('jump')
    play.close()
  }, 20_000)
  it('[NET-3.told] a port that another gateway holds is told, with its name', async () => {
    await eventually('it is told', async () => {
      const { problems } = await call('GET', '/api/routes/figures')
      const told = (problems as WayInProblem[]).map(({ gateway: name, address }) => `${name} ${address}`)
      return ['attic', 'cellar'].some((name) => told.includes(`${name} tcp ${ports.tcp}`))
    })
    const { wayIn, state } = await call('GET', '/api/dashboard/status')
    expect([(wayIn as WayInProblem[]).length, state]).toEqual([2, 'attention'])
  })
  it('TLS with a certificate of the authority, by name and by a bare address; http leads to it', async () => {
    const ca = await readFile(join(plane.folders.config, 'ca', 'authority.crt'), 'utf8')
    const page = await ask(cellar.securePort, 'site.localhost', { ca })
    expect(page.status, page.text).toBe(200)
    expect(JSON.parse(page.text).headers['x-forwarded-proto']).toBe('https')
    expect((await ask(cellar.securePort, '127.0.0.1', { ca })).status).toBe(404)
    expect(await ask(cellar.port, 'site.localhost')).toMatchObject({ status: 308 })
    await expect(ask(cellar.securePort, 'stranger.localhost', { ca })).rejects.toThrow()
  })
  it('the dashboard and API under their own names, and who asks is believed', async () => {
    const answer = await ask(attic.port, 'localhost', { path: '/api/status' })
    expect([answer.status, JSON.parse(answer.text).claimed]).toEqual([200, true])
    const body = JSON.stringify({ email: 'ada@example.org', password: 'correct horse battery' })
    const headers = {
      'content-type': 'application/json',
      origin: `http://localhost:${attic.port}`,
      'x-forwarded-for': '203.0.113.9',
    }
    const signedIn = await ask(attic.port, 'localhost', {
      path: '/api/sign-in',
      method: 'POST',
      headers,
      body,
      from: '127.0.0.7',
    })
    expect(signedIn.status, signedIn.text).toBe(200)
    const rows = await call('GET', '/api/audit?action=user.signed-in')
    expect((rows.items as { address: string }[])[0]?.address).toBe('127.0.0.7')
  })
  it('a route that is added or closed while it runs', async () => {
    const serviceId = services.get('site')?.id ?? ''
    const match = { kind: 'http', host: 'also.localhost' }
    const made = (await call('POST', '/api/routes', {
      match,
      serviceId,
      port: 'web',
      access: 'public',
    })) as unknown as GatewayRoute
    await eventually(
      'the new address is served',
      async () => (await status(attic.port, 'also.localhost')) === 200,
    )
    await call('DELETE', `/api/routes/${made.id}`)
    await eventually('it is served no more', async () => (await status(attic.port, 'also.localhost')) === 404)
  })
  it('[MSH-6.gateways] it is in the registry, and what it counts is counted', async () => {
    const found = await call('GET', '/api/registry/lookup?name=gateway')
    expect(JSON.stringify(found)).toContain(String(attic.port))
    await eventually('its requests are counted', async () => {
      const { routes, calls } = await call('GET', '/api/routes/figures')
      const requests = (routes as { requests: number }[]).reduce((sum, it) => sum + it.requests, 0)
      return requests >= 4 && (calls as { to: string }[]).some(({ to }) => to === 'site')
    })
  })
})

describe('[MSH-6.judged] guarded addresses', () => {
  it('a stranger is sent to sign in, a member passes, and the end of the sign-in ends what is open', async () => {
    const { port } = attic
    expect(await status(port, 'wiki.localhost')).toBe(401)
    await expect(openSocket(port, 'wiki.localhost')).rejects.toThrow('401')
    const member = await plane.person('member', owner.organisationId)
    const cookie = await enter(port, 'wiki.localhost', member)
    const page = await ask(port, 'wiki.localhost', { headers: { cookie } })
    expect(page.status, page.text).toBe(200)
    const { headers } = JSON.parse(page.text)
    expect([headers['x-kalnet-user'], headers.cookie]).toEqual([member.userId, undefined])
    const socket = await openSocket(port, 'wiki.localhost', { cookie })
    const began = performance.now()
    const closed = once(socket, 'close')
    socket.on('error', () => undefined)
    await plane.ask('POST', '/api/sign-out', { as: member.secret, body: {} })
    await closed
    expect(performance.now() - began).toBeLessThan(LIMIT_MS)
    expect(await status(port, 'wiki.localhost', { cookie })).toBe(401)
  })
})

describe('[MSH-6.away] when somebody is away', () => {
  let cookie: string
  it('the control plane: what is open is served on, guarded is refused kindly, also by one that was started meanwhile', async () => {
    cookie = await enter(attic.port, 'wiki.localhost', owner)
    await plane.stop()
    expect(await status(attic.port, 'site.localhost')).toBe(200)
    const page = await ask(attic.port, 'wiki.localhost', { headers: { ...HTML, cookie } })
    expect([page.status, page.text]).toEqual([503, expect.stringContaining('comes back by itself')])
    expect(await status(attic.port, 'localhost')).toBe(503)

    const kept = join(home, 'attic', 'data', 'gateway', 'snapshot.json')
    expect((await stat(kept)).mode & 0o777).toBe(0o600)
    expect(await attic.kill('SIGTERM')).toBe(0)
    attic = await gateway('attic', { ports: attic })
    expect(await status(attic.port, 'site.localhost')).toBe(200)
    expect(await status(attic.port, 'wiki.localhost', { cookie })).toBe(503)
  })
  it('and it comes back: everything is served again', async () => {
    await plane.start()
    await eventually(
      'members pass again',
      async () => (await status(attic.port, 'wiki.localhost', { cookie })) === 200,
    )
    await eventually(
      'the dashboard is there again',
      async () => (await status(attic.port, 'localhost', {})) !== 503,
    )
  })
  it('[MSH-6.gateways] one of two gateways: the other serves on', async () => {
    await cellar.kill('SIGKILL')
    expect(await status(attic.port, 'site.localhost')).toBe(200)
  })
  it('[MSH-6.refused] its key is revoked: guarded addresses are closed, and it says why', async () => {
    const socket = await openSocket(attic.port, 'wiki.localhost', { cookie })
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
    await call('DELETE', `/api/me/keys/${key.id}`)
    await closed
    await eventually(
      'guarded addresses are closed',
      async () => (await status(attic.port, 'wiki.localhost', { cookie })) === 503,
    )
    expect(await status(attic.port, 'also-open.localhost')).toBe(404)
    await eventually('it says so', async () => attic.log().includes('The control plane refuses our key'))
    expect(attic.log()).not.toContain(key.token)
    expect(await attic.kill('SIGTERM')).toBe(0)
  })
  it.each([
    ['without the scope', async () => (await makeKey(['me.read'])).token],
    ['that is invented', async () => `kal_${'a'.repeat(12)}_${'b'.repeat(43)}`],
  ])('[MSH-6.refused] a key %s starts nothing', async (_, made) => {
    const token = await made()
    const file = join(home, 'none')
    await writeFile(file, token)
    const line = ['gateway', '--join', plane.url, '--key-file', file, '--name', 'none']
    const { code, err } = await cli(join(home, 'nobody'), ...line)
    expect([code, err]).toEqual([4, expect.stringContaining('refuses this key')])
    expect(err).not.toContain(token)
    expect(plane.errors).toEqual([])
  })
})
