import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createInputWatch } from './rfb-input.ts'

const bytes = (length: number, ...first: number[]) =>
  Buffer.from([...first, ...Array(length - first.length).fill(0)])
const greeting = Buffer.concat([Buffer.from('RFB 003.008\n'), bytes(2, 1, 1)])
const texts = (length: number) => {
  const message = bytes(8 + Math.abs(length), 6)
  message.writeInt32BE(length, 4)
  return message
}

const QUIET: [string, Buffer][] = [
  ['its pixel format', bytes(20)],
  ['three encodings', bytes(16, 2, 0, 0, 3, 4, 4, 4, 4, 5)],
  ['asking for a picture', bytes(10, 3, 1)],
  ['a clipboard', texts(300)],
  ['an extended clipboard', texts(-40)],
  ['continuous pictures', bytes(10, 150, 1)],
  ['a fence', bytes(12, 248, 0, 0, 0, 0, 0, 0, 0, 3, 4, 5, 5)],
  ['another size', bytes(24, 251, 0, 4, 0, 4, 0, 1)],
]
const HANDS: [string, Buffer][] = [
  ['a key', bytes(8, 4, 1)],
  ['the pointer', bytes(6, 5, 0, 1, 1)],
  ['the pointer with more buttons', bytes(7, 5, 0x80, 1, 1, 1, 1, 1)],
  ['a key with its place', bytes(12, 255, 0, 0, 1)],
]

function heard(stream: Buffer, cuts: number[] = []): number {
  let count = 0
  const watch = createInputWatch(() => {
    count += 1
  })
  let from = 0
  for (const cut of [...cuts, stream.length].sort((one, other) => one - other)) {
    watch(stream.subarray(from, cut))
    from = cut
  }
  return count
}

describe('who is there', () => {
  it.each(QUIET)('[TPL-1.idle] %s is said by a viewer by itself', (_name, message) => {
    expect(heard(Buffer.concat([greeting, message, message, bytes(10, 3)]))).toBe(0)
  })
  it.each(HANDS)('[TPL-1.idle] %s is somebody', (_name, message) => {
    expect(heard(Buffer.concat([greeting, message]))).toBe(1)
    // It ends where it ends: what comes after it is read as what it is.
    expect(heard(Buffer.concat([greeting, message, bytes(10, 3)]), [greeting.length + message.length])).toBe(
      1,
    )
  })
  it('[TPL-1.idle] however it is cut, the same is heard', () => {
    const all = [...QUIET, ...HANDS].map(([, message]) => message)
    fc.assert(
      fc.property(
        fc.array(fc.nat(all.length - 1), { maxLength: 12 }),
        fc.array(fc.nat(400), { maxLength: 20 }),
        (which, cuts) => {
          const stream = Buffer.concat([greeting, ...which.map((at) => all[at] ?? Buffer.alloc(0))])
          const isUsed = which.some((at) => at >= QUIET.length)
          const within = cuts.filter((cut) => cut <= stream.length)
          expect(heard(stream, within) > 0).toBe(isUsed)
        },
      ),
    )
  })
  it('[TPL-1.idle] what cannot be read counts as somebody from there on', () => {
    const odd = Buffer.concat([greeting, bytes(10, 99), bytes(10, 3)])
    expect(heard(odd, [greeting.length, greeting.length + 10])).toBe(2)
  })
})
