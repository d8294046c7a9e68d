/** Datagrams on a stream arrive whole, in order, however the stream cuts them. */
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDatagramReader, DATAGRAM_BYTES, frameDatagram, sendDatagram } from './datagrams.ts'

describe('[NET-3.udp] datagrams on a stream', () => {
  it('arrive whole and in order, wherever the stream is cut', () => {
    const datagrams = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 30 })
    fc.assert(
      fc.property(datagrams, fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 60 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map((one) => frameDatagram(Buffer.from(one))))
        const got: Buffer[] = []
        const read = createDatagramReader((payload) => got.push(Buffer.from(payload)))
        let at = 0
        for (const cut of cuts) {
          read(bytes.subarray(at, at + cut))
          at = Math.min(bytes.length, at + cut)
        }
        read(bytes.subarray(at))
        expect(got).toEqual(sent.map((one) => Buffer.from(one)))
      }),
    )
  })
  it('are lost when too long, or too much waits, and never fill memory', () => {
    const stream = new PassThrough({ highWaterMark: 10 })
    expect(sendDatagram(stream, Buffer.alloc(DATAGRAM_BYTES + 1))).toBe(false)
    let taken = 0
    for (let turn = 0; turn < 100; turn += 1) if (sendDatagram(stream, Buffer.alloc(60_000))) taken += 1
    expect(taken).toBeGreaterThan(10)
    expect(taken).toBeLessThan(20)
    stream.destroy()
    expect(sendDatagram(stream, Buffer.from('x'))).toBe(false)
  })
})
