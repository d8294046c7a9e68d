import { duplexPair } from 'node:stream'
import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { encodePng, shrink } from './png.ts'
import { grabScreen, readScreen } from './rfb-screen.ts'

const signal = new AbortController().signal
const u16 = (...values: number[]) => values.flatMap((value) => [value >> 8, value & 255])
const pixel = (red: number, green: number, blue: number) => [red, green, blue, 0]

type Message = string | number[]
/** A display that says what it is told, whatever it is asked. */
function display(...messages: Message[]) {
  const [ours, theirs] = duplexPair()
  for (const message of messages) theirs.write(typeof message === 'string' ? message : Buffer.from(message))
  theirs.resume()
  return { ours, theirs }
}
const start = (width: number, height: number) => [...u16(width, height), ...Array(16).fill(0), 0, 0, 0, 1, 65]
const greeting = (width: number, height: number): Message[] => [
  'RFB 003.008\n',
  [1, 1],
  [0, 0, 0, 0],
  start(width, height),
]

describe('rfb-screen', () => {
  it('[STR-4.screen] a picture in several rectangles, with other messages between', async () => {
    const { ours } = display(
      ...greeting(2, 2),
      [2],
      [3, 0, 0, 0, 0, 0, 0, 2, 104, 105],
      [0, 0, ...u16(2), ...u16(0, 0, 2, 1), 0, 0, 0, 0, ...pixel(255, 0, 0), ...pixel(0, 255, 0)],
      [...u16(0, 1, 2, 1), 0, 0, 0, 0, ...pixel(0, 0, 255), ...pixel(9, 9, 9)],
    )
    const picture = await grabScreen(ours, { signal })
    expect([...picture.pixels]).toEqual([
      ...pixel(255, 0, 0),
      ...pixel(0, 255, 0),
      ...pixel(0, 0, 255),
      ...pixel(9, 9, 9),
    ])
  })

  const wrongs: [string, Message[], string][] = [
    ['something else', ['HTTP/1.1 200 OK'], 'RFB'],
    ['a refusal', ['RFB 003.008\n', [0]], 'refused'],
    ['a password', ['RFB 003.008\n', [1, 2]], 'password'],
    ['an absurd size', greeting(65535, 65535), '65535'],
    [
      'a rectangle outside',
      [...greeting(2, 2), [0, 0, ...u16(1), ...u16(1, 1, 2, 1), 0, 0, 0, 0]],
      'outside',
    ],
    [
      'an encoding not asked for',
      [...greeting(1, 1), [0, 0, ...u16(1), ...u16(0, 0, 1, 1), 0, 0, 0, 7]],
      'encoding',
    ],
    ['an unknown message', [...greeting(1, 1), [99]], 'unknown'],
  ]
  it.each(wrongs)('[STR-4.screen] %s is an error, not a hang', async (_name, messages, problem) => {
    const { ours } = display(...messages)
    await expect(grabScreen(ours, { signal })).rejects.toThrow(problem)
    expect(ours.destroyed).toBe(true)
  })

  it('[STR-4.screen] a display that closes or never answers is an error', async () => {
    const closing = display('RFB 003')
    closing.theirs.end()
    await expect(grabScreen(closing.ours, { signal })).rejects.toThrow('closed')
    const silent = display()
    const stop = new AbortController()
    const picture = grabScreen(silent.ours, { signal: stop.signal })
    stop.abort(new Error('given up'))
    await expect(picture).rejects.toThrow('given up')
  })

  it('[STR-4.screen] the PNG has the pixels, made smaller by averaging', async () => {
    const rows = Array.from({ length: 2 }, () => [...pixel(10, 20, 30), ...pixel(30, 40, 50)]).flat()
    const { ours } = display(...greeting(2, 2), [0, 0, ...u16(1), ...u16(0, 0, 2, 2), 0, 0, 0, 0, ...rows])
    const png = await readScreen(ours, { maxWidth: 1, signal })
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1, 1])
    const length = png.readUInt32BE(33)
    expect([...inflateSync(png.subarray(41, 41 + length))]).toEqual([0, 20, 30, 40])
  })

  it('[STR-4.screen] shrinking never enlarges and survives odd sizes', () => {
    const picture = { width: 5, height: 3, pixels: Buffer.alloc(60, 7) }
    expect(shrink(picture, 100)).toBe(picture)
    expect(shrink(picture, 2)).toMatchObject({ width: 1, height: 1 })
    expect(encodePng(picture).length).toBeGreaterThan(40)
  })
})
