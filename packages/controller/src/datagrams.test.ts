/** Datagrams of an instance on a stream: whole, in both directions, and over with the stream. */
import { once } from 'node:events'
import { createDatagramReader, frameDatagram } from '@kalnet/wire/datagrams'
import { describe, expect, it } from 'vitest'
import { dialAsStream, streamOf } from './datagrams.ts'
import type { Datagrams, Handle } from './platforms/platform.ts'

function port() {
  const sent: string[] = []
  let listener: (payload: Buffer) => void = () => undefined
  let closed = 0
  const datagrams: Datagrams = {
    send: (payload) => void sent.push(String(payload)),
    onMessage: (it) => {
      listener = it
    },
    close: () => {
      closed += 1
    },
  }
  return { datagrams, sent, say: (text: string) => listener(Buffer.from(text)), closed: () => closed }
}
const never = new AbortController().signal
const handle = {} as Handle

describe('[NET-3.udp] a UDP port at the end of a tunnel', () => {
  it('gets each datagram whole, however the stream cuts them, and answers in the same form', async () => {
    const { datagrams, sent, say } = port()
    const stream = streamOf(datagrams, never)
    const both = Buffer.concat([frameDatagram(Buffer.from('one')), frameDatagram(Buffer.from('two'))])
    stream.write(both.subarray(0, 3))
    stream.write(both.subarray(3))
    await expect.poll(() => sent).toEqual(['one', 'two'])
    const heard: string[] = []
    stream.on(
      'data',
      createDatagramReader((payload) => void heard.push(String(payload))),
    )
    say('three')
    await expect.poll(() => heard).toEqual(['three'])
  })
  it.each([
    ['the stream ends', (stream: ReturnType<typeof streamOf>) => void stream.resume().end()],
    ['the stream breaks', (stream: ReturnType<typeof streamOf>) => void stream.destroy()],
  ])('is closed when %s', async (_, end) => {
    const { datagrams, closed } = port()
    const stream = streamOf(datagrams, never)
    end(stream)
    await once(stream, 'close')
    expect(closed()).toBe(1)
  })
  it('and by the signal', async () => {
    const { datagrams, closed } = port()
    const stop = new AbortController()
    const stream = streamOf(datagrams, stop.signal)
    stop.abort()
    await once(stream, 'close')
    expect(closed()).toBe(1)
  })
  it('is not there where the platform passes none on, or does not answer in time', async () => {
    await expect(dialAsStream({ platform: {}, handle }, 'play', never, 1_000)).rejects.toThrow(
      /not passed on/,
    )
    const silent = {
      dialDatagrams: (_: Handle, __: string, signal: AbortSignal) =>
        new Promise<Datagrams>((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        ),
    }
    await expect(dialAsStream({ platform: silent, handle }, 'play', never, 5)).rejects.toThrow(/in time/)
  })
})
