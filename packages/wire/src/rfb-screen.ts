/** A tiny RFB 3.8 client (RFC 6143): takes one picture of a display, and types into it for tests. */
import type { Duplex } from 'node:stream'
import { encodePng, type Picture, shrink } from './png.ts'

export interface Screen {
  readonly width: number
  readonly height: number
  readonly name: string
  /** One full picture as it is now. */
  grab(): Promise<Picture>
  /** Presses and releases; keysyms of X11 (`keysymdef.h`). */
  key(keysym: number, down: boolean): void
  /** Moves the pointer; buttons as a bit mask. */
  pointer(x: number, y: number, buttons: number): void
  close(): void
}

const LIMIT_MS = 10_000
/** A display says how large it is; beyond this we do not believe it (8K). */
const MAX_PIXELS = 7680 * 4320
const MAX_TEXT_BYTES = 16 * 2 ** 20
const READ_BYTES = 256 * 1024
/** 32 bits, little-endian, red in the lowest byte: in memory red, green, blue, nothing. */
const PIXEL_FORMAT = Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0])
export const KEYSYM = {
  enter: 0xff0d,
  backspace: 0xff08,
  tab: 0xff09,
  escape: 0xff1b,
  shift: 0xffe1,
} as const

/** Exactly n bytes at a time, from a stream in paused mode, so that the kernel holds back what is not read yet. */
function createTake(stream: Duplex, signal: AbortSignal): (count: number) => Promise<Buffer> {
  let wake: () => void = () => undefined
  let failure: Error | null = null
  const stop = (error: Error) => {
    failure ??= error
    wake()
  }
  stream.on('readable', () => wake())
  stream.on('end', () => stop(new Error('the display closed the connection')))
  stream.on('close', () => stop(new Error('the connection to the display was closed')))
  stream.on('error', stop)
  signal.addEventListener('abort', () => {
    stop(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    stream.destroy()
  })
  return async (count) => {
    for (;;) {
      const bytes: Buffer | null = count === 0 ? Buffer.alloc(0) : stream.read(count)
      // At the end of a stream read() gives what is left, however little.
      if (bytes?.length === count) return bytes
      if (failure || bytes) throw failure ?? new Error('the display closed the connection')
      signal.throwIfAborted()
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
}

async function greet(stream: Duplex, take: (count: number) => Promise<Buffer>) {
  const banner = (await take(12)).toString('latin1')
  if (!/^RFB \d{3}\.\d{3}\n$/.test(banner)) throw new Error('it does not speak RFB')
  stream.write('RFB 003.008\n')
  const count = (await take(1))[0]!
  if (count === 0) throw new Error('the display refused the connection')
  const kinds = await take(count)
  if (!kinds.includes(1)) throw new Error('the display wants a password')
  stream.write(Buffer.from([1]))
  if ((await take(4)).readUInt32BE() !== 0) throw new Error('the display refused the connection')
  // Shared: whoever looks at it already stays.
  stream.write(Buffer.from([1]))
  const start = await take(24)
  const [width, height] = [start.readUInt16BE(0), start.readUInt16BE(2)]
  if (width * height === 0 || width * height > MAX_PIXELS)
    throw new Error(`a display of ${width} × ${height}`)
  const length = start.readUInt32BE(20)
  if (length > 4096) throw new Error('the name of the display is too long')
  const name = (await take(length)).toString('utf8')
  stream.write(Buffer.concat([Buffer.from([0, 0, 0, 0]), PIXEL_FORMAT]))
  // Raw only.
  stream.write(Buffer.from([2, 0, 0, 1, 0, 0, 0, 0]))
  return { width, height, name }
}

/** Joins a display without a password. The signal ends it; each picture has a limit of 10 s. */
export async function openScreen(stream: Duplex, { signal }: { signal: AbortSignal }): Promise<Screen> {
  const take = createTake(stream, signal)
  const { width, height, name } = await greet(stream, take)

  /** Reads one rectangle into the picture; gives its area. */
  async function readRectangle(pixels: Buffer): Promise<number> {
    const head = await take(12)
    const [x, y, w, h] = [
      head.readUInt16BE(0),
      head.readUInt16BE(2),
      head.readUInt16BE(4),
      head.readUInt16BE(6),
    ]
    if (head.readInt32BE(8) !== 0) throw new Error('an encoding that was not asked for')
    if (x + w > width || y + h > height) throw new Error('a rectangle outside of the display')
    if (w * h === 0) return 0
    const rows = Math.max(1, Math.floor(READ_BYTES / (w * 4)))
    for (let at = 0; at < h; at += rows) {
      const some = Math.min(rows, h - at)
      const bytes = await take(some * w * 4)
      for (let row = 0; row < some; row += 1)
        bytes.copy(pixels, ((y + at + row) * width + x) * 4, row * w * 4, (row + 1) * w * 4)
    }
    return w * h
  }

  /** Reads messages until the next framebuffer update; gives its number of rectangles. */
  async function nextUpdate(): Promise<number> {
    for (;;) {
      const type = (await take(1))[0]
      if (type === 0) return (await take(3)).readUInt16BE(1)
      if (type === 1) await take((await take(5)).readUInt16BE(3) * 6)
      else if (type === 3) {
        const length = (await take(7)).readUInt32BE(3)
        if (length > MAX_TEXT_BYTES) throw new Error('a clipboard that is too long')
        await take(length)
      } else if (type !== 2) throw new Error(`a message of unknown type ${type}`)
    }
  }

  return {
    width,
    height,
    name,
    async grab() {
      const late = setTimeout(
        () => stream.destroy(new Error('the display did not send a picture in time')),
        LIMIT_MS,
      )
      try {
        const request = Buffer.alloc(10)
        request[0] = 3
        request.writeUInt16BE(width, 6)
        request.writeUInt16BE(height, 8)
        stream.write(request)
        const pixels = Buffer.alloc(width * height * 4)
        let area = 0
        while (area < width * height)
          for (let left = await nextUpdate(); left > 0; left -= 1) area += await readRectangle(pixels)
        return { width, height, pixels }
      } finally {
        clearTimeout(late)
      }
    },
    key(keysym, down) {
      const message = Buffer.from([4, down ? 1 : 0, 0, 0, 0, 0, 0, 0])
      message.writeUInt32BE(keysym, 4)
      stream.write(message)
    },
    pointer(x, y, buttons) {
      const message = Buffer.from([5, buttons, 0, 0, 0, 0])
      message.writeUInt16BE(x, 2)
      message.writeUInt16BE(y, 4)
      stream.write(message)
    },
    close: () => void stream.destroy(),
  }
}

const withScreen = async <T>(
  stream: Duplex,
  signal: AbortSignal,
  work: (screen: Screen) => Promise<T> | T,
): Promise<T> => {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
  try {
    return await work(await openScreen(stream, { signal: limit }))
  } finally {
    stream.destroy()
  }
}

/** One full picture; the connection is used up. */
export const grabScreen = (stream: Duplex, { signal }: { signal: AbortSignal }): Promise<Picture> =>
  withScreen(stream, signal, (screen) => screen.grab())

/** A small picture as PNG; the connection is used up. */
export const readScreen = async (
  stream: Duplex,
  { maxWidth, signal }: { maxWidth: number; signal: AbortSignal },
): Promise<Buffer> => encodePng(shrink(await grabScreen(stream, { signal }), maxWidth))

/** Presses and releases each key in turn. */
export function sendKeys(screen: Screen, keysyms: readonly number[]): void {
  for (const keysym of keysyms) {
    screen.key(keysym, true)
    screen.key(keysym, false)
  }
}

/** Types Latin text; a line end becomes Enter. Keysyms of Latin-1 are the characters' own numbers, others have 0x01000000 added. */
export function typeText(screen: Screen, text: string): void {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (character === '\n') sendKeys(screen, [KEYSYM.enter])
    else sendKeys(screen, [code < 256 ? code : 0x01000000 + code])
  }
}
