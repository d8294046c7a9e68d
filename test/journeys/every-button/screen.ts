/** A session's screen as the browser has it: its sizes, and what the viewer asks of it over the wire. */
import type { Page } from 'playwright-core'

export function screenOf(page: Page) {
  const canvas = page.locator('[data-live="true"] canvas').first()
  return {
    /** The session's own screen. */
    inside: () => canvas.evaluate((it: HTMLCanvasElement) => [it.width, it.height]),
    /** As it is drawn here. */
    outside: () =>
      canvas.evaluate((it) => {
        const { width, height } = it.getBoundingClientRect()
        return [Math.round(width), Math.round(height)]
      }),
  }
}

const SET_ENCODINGS = 2

/** The last [quality, compression] asked for (RFC 6143 §7.5.2 and the registry of pseudo-encodings). Listens from now on. */
export function pictureOrders(page: Page): () => [number, number] | null {
  let last: [number, number] | null = null
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      if (typeof payload === 'string' || payload[0] !== SET_ENCODINGS || payload.length < 4) return
      const count = payload.readUInt16BE(2)
      if (payload.length < 4 + count * 4) return
      const asked = Array.from({ length: count }, (_none, at) => payload.readInt32BE(4 + at * 4))
      const quality = asked.find((it) => it >= -32 && it <= -23)
      const compression = asked.find((it) => it >= -256 && it <= -247)
      if (quality !== undefined && compression !== undefined) last = [quality + 32, compression + 256]
    }),
  )
  return () => last
}
