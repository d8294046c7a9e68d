/** One screen kept open: ticket, WebSocket, RFB; when it goes away, again, until it is told to stop. */

import { STREAM_CLOSE, STREAM_PATH, STREAM_PROTOCOL, TICKET_PREFIX } from 'virtual:contracts'
import type RFB from '@novnc/novnc'
import { ApiProblem, call, ROUTES } from '../api.ts'
import type { Measure } from './figures.ts'
import type { Key } from './keys.ts'

export type ScreenState =
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** `since` in ms since 1970: the last picture stays, dimmed. */
  | { kind: 'away'; since: number }
  | { kind: 'revoked' }
export type FitMode = 'resize' | 'scale' | 'actual'
export type Quality = 'best' | 'balanced' | 'saving'

interface ScreenOptions {
  sessionId: string
  target: HTMLElement
  /** Where the last picture is kept while away. */
  last: HTMLCanvasElement
  measure: Measure
  fit: FitMode
  quality: Quality
  signal: AbortSignal
  onState(state: ScreenState): void
  onClipboard(text: string): void
  /** The session may have ended: ask. */
  onDoubt(): void
}

const FIRST_WAIT_MS = 150
const LONGEST_WAIT_MS = 2_000
const OPEN_LIMIT_MS = 8_000
/** noVNC's JPEG quality and zlib effort, 0 to 9. */
const QUALITIES: Record<Quality, [number, number]> = { best: [9, 1], balanced: [6, 2], saving: [2, 8] }

export const loadNoVnc = () => import('@novnc/novnc')

/** Calls back after each whole picture. noVNC tells nobody, so its own two steps are watched (version pinned). */
function watchPictures(rfb: RFB, onPicture: () => void): void {
  const update = rfb._framebufferUpdate
  const pixels = rfb._handleDataRect
  if (!update || !pixels) throw new Error('this noVNC draws differently')
  let drew = false
  rfb._handleDataRect = () => {
    const done = pixels.call(rfb)
    if (done) drew = true
    return done
  }
  rfb._framebufferUpdate = () => {
    const done = update.call(rfb)
    if (done && drew) {
      drew = false
      onPicture()
    }
    return done
  }
}

function keepPicture(from: HTMLElement, to: HTMLCanvasElement): void {
  const canvas = from.querySelector('canvas')
  if (!canvas || canvas.width === 0) return
  to.width = canvas.width
  to.height = canvas.height
  to.getContext('2d')?.drawImage(canvas, 0, 0)
}

export function openScreen(options: ScreenOptions) {
  const { sessionId, target, last, measure, signal } = options
  let { fit, quality } = options
  let rfb: RFB | null = null
  let wake: (() => void) | null = null
  let everDrew = false

  const applyFit = () => {
    if (!rfb) return
    // Scaling covers the moment until the session has taken the new size, and sessions that cannot.
    rfb.scaleViewport = fit !== 'actual'
    rfb.resizeSession = fit === 'resize'
  }
  const applyQuality = () => {
    if (!rfb) return
    const [level, effort] = QUALITIES[quality]
    rfb.qualityLevel = level
    rfb.compressionLevel = effort
  }
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  /** One connection from ticket to close. Answers the close code and whether a picture was seen. */
  async function connect(Rfb: typeof RFB): Promise<{ code: number; drew: boolean }> {
    const { ticket } = await call(ROUTES.streams.ticket, {
      params: { id: sessionId },
      body: { port: 'display' },
      signal,
    })
    const socket = new WebSocket(STREAM_PATH, [STREAM_PROTOCOL, TICKET_PREFIX + ticket])
    socket.binaryType = 'arraybuffer'
    const limit = setTimeout(() => socket.close(), OPEN_LIMIT_MS)
    let drew = false
    const closed = new Promise<number>((resolve) => {
      socket.addEventListener('close', ({ code }) => {
        if (drew) keepPicture(target, last)
        resolve(code)
      })
    })
    socket.addEventListener('open', () => clearTimeout(limit))
    socket.addEventListener('message', ({ data }) =>
      measure.bytes(performance.now(), (data as ArrayBuffer).byteLength),
    )
    const mine = new Rfb(target, socket, { shared: true })
    rfb = mine
    mine.background = 'transparent'
    mine.focusOnClick = true
    applyFit()
    applyQuality()
    mine.addEventListener('clipboard', ({ detail }) => options.onClipboard(detail.text))
    watchPictures(mine, () => {
      measure.frame(performance.now())
      if (drew) return
      drew = true
      requestAnimationFrame(() => {
        options.onState({ kind: 'live' })
        mine.focus({ preventScroll: true })
        if (everDrew) return
        everDrew = true
        // The server times the first picture; that it could not be told changes nothing for the viewer.
        call(ROUTES.sessions.firstFrame, { params: { id: sessionId }, signal }).catch(() => undefined)
      })
    })
    const stop = () => mine.disconnect()
    signal.addEventListener('abort', stop)
    const code = await closed
    clearTimeout(limit)
    signal.removeEventListener('abort', stop)
    rfb = null
    return { code, drew }
  }

  async function run(): Promise<void> {
    let wait = FIRST_WAIT_MS
    let away: number | null = null
    while (!signal.aborted) {
      let outcome = { code: 0, drew: false }
      try {
        const { default: Rfb } = await loadNoVnc()
        outcome = await connect(Rfb)
      } catch (problem) {
        if (signal.aborted) return
        // No ticket, or the chunk did not load: waiting is all there is to do; a session that ended is asked about.
        if (problem instanceof ApiProblem && problem.status >= 400 && problem.status < 500) options.onDoubt()
      }
      if (signal.aborted) return
      if (outcome.code === STREAM_CLOSE.revoked) {
        options.onState({ kind: 'revoked' })
        return
      }
      if (outcome.code === STREAM_CLOSE.ended || outcome.code === STREAM_CLOSE.unreachable) options.onDoubt()
      if (outcome.drew) {
        wait = FIRST_WAIT_MS
        away = null
      }
      if (everDrew) {
        away ??= Date.now()
        options.onState({ kind: 'away', since: away })
      }
      await pause(wait)
      wait = Math.min(LONGEST_WAIT_MS, wait * 1.7)
    }
  }

  options.onState({ kind: 'connecting' })
  void run()

  return {
    focus: () => rfb?.focus({ preventScroll: true }),
    blur: () => rfb?.blur(),
    /** Down and up, or only one of them. */
    key: ({ keysym, code }: Key, down?: boolean) => {
      measure.input(performance.now())
      rfb?.sendKey(keysym, code, down)
    },
    controlAltDelete: () => rfb?.sendCtrlAltDel(),
    paste: (text: string) => rfb?.clipboardPasteFrom(text),
    tryNow: () => wake?.(),
    setFit(next: FitMode) {
      fit = next
      applyFit()
    },
    setQuality(next: Quality) {
      quality = next
      applyQuality()
    },
  }
}
export type Screen = ReturnType<typeof openScreen>
