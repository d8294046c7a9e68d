import { randomUUID } from 'node:crypto'
import type { FromController, ToController } from '@kalnet/contracts/controller'
import { LINK_PATH } from '@kalnet/contracts/controller'
import { createLog } from '@kalnet/io/log'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { connectLink, waitBeforeRetry } from './link.ts'
import { acceptLink, LINK_CLOSE, proveHello, type ServerLink } from './server-link.ts'
import { createKeys, createManualClock, type Listening, listen, until } from './testing.ts'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
const log = createLog('test', 'silent')
const capacity = { cpus: 2, memoryBytes: 1, memoryFreeBytes: 1, diskFreeBytes: 1, load1: 0 }
const heartbeat: FromController = { type: 'heartbeat', capacity }

/** A control plane that knows one controller. */
async function startServer({
  port = 0,
  clock = createManualClock(),
  keys = createKeys(),
  id = randomUUID(),
} = {}) {
  const links: ServerLink[] = []
  const got: FromController[] = []
  const closed: string[] = []
  const foreign = new Set<string>()
  const at: Listening = await listen((request, socket, head) => {
    void acceptLink(request, socket, head, {
      log,
      clock,
      authenticate: (hello, nonce) =>
        proveHello(hello, nonce, {
          publicKeyOf: async (it) => (it === id ? keys.publicKey : null),
          allowUrl: (url) => !foreign.has(url),
        }),
      onUp: (link) => void links.push(link),
      onMessage: (message) => void got.push(message),
      onClose: (_link, reason) => void closed.push(reason),
    })
  }, port)
  closers.push(at.close)
  return { at, clock, keys, id, links, got, closed, foreign }
}

function startLink(url: string, id: string, sign: (text: string) => string, clock = createManualClock()) {
  const stop = new AbortController()
  const got: ToController[] = []
  const downs: string[] = []
  let ups = 0
  const link = connectLink({
    url,
    identity: { controllerId: id, sign },
    hello: { version: '0.1.0', hostname: 'box' },
    onMessage: (message) => void got.push(message),
    onUp: () => {
      ups += 1
    },
    onDown: (reason) => void downs.push(reason),
    signal: stop.signal,
    clock,
    log,
  })
  closers.push(async () => {
    stop.abort()
    await link.ended
  })
  return { link, got, downs, ups: () => ups, stop, clock }
}

/** A bare WebSocket in the place of a controller. */
async function bare(url: string) {
  const socket = new WebSocket(url.replace('http', 'ws') + LINK_PATH)
  const got: ToController[] = []
  const closed: number[] = []
  socket.on('message', (data) => got.push(JSON.parse(data.toString())))
  socket.on('close', (code) => closed.push(code))
  socket.on('error', () => undefined)
  closers.push(() => socket.terminate())
  await until(() => got.length > 0, 'the challenge')
  return { socket, got, closed, send: (message: unknown) => socket.send(JSON.stringify(message)) }
}
const forget = { type: 'forget', id: randomUUID(), generation: 1 } as const

describe('link', () => {
  it('[CTL-2.link] a proved controller is welcomed and messages pass both ways', async () => {
    const server = await startServer()
    const controller = startLink(server.at.url, server.id, server.keys.sign)
    await until(() => controller.link.up(), 'up')
    expect(server.links[0]).toMatchObject({ controllerId: server.id, hello: { hostname: 'box' } })
    expect(controller.link.send(heartbeat)).toBe(true)
    server.links[0]?.send(forget)
    await until(() => server.got.length === 1 && controller.got.length === 1, 'both messages')
    expect(server.got[0]).toEqual(heartbeat)
    expect(controller.got[0]).toEqual(forget)
  })

  const strangers: [string, { id?: string; sign?: (text: string) => string; foreign?: boolean }][] = [
    ['an unknown controller', { id: randomUUID() }],
    ['another key', { sign: createKeys().sign }],
    ['an address that is not ours', { foreign: true }],
  ]
  it.each(strangers)('[CTL-2.proof] %s is refused', async (_name, change) => {
    const server = await startServer()
    if (change.foreign) server.foreign.add(server.at.url)
    const controller = startLink(server.at.url, change.id ?? server.id, change.sign ?? server.keys.sign)
    // It goes on trying, but slowly.
    await controller.clock.pass(0)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(controller.ups()).toBe(0)
    expect(server.links).toEqual([])
  })

  const hello = (id: string, url: string): Record<string, unknown> => ({
    type: 'hello',
    controllerId: id,
    protocols: [1],
    version: '0.1.0',
    url,
    signature: 'AAAA',
    hostname: 'box',
  })
  it.each([
    ['an unknown controller', { controllerId: randomUUID() }, 'controller.unknown', LINK_CLOSE.unproved],
    ['a wrong signature', {}, 'controller.signature', LINK_CLOSE.unproved],
    ['a wrong protocol', { protocols: [7] }, 'controller.version', LINK_CLOSE.version],
    ['a message that is not valid', { controllerId: 'x' }, 'request.invalid', LINK_CLOSE.invalid],
    ['anything before hello', { type: 'heartbeat', capacity }, 'request.invalid', LINK_CLOSE.invalid],
  ])('[CTL-2.refused] %s gets a typed refusal and is closed', async (_name, change, code, close) => {
    const server = await startServer()
    const { got, closed, send } = await bare(server.at.url)
    send({ ...hello(server.id, server.at.url), ...change })
    await until(() => closed.length === 1, 'the close')
    expect(got[1]).toMatchObject({ type: 'refused', code })
    expect(closed).toEqual([close])
  })

  it('[CTL-2.proof] a signature of another challenge proves nothing (replay)', async () => {
    const server = await startServer()
    const first = await bare(server.at.url)
    const second = await bare(server.at.url)
    const nonce = first.got[0]?.type === 'challenge' ? first.got[0].nonce : ''
    expect(Buffer.from(nonce, 'base64')).toHaveLength(32)
    const signature = server.keys.sign(`kalnet-link\n${nonce}\n${server.at.url}`)
    second.send({ ...hello(server.id, server.at.url), signature })
    await until(() => second.closed.length === 1, 'the close')
    expect(second.got[1]).toMatchObject({ type: 'refused', code: 'controller.signature' })
    first.send({ ...hello(server.id, server.at.url), signature })
    await until(() => server.links.length === 1, 'its own challenge is accepted')
  })

  it('[CTL-2.refused] hello must come within 5 s', async () => {
    const server = await startServer()
    const { closed, got } = await bare(server.at.url)
    await server.clock.pass(5_000)
    await until(() => closed.length === 1, 'the close')
    expect(got[1]).toMatchObject({ type: 'refused', code: 'request.time-out' })
    expect(closed).toEqual([LINK_CLOSE.late])
  })

  it.each([
    ['text that is not JSON', 'half a {', LINK_CLOSE.invalid],
    ['a known message with wrong fields', '{"type":"heartbeat"}', LINK_CLOSE.invalid],
    ['more than 8 MB', `"${'x'.repeat(8 * 2 ** 20)}"`, 1009],
  ])('[CTL-2.refused] on a proved link, %s ends it', async (_name, text, code) => {
    const server = await startServer()
    const peer = await bare(server.at.url)
    const nonce = peer.got[0]?.type === 'challenge' ? peer.got[0].nonce : ''
    peer.send({
      ...hello(server.id, server.at.url),
      signature: server.keys.sign(`kalnet-link\n${nonce}\n${server.at.url}`),
    })
    await until(() => server.links.length === 1, 'up')
    peer.send({ type: 'of-a-later-release', anything: 1 })
    peer.send({ ...heartbeat, laterField: true })
    await until(() => server.got.length === 1, 'an unknown type is ignored, an unknown field dropped')
    expect(server.got).toEqual([heartbeat])
    peer.socket.send(text)
    await until(() => peer.closed.length === 1 && server.closed.length === 1, 'the close')
    expect(peer.closed).toEqual([code])
  })

  it('[CTL-2.reconnect] a killed control plane is found again, and the link is proved anew', async () => {
    const first = await startServer()
    const controller = startLink(first.at.url, first.id, first.keys.sign)
    await until(() => controller.link.up(), 'up')
    await first.at.close()
    await until(() => controller.downs.length === 1, 'down')
    expect(controller.link.send(heartbeat)).toBe(false)
    await controller.clock.pass(5_000)
    const second = await startServer({ port: first.at.port, keys: first.keys, id: first.id })
    for (let turn = 0; turn < 50 && !controller.link.up(); turn += 1) {
      await controller.clock.pass(1_500)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(controller.ups()).toBe(2)
    expect(second.links).toHaveLength(1)
  })

  it('[CTL-4.retry] the first try comes within 250 ms, later ones within 1.5 s, refused ones slower, all with jitter', () => {
    const lost = { reason: '', wasUp: true, refused: false }
    expect(waitBeforeRetry(lost, 0, () => 1)).toBeLessThanOrEqual(250)
    expect(waitBeforeRetry(lost, 10, () => 1)).toBe(1_500)
    expect(waitBeforeRetry(lost, 10, () => 0)).toBe(750)
    expect(waitBeforeRetry(lost, 30, () => 1)).toBe(15_000)
    expect(waitBeforeRetry({ ...lost, refused: true }, 0, () => 0)).toBe(1_000)
  })

  it('[CTL-4.silence] both sides drop a peer that is silent for 12 s', async () => {
    const server = await startServer()
    const frozen = await bare(server.at.url)
    const nonce = frozen.got[0]?.type === 'challenge' ? frozen.got[0].nonce : ''
    frozen.send({
      ...hello(server.id, server.at.url),
      signature: server.keys.sign(`kalnet-link\n${nonce}\n${server.at.url}`),
    })
    await until(() => server.links.length === 1, 'up')
    // As a frozen process: it reads nothing, so it answers no ping.
    frozen.socket.pause()
    await server.clock.pass(12_000)
    await until(() => server.closed.length === 1, 'dropped by the control plane')
    expect(server.closed[0]).toContain('silent')

    // A control plane that welcomes and then neither speaks nor answers pings.
    const mute = await listen(() => undefined)
    closers.push(mute.close)
    const sockets = new WebSocketServer({ server: mute.server, autoPong: false })
    sockets.on('connection', (socket) => {
      socket.send(JSON.stringify({ type: 'challenge', nonce: 'n', protocols: [1] }))
      const serverTime = new Date(0).toISOString()
      const welcome = {
        type: 'welcome',
        protocol: 1,
        controllerId: server.id,
        heartbeatMs: 5_000,
        serverTime,
      }
      socket.once('message', () => socket.send(JSON.stringify(welcome)))
    })
    const controller = startLink(mute.url, server.id, server.keys.sign)
    await until(() => controller.link.up(), 'up')
    await controller.clock.pass(12_000)
    await until(() => controller.downs.length === 1, 'dropped by the controller')
  })

  it('[CTL-2.link] the signal ends the link for good', async () => {
    const server = await startServer()
    const controller = startLink(server.at.url, server.id, server.keys.sign)
    await until(() => controller.link.up(), 'up')
    controller.stop.abort()
    await controller.link.ended
    await until(() => server.closed.length === 1, 'the close')
    expect(controller.link.up()).toBe(false)
  })
})
