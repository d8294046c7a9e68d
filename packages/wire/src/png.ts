/** Writes a PNG of opaque pixels (ISO/IEC 15948), with nothing but zlib. */
import { crc32, deflateSync } from 'node:zlib'

export interface Picture {
  width: number
  height: number
  /** Four bytes each, red first; the fourth is ignored. */
  pixels: Buffer
}

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
const RGB = 2

function chunk(type: string, data: Buffer): Buffer {
  const bytes = Buffer.alloc(12 + data.length)
  bytes.writeUInt32BE(data.length, 0)
  bytes.write(type, 4, 'latin1')
  data.copy(bytes, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length)
  return bytes
}

export function encodePng({ width, height, pixels }: Picture): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, RGB, 0, 0, 0], 8)
  // Each row starts with its filter: none, which suits flat desktop colours.
  const rows = Buffer.alloc(height * (1 + width * 3))
  let to = 0
  let from = 0
  for (let y = 0; y < height; y += 1) {
    to += 1
    for (let x = 0; x < width; x += 1) {
      rows[to] = pixels[from]!
      rows[to + 1] = pixels[from + 1]!
      rows[to + 2] = pixels[from + 2]!
      to += 3
      from += 4
    }
  }
  const parts = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 6 }))]
  return Buffer.concat([SIGNATURE, ...parts, chunk('IEND', Buffer.alloc(0))])
}

/** Smaller by averaging whole boxes of pixels; never larger. */
export function shrink(picture: Picture, maxWidth: number): Picture {
  const step = Math.max(1, Math.ceil(picture.width / maxWidth))
  if (step === 1) return picture
  const width = Math.max(1, Math.floor(picture.width / step))
  const height = Math.max(1, Math.floor(picture.height / step))
  const pixels = Buffer.alloc(width * height * 4, 255)
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      for (let colour = 0; colour < 3; colour += 1) {
        let sum = 0
        let count = 0
        for (let row = y * step; row < Math.min(picture.height, (y + 1) * step); row += 1)
          for (let column = x * step; column < Math.min(picture.width, (x + 1) * step); column += 1) {
            sum += picture.pixels[(row * picture.width + column) * 4 + colour]!
            count += 1
          }
        pixels[(y * width + x) * 4 + colour] = Math.round(sum / count)
      }
  return { width, height, pixels }
}
