import { connect, createServer, connect as netConnect, type Socket } from 'node:net'
import { STREAM_CLOSE, STREAM_PROTOCOL } from '@kalnet/contracts/stream'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createRelay, type Viewer } from './relay.ts'
import { createManualClock, type Listening, listen, until } from './testing.ts'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A raw stream's two ends over real TCP, so that back-pressure is the kernel's. */
async function rawPair(): Promise<[Socket, Socket]> {
  const accepted = Promise.withResolvers<Socket>()
  const server = createServer((socket) => accepted.resolve(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (!address || typeof address === 'string') throw new Error('no address')
  const ours = netConnect(address.port, '127.0.0.1')
  const theirs = await accepted.promise
  server.close()
  closers.push(
    () => void ours.destroy(),
    () => void theirs.destroy(),
  )
  return [ours, theirs]
}

async function start(clock = createManualClock()) {
  const relay = createRelay({ clock })
  const viewers: Viewer[] = []
  const sockets: Socket[] = []
  const at: Listening = await listen((request, socket, head) => {
    const viewer = relay.accept(request, socket, head)
    if (viewer) viewers.push(viewer)
    sockets.push(socket as Socket)
  })
  closers.push(at.close)
  return { at, viewers, sockets, clock }
}

async function open(url: string) {
  const viewer = new WebSocket(url.replace('http', 'ws'), [STREAM_PROTOCOL, 'ticket.x'])
  const got: Buffer[] = []
  const closed: { code: number; reason: string }[] = []
  viewer.on('message', (data: Buffer) => got.push(data))
  viewer.on('close', (code, reason) => closed.push({ code, reason: reason.toString() }))
  viewer.on('error', () => undefined)
  closers.push(() => viewer.terminate())
  await new Promise((resolve) => viewer.once('open', resolve))
  return { viewer, got: () => Buffer.concat(got), frames: got, closed }
}

async function joined() {
  const it = await start()
  const client = await open(it.at.url)
  await until(() => it.viewers.length === 1, 'the viewer')
  const [controller, raw] = await rawPair()
  const firsts: number[] = []
  it.viewers[0]!.attach(raw, () => firsts.push(1))
  return { ...it, ...client, controller, raw, relayed: it.viewers[0]!, firsts }
}

describe('relay', () => {
  it('[CTL-8.relay] bytes pass both ways, whole and in order, and the first byte is told once', async () => {
    const { viewer, got, controller, firsts } = await joined()
    const sent = Buffer.alloc(300_000, 'kalnet')
    controller.write(sent)
    await until(() => got().length === sent.length, 'all bytes at the viewer')
    expect(got().equals(sent)).toBe(true)
    expect(firsts).toEqual([1])
    const back: Buffer[] = []
    controller.on('data', (chunk) => back.push(chunk))
    for (let index = 0; index < 50; index += 1) viewer.send(Buffer.alloc(index * 97, index))
    const all = Buffer.concat(Array.from({ length: 50 }, (_, index) => Buffer.alloc(index * 97, index)))
    await until(() => Buffer.concat(back).length === all.length, 'all bytes at the controller')
    expect(Buffer.concat(back).equals(all)).toBe(true)
  })

  it('[STR-1.protocol] only the stream protocol is answered, the ticket is never echoed', async () => {
    const { viewer } = await joined()
    expect(viewer.protocol).toBe(STREAM_PROTOCOL)
  })

  it.each([
    ['the raw stream ends', 'end', STREAM_CLOSE.ended],
    ['the raw stream breaks', 'break', STREAM_CLOSE.unreachable],
    ['it is cut', 'cut', STREAM_CLOSE.revoked],
  ])('[CTL-8.close] when %s the viewer is told why', async (_name, how, code) => {
    const { controller, raw, closed, relayed } = await joined()
    if (how === 'end') controller.end()
    if (how === 'break') raw.destroy(new Error('broken'))
    if (how === 'cut') relayed.close(STREAM_CLOSE.revoked, 'the sign-in ended')
    await until(() => closed.length === 1, 'the close')
    expect(closed[0]?.code).toBe(code)
    await until(() => raw.destroyed, 'the raw stream is closed too')
  })

  it('[CTL-8.close] a viewer that leaves ends the raw stream', async () => {
    const { viewer, controller, relayed } = await joined()
    let over = 0
    relayed.onClose = () => {
      over += 1
    }
    controller.resume()
    const ended = new Promise((resolve) => controller.once('close', resolve))
    viewer.close(1000)
    await ended
    await until(() => over === 1, 'onClose once')
  })

  it('[CTL-8.close] closed before anything was attached, it still says why', async () => {
    const { at, viewers } = await start()
    const { closed } = await open(at.url)
    await until(() => viewers.length === 1, 'the viewer')
    viewers[0]?.close(STREAM_CLOSE.unreachable, 'the machine it runs on is not connected')
    await until(() => closed.length === 1, 'the close')
    expect(closed[0]).toEqual({ code: 4001, reason: 'the machine it runs on is not connected' })
  })

  it('[STR-1.frames] a frame that breaks the protocol is answered with its close code', async () => {
    const { viewer, closed } = await joined()
    viewer.send('text is not understood')
    await until(() => closed.length === 1, 'the close')
    expect(closed[0]?.code).toBe(1003)
  })

  it('[STR-7.dead-viewer] a viewer that answers pings stays, one that is dead is dropped after two periods', async () => {
    const { clock, viewer, viewers, at } = await joined()
    const dead = connect(at.port, '127.0.0.1')
    closers.push(() => void dead.destroy())
    dead.write(
      'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    )
    await until(() => viewers.length === 2, 'the second viewer')
    const [, raw] = await rawPair()
    let gone = false
    viewers[1]!.onClose = () => {
      gone = true
    }
    viewers[1]!.attach(raw)
    let pings = 0
    viewer.on('ping', () => {
      pings += 1
    })
    for (let beat = 1; beat <= 4; beat += 1) {
      await clock.pass(20_000)
      await until(() => pings === beat, 'the ping')
      // Its pong must have come back before time goes on.
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    expect(gone).toBe(true)
    expect(viewer.readyState).toBe(WebSocket.OPEN)
  })

  it('[STR-7.slow-viewer] a viewer that never reads stops its source, grows nothing and delays nobody', async () => {
    const { at, viewers, sockets } = await start()
    const slow = await open(at.url)
    await until(() => viewers.length === 1, 'the slow viewer')
    const quick = await open(at.url)
    await until(() => viewers.length === 2, 'the quick viewer')
    const [slowSource, slowRaw] = await rawPair()
    const [quickSource, quickRaw] = await rawPair()
    viewers[0]?.attach(slowRaw)
    viewers[1]?.attach(quickRaw)
    slow.viewer.pause()
    const chunk = Buffer.alloc(64 * 1024, 1)
    // As much as the kernel and we are willing to hold, then the source must feel it.
    let sent = 0
    while (sent < 64 * 2 ** 20 && (slowSource.write(chunk) || slowSource.writableLength < 2 ** 20)) {
      sent += chunk.length
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => slowRaw.isPaused(), 'the source is paused')
    expect(sent).toBeLessThan(64 * 2 ** 20)
    expect((sockets[0]?.writableLength ?? 0) + slowRaw.readableLength).toBeLessThan(256 * 1024)
    quickSource.write('still here')
    await until(() => quick.got().toString() === 'still here', 'the other viewer is served')
    slow.viewer.resume()
    const before = slow.got().length
    await until(() => slow.got().length > before && !slowRaw.isPaused(), 'it goes on where it stopped')
  })

  it('[STR-7.slow-viewer] a screen that does not read stops its viewer', async () => {
    const { viewer, controller, raw, sockets } = await joined()
    controller.pause()
    const chunk = Buffer.alloc(64 * 1024, 2)
    for (let sent = 0; sent < 400; sent += 1) {
      viewer.send(chunk)
      if (sent % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => sockets[0]?.isPaused() ?? false, 'the viewer is paused')
    expect(raw.writableLength).toBeLessThan(256 * 1024)
    let got = 0
    controller.on('data', (piece) => {
      got += piece.length
    })
    controller.resume()
    await until(() => got === 400 * chunk.length, 'everything arrives')
  })
})
