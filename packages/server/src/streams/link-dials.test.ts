/** A call from one controller to another through the dial door over real sockets: only what its links lead to, half-close and all. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { ToController } from '@kalnet/contracts/controller'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { joinStreams, LONG_HALF_MS } from '@kalnet/wire/join'
import { dialRaw } from '@kalnet/wire/raw'
import { type Listening, listen, type Upgrade } from '@kalnet/wire/testing'
import { v7 as newId } from 'uuid'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Upgrade as Door } from '../core/upgrades.ts'
import { createLinkDials, type LinkDials } from './link-dials.ts'
import { createTunnels } from './tunnels.ts'

type Dialled = Extract<ToController, { type: 'link.dialled' }>

const log = createLog('test', 'silent')
const [NEAR, FAR, APP, BASE] = [newId(), newId(), newId(), newId()] as [string, string, string, string]
const never = new AbortController().signal
const target = { instanceId: BASE, port: 'sql', controllerId: FAR, address: null }
const leads = { instanceId: APP, links: [{ name: 'base', targets: [target] }] }

let server: Listening
let dials: LinkDials
let said: (Dialled & { to: string })[]
/** What the far controller does when it is asked for a stream. */
let serve: (stream: Duplex) => void
let refuses: string | null

beforeEach(async () => {
  let door: Upgrade = () => undefined
  server = await listen((...asked) => door(...asked))
  said = []
  refuses = null
  serve = (stream) =>
    void text(stream).then(
      (it) => stream.end(`heard ${it}`),
      () => undefined,
    )
  const upgrade = (_path: string, { handle }: Door) => {
    door = handle as unknown as Upgrade
  }
  const tunnels = createTunnels({
    http: { upgrade } as Parameters<typeof createTunnels>[0]['http'],
    clock: systemClock,
    openOnController(_controllerId, { streamId, token }) {
      if (refuses) setImmediate(() => tunnels.failed(streamId, refuses ?? ''))
      else
        void dialRaw({ url: server.url, token, signal: never }).then((stream) => {
          stream.allowHalfOpen = true
          stream.on('error', () => undefined)
          serve(stream)
        })
      return true
    },
  })
  const send = (to: string, message: Dialled) => said.push({ to, ...message }) > 0
  dials = createLinkDials({ tunnels, send, log })
  dials.told(NEAR, leads)
})
afterEach(async () => {
  dials.close()
  await server.close()
})

const ask = async (changes: object = {}, from = NEAR) => {
  const requestId = newId()
  const message = { type: 'link.dial' as const, requestId, instanceId: APP, link: 'base', targetId: BASE }
  dials.asked(from, { ...message, ...changes })
  await expect.poll(() => said.some((it) => it.requestId === requestId), { interval: 5 }).toBe(true)
  return said.find((it) => it.requestId === requestId)!
}
const come = async (token: string) => {
  const stream = await dialRaw({ url: server.url, token, signal: never })
  stream.allowHalfOpen = true
  stream.on('error', () => undefined)
  return stream
}

test('[NET-5.links-far] both ends are joined by the control plane; a side that is shut ends that side only', async () => {
  const { token, to } = await ask()
  expect(to).toBe(NEAR)
  const stream = await come(token ?? '')
  expect(dials.count()).toBe(1)
  stream.end('a word')
  expect(await text(stream)).toBe('heard a word')
  await expect.poll(() => dials.count()).toBe(0)
})

describe('[NET-5.links-authority] nothing else is reached', () => {
  const refused: [name: string, changes: object, from: string][] = [
    ['of another instance', { instanceId: BASE }, NEAR],
    ['by another link', { link: 'other' }, NEAR],
    ['to another target', { targetId: APP }, NEAR],
    ["by another controller's link", {}, FAR],
  ]
  test.each(refused)('%s', async (_name, changes, from) => {
    expect(await ask(changes, from)).toMatchObject({ token: null, problem: 'this link does not lead there' })
  })
  test('when the link leads there no more', async () => {
    dials.toldAll(NEAR, [])
    expect((await ask()).token).toBeNull()
    dials.toldAll(NEAR, [leads])
    expect((await ask()).token).not.toBeNull()
    dials.forget(NEAR)
    expect((await ask()).token).toBeNull()
  })
  test('a second time with the same token', async () => {
    const { token } = await ask()
    const stream = await come(token ?? '')
    await expect(come(token ?? '')).rejects.toMatchObject({ code: 'stream.unreachable' })
    stream.destroy()
  })
})

test("[NET-5.links-far] the far controller's words reach the near one", async () => {
  refuses = 'nothing listens there'
  expect(await ask()).toMatchObject({ token: null, problem: 'nothing listens there' })
  expect(dials.count()).toBe(0)
})

test('[NET-5.links-pressure] whoever does not read stops the other end, and all arrives when it does', async () => {
  const bytes = 16 * 2 ** 20
  let far: Duplex | null = null
  serve = (stream) => {
    far = stream
    for (let sent = 0; sent < bytes; sent += 2 ** 20) stream.write(Buffer.alloc(2 ** 20))
    stream.end()
  }
  const stream = await come((await ask()).token ?? '')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(far!.writableLength).toBeGreaterThan(bytes / 8)
  let got = 0
  stream.on('data', (chunk: Buffer) => {
    got += chunk.length
  })
  await once(stream, 'end')
  expect(got).toBe(bytes)
  stream.end()
})

test('[NET-5.links-end] a far end that breaks ends the near one', async () => {
  serve = (stream) => void setTimeout(() => (stream as Socket).resetAndDestroy(), 20)
  const stream = await come((await ask()).token ?? '')
  stream.resume()
  await expect.poll(() => stream.errored).toMatchObject({ code: 'ECONNRESET' })
  await expect.poll(() => dials.count()).toBe(0)
})

test('[NET-5.links-join] a program that shuts its side early gets the whole answer', async () => {
  const { duplexPair } = await import('node:stream')
  const [program, inner] = duplexPair()
  const outer = await come((await ask()).token ?? '')
  void joinStreams(inner, outer, never, LONG_HALF_MS)
  program.end('early')
  expect(await text(program)).toBe('heard early')
})
