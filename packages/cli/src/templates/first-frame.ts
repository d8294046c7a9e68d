/** Looks at the screen of a running instance until its program has drawn, and takes its picture. */
import type { Handle, Platform } from '@kalnet/controller/platforms/platform'
import { systemClock } from '@kalnet/io/clock'
import type { Picture } from '@kalnet/wire/png'
import { openScreen } from '@kalnet/wire/rfb-screen'

/** An empty screen has a background and a pointer; a program has more. */
const DRAWN_COLOURS = 12
const DRAWN_SHARE = 0.01
export const FRAME_LIMIT_MS = 60_000
const LOOK_MS = 40
const TOLD_LINES = 15

/** Whether a program has drawn: several colours, and more than a pointer on the black that a screen begins with. */
export function isDrawn(picture: Picture): boolean {
  const counts = new Map<number, number>()
  for (let at = 0; at + 4 <= picture.pixels.length; at += 4) {
    const colour = picture.pixels.readUInt32LE(at) & 0xffffff
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  const isBlack = (counts.get(0) ?? 0) > (1 - DRAWN_SHARE) * picture.width * picture.height
  return counts.size >= DRAWN_COLOURS && !isBlack
}

export interface FirstFrame {
  firstFrameMs: number
  picture: Picture
}

/**
 * Takes pictures until one shows the program; a display that does not answer yet is asked again. After the first frame
 * it waits `settleMs`, so that the kept picture shows the program as people see it.
 */
export async function watchScreen(
  platform: Platform,
  handle: Handle,
  settleMs: number,
  signal: AbortSignal,
): Promise<FirstFrame> {
  const begin = performance.now()
  const limit = AbortSignal.timeout(FRAME_LIMIT_MS)
  const either = AbortSignal.any([limit, signal])
  const withLog = async (words: string) => {
    const lines = await platform.logs(handle, TOLD_LINES)
    return new Error([words, ...lines.map((line) => `  ${line}`)].join('\n'))
  }
  try {
    for (;;) {
      either.throwIfAborted()
      const seen = await platform.observe(handle)
      if (seen.state !== 'running')
        throw await withLog(`it ended before it drew anything${'reason' in seen ? `: ${seen.reason}` : ''}`)
      const stream = await platform.dial(handle, 'display', either).catch(() => null)
      if (!stream) {
        await systemClock.sleep(LOOK_MS / 2, either)
        continue
      }
      const screen = await openScreen(stream, { signal: either })
      try {
        while (!isDrawn(await screen.grab())) await systemClock.sleep(LOOK_MS, either)
        const firstFrameMs = performance.now() - begin
        await systemClock.sleep(settleMs, signal)
        return { firstFrameMs, picture: await screen.grab() }
      } finally {
        screen.close()
      }
    }
  } catch (error) {
    if (!limit.aborted || signal.aborted) throw error
    throw await withLog(`it drew nothing within ${FRAME_LIMIT_MS / 1000} s`)
  }
}
