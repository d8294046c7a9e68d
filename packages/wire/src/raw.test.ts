import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { fail } from '@kalnet/contracts/errors'
import { afterEach, describe, expect, it } from 'vitest'
import { joinStreams } from './join.ts'
import { acceptRaw, dialRaw } from './raw.ts'
import { type Listening, listen, until } from './testing.ts'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
const TOKEN = 'a'.repeat(43)
const never = new AbortController().signal

async function start() {
  const accepted: Duplex[] = []
  const at: Listening = await listen((request, socket, head) => {
    const offer = acceptRaw(request, socket, head)
    if (offer?.token === TOKEN) accepted.push(offer.accept())
    else offer?.refuse(fail('ticket.invalid'))
  })
  closers.push(at.close)
  return { at, accepted }
}
const collect = (stream: Duplex) => {
  const got: Buffer[] = []
  stream.on('data', (chunk: Buffer) => got.push(chunk))
  return () => Buffer.concat(got)
}

describe('raw', () => {
  it('[CTL-8.raw] bytes pass both ways after the upgrade', async () => {
    const { at, accepted } = await start()
    const stream = await dialRaw({ url: at.url, token: TOKEN, signal: never })
    stream.write('from the controller')
    accepted[0]?.write('from the control plane')
    const here = collect(stream)
    const there = collect(accepted[0]!)
    await until(() => here().length > 0 && there().length > 0, 'both')
    expect(here().toString()).toBe('from the control plane')
    expect(there().toString()).toBe('from the controller')
  })

  it('[CTL-8.raw] bytes sent together with the 101 are not lost', async () => {
    const { at } = await start()
    at.server.removeAllListeners('upgrade')
    at.server.on('upgrade', (request, socket, head) => {
      const offer = acceptRaw(request, socket, head)
      socket.cork()
      offer?.accept().write('RFB 003.008\n')
      socket.uncork()
    })
    const stream = await dialRaw({ url: at.url, token: TOKEN, signal: never })
    const here = collect(stream)
    await until(() => here().length === 12, 'the banner')
  })

  it('[CTL-8.raw] an unknown token is refused with the reason', async () => {
    const { at } = await start()
    const dial = dialRaw({ url: at.url, token: 'b'.repeat(43), signal: never })
    await expect(dial).rejects.toMatchObject({
      code: 'stream.unreachable',
      details: { problem: expect.stringContaining('ticket.invalid') },
    })
  })

  it.each([
    ['no token', `upgrade: kalnet-raw\r\n`],
    ['another upgrade', `upgrade: websocket\r\nauthorization: Bearer ${TOKEN}\r\n`],
  ])('[CTL-8.raw] %s is answered with a typed error', async (_name, headers) => {
    const { at } = await start()
    const socket = connect(at.port, '127.0.0.1')
    const got = collect(socket)
    socket.write(`GET /x HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\n${headers}\r\n`)
    await new Promise((resolve) => socket.once('close', resolve))
    expect(got().toString()).toContain('HTTP/1.1 400')
    expect(got().toString()).toContain('request.invalid')
  })

  it('[CTL-8.raw] a control plane that does not answer is given up, also by the signal', async () => {
    const silent = await listen(() => undefined)
    closers.push(silent.close)
    const stop = new AbortController()
    const refused = { code: 'stream.unreachable' }
    const late = dialRaw({ url: silent.url, token: TOKEN, signal: never, timeoutMs: 50 })
    await expect(late).rejects.toMatchObject(refused)
    const aborted = dialRaw({ url: silent.url, token: TOKEN, signal: stop.signal })
    stop.abort()
    await expect(aborted).rejects.toMatchObject(refused)
  })

  it('[CTL-8.raw] joined streams pass everything on, the end too', async () => {
    const { at, accepted } = await start()
    const near = await dialRaw({ url: at.url, token: TOKEN, signal: never })
    const far = await dialRaw({ url: at.url, token: TOKEN, signal: never })
    const joined = joinStreams(accepted[0]!, accepted[1]!)
    const got = collect(far)
    const sent = Buffer.alloc(3 * 2 ** 20, 'x')
    near.end(sent)
    far.on('end', () => far.end())
    await joined
    expect(got().length).toBe(sent.length)
  })

  it('[CTL-8.raw] the signal cuts joined streams', async () => {
    const { at, accepted } = await start()
    const near = await dialRaw({ url: at.url, token: TOKEN, signal: never })
    await dialRaw({ url: at.url, token: TOKEN, signal: never })
    near.on('error', () => undefined)
    const stop = new AbortController()
    const joined = joinStreams(accepted[0]!, accepted[1]!, stop.signal)
    stop.abort()
    await joined
  })
})
