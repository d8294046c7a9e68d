import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closeFrame, createDecoder, frameHeader, MAX_FRAME_BYTES, OPCODE } from './frames.ts'

/** A client's frame as RFC 6455 §5.2 draws it, written apart from the code under test. */
function clientFrame(
  opcode: number,
  payload: Buffer,
  { final = true, mask = Buffer.from([1, 2, 3, 4]), bits = 0, masked = true, form = 0, length = -1 } = {},
): Buffer {
  const size = length < 0 ? payload.length : length
  const width = form || (size < 126 ? 7 : size < 65536 ? 16 : 64)
  const head = [(final ? 0x80 : 0) | bits | opcode]
  const flag = masked ? 0x80 : 0
  if (width === 7) head.push(flag | size)
  else {
    head.push(flag | (width === 16 ? 126 : 127))
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(BigInt(size))
    head.push(...bytes.subarray(width === 16 ? 6 : 0))
  }
  const body = Buffer.from(payload.map((byte, index) => byte ^ mask[index % 4]!))
  return Buffer.concat([Buffer.from(head), masked ? mask : Buffer.alloc(0), masked ? body : payload])
}

function decode(chunks: Buffer[]) {
  const data: Buffer[] = []
  const control: [number, string][] = []
  const broken: number[] = []
  const feed = createDecoder({
    data: (payload) => void data.push(Buffer.from(payload)),
    control: (opcode, payload) => void control.push([opcode, payload.toString('hex')]),
    broken: (code) => void broken.push(code),
  })
  for (const chunk of chunks) feed(Buffer.from(chunk))
  return { data: Buffer.concat(data).toString('hex'), control, broken }
}
const cutAt = (bytes: Buffer, sizes: number[]): Buffer[] => {
  const pieces: Buffer[] = []
  let at = 0
  for (let index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length]!
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

describe('frames', () => {
  const hello = Buffer.from('hello')
  const whole = clientFrame(OPCODE.binary, hello)
  it.each([
    ['a binary frame', [whole], { data: hello.toString('hex') }],
    ['an empty frame', [clientFrame(OPCODE.binary, Buffer.alloc(0))], { data: '' }],
    ['byte by byte', cutAt(whole, [1]), { data: hello.toString('hex') }],
    [
      'fragments with a ping between them',
      [
        clientFrame(OPCODE.binary, Buffer.from('he'), { final: false }),
        clientFrame(OPCODE.ping, Buffer.from('x')),
        clientFrame(OPCODE.continuation, Buffer.from('llo')),
      ],
      { data: hello.toString('hex'), control: [[OPCODE.ping, '78']] },
    ],
    [
      'an empty ping at the end of a read',
      [clientFrame(OPCODE.ping, Buffer.alloc(0))],
      { control: [[9, '']] },
    ],
    [
      'a close frame split',
      cutAt(clientFrame(OPCODE.close, Buffer.from([3, 232])), [3]),
      { control: [[8, '03e8']] },
    ],
  ])('[STR-1.frames] %s is understood', (_name, chunks, expected) => {
    expect(decode(chunks)).toMatchObject({ broken: [], ...expected })
  })

  it.each([
    ['no mask', clientFrame(OPCODE.binary, hello, { masked: false }), 1002],
    ['a reserved bit', clientFrame(OPCODE.binary, hello, { bits: 0x40 }), 1002],
    ['an unknown opcode', clientFrame(3, hello), 1002],
    ['an unknown control opcode', clientFrame(11, hello), 1002],
    ['text', clientFrame(OPCODE.text, hello), 1003],
    ['a fragmented ping', clientFrame(OPCODE.ping, hello, { final: false }), 1002],
    ['a ping of 126 bytes', clientFrame(OPCODE.ping, Buffer.alloc(126)), 1002],
    ['a continuation of nothing', clientFrame(OPCODE.continuation, hello), 1002],
    [
      'a new frame inside a fragmented one',
      Buffer.concat([clientFrame(OPCODE.binary, hello, { final: false }), clientFrame(OPCODE.binary, hello)]),
      1002,
    ],
    ['a 16 bit length for a short frame', clientFrame(OPCODE.binary, hello, { form: 16 }), 1002],
    ['a 64 bit length for a short frame', clientFrame(OPCODE.binary, hello, { form: 64 }), 1002],
    ['more than the limit', clientFrame(OPCODE.binary, hello, { length: MAX_FRAME_BYTES + 1 }), 1009],
    ['an absurd length', clientFrame(OPCODE.binary, hello, { length: 2 ** 52 }), 1009],
  ])('[STR-1.frames] %s is refused with its code', (_name, bytes, code) => {
    expect(decode([bytes]).broken).toEqual([code])
    expect(decode(cutAt(bytes, [1])).broken).toEqual([code])
  })

  it('[STR-1.frames] any frames cut anywhere give the same bytes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            bytes: fc.uint8Array({ maxLength: 300 }),
            mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
          }),
        ),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        (frames, sizes) => {
          const sent = frames.map((it) =>
            clientFrame(OPCODE.binary, Buffer.from(it.bytes), { mask: Buffer.from(it.mask) }),
          )
          const got = decode(cutAt(Buffer.concat(sent), sizes))
          expect(got.broken).toEqual([])
          expect(got.data).toBe(Buffer.concat(frames.map((it) => it.bytes)).toString('hex'))
        },
      ),
    )
  })

  it('[STR-1.frames] random bytes never throw', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
        expect(decode(chunks.map((chunk) => Buffer.from(chunk))).broken.length).toBeLessThanOrEqual(1)
      }),
    )
  })

  it.each([
    [0, '8200'],
    [125, '827d'],
    [126, '827e007e'],
    [65535, '827effff'],
    [65536, '827f0000000000010000'],
    [2 ** 32 + 1, '827f0000000100000001'],
  ])('[STR-1.frames] the header of %i bytes', (length, hex) => {
    expect(frameHeader(OPCODE.binary, length).toString('hex')).toBe(hex)
  })

  it('[STR-1.frames] a close reason is cut to what fits, on a character', () => {
    const frame = closeFrame(4001, 'ü'.repeat(200))
    expect(frame.length).toBe(2 + 2 + 122)
    expect(frame.subarray(4).toString()).toBe('ü'.repeat(61))
  })
})
