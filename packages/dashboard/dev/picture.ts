/** Pictures for the stand-in: a small pretend desktop as pixels, and as PNG (ISO/IEC 15948). */
import { crc32, deflateSync } from 'node:zlib'

type Colour = readonly [number, number, number]

/** RGBA, row by row. `typed` puts one block on the window for each key. */
export function drawDesktop(width: number, height: number, hue: number, typed = 0): Buffer {
  const pixels = Buffer.alloc(width * height * 4, 255)
  const box = (x: number, y: number, w: number, h: number, [r, g, b]: Colour) => {
    const [left, top] = [Math.max(0, Math.round(x)), Math.max(0, Math.round(y))]
    const [right, bottom] = [Math.min(width, Math.round(x + w)), Math.min(height, Math.round(y + h))]
    for (let row = top; row < bottom; row++) {
      for (let at = (row * width + left) * 4; at < (row * width + right) * 4; at += 4) {
        pixels[at] = r
        pixels[at + 1] = g
        pixels[at + 2] = b
      }
    }
  }
  const tint = (light: number): Colour => [
    Math.round(light * (0.55 + 0.3 * Math.sin(hue))),
    Math.round(light * (0.6 + 0.25 * Math.sin(hue + 2))),
    Math.round(light * (0.65 + 0.25 * Math.sin(hue + 4))),
  ]
  for (let row = 0; row < height; row += 4) box(0, row, width, 4, tint(110 + (60 * row) / height))
  const unit = width / 64
  box(6 * unit, 4 * unit, 46 * unit, 30 * unit, [28, 27, 26])
  box(6 * unit, 4 * unit, 46 * unit, 2.4 * unit, [58, 54, 50])
  for (let dot = 0; dot < 3; dot++)
    box((7 + dot * 1.6) * unit, 4.8 * unit, unit * 0.8, unit * 0.8, [120, 114, 106])
  const lengths = [14, 22, 9, 30, 17, 26, 6, 20, 12, 24]
  lengths.forEach((length, at) => {
    box(8 * unit, (8 + at * 2.1) * unit, 3 * unit, unit * 0.7, [99, 202, 191])
    box(12 * unit, (8 + at * 2.1) * unit, length * unit, unit * 0.7, [190, 184, 176])
  })
  for (let key = 0; key < Math.min(typed, 40); key++)
    box((12 + key) * unit, 29.5 * unit, unit * 0.8, unit * 1.4, [243, 238, 232])
  return pixels
}

const chunk = (type: string, data: Buffer) => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const head = Buffer.alloc(4)
  const tail = Buffer.alloc(4)
  head.writeUInt32BE(data.length)
  tail.writeUInt32BE(crc32(body))
  return Buffer.concat([head, body, tail])
}

export function png(width: number, height: number, pixels: Buffer): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 6, 0, 0, 0], 8)
  const rows = Buffer.alloc(height * (width * 4 + 1))
  for (let row = 0; row < height; row++)
    pixels.copy(rows, row * (width * 4 + 1) + 1, row * width * 4, (row + 1) * width * 4)
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
