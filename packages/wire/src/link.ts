/** The controller's end of the control link: one outbound WebSocket, proved by a signature, made again for ever. */
import {
  challengeText,
  type FromController,
  HEARTBEAT_MS,
  LINK_MESSAGE_BYTES,
  LINK_PATH,
  OFFLINE_MS,
  SPOKEN,
  type ToController,
  toController,
} from '@kalnet/contracts/controller'
import { backoff, type Clock, systemClock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { WebSocket } from 'ws'
import { createReader } from './messages.ts'
import { createPulse } from './pulse.ts'

export interface LinkOptions {
  /** The address of the control plane as it was configured: it is part of what is signed. */
  url: string
  tls?: { ca?: string | Buffer }
  identity: {
    controllerId: string
    sign(text: string): string | Promise<string>
    /** The last signature was refused; true when there is another key to try at once. */
    refused?(): boolean
    /** The last signature was good. */
    proved?(): void
  }
  hello: { version: string; hostname: string; machine?: string; answers?: string[] }
  /** What we speak, the highest first; default: this release. */
  protocols?: readonly number[]
  /** Everything but challenge, welcome and refused, which the link itself answers. */
  onMessage(message: ToController): void
  /** Proved and welcomed: now send the inventory. */
  onUp(): void
  onDown(reason: string): void
  signal: AbortSignal
  clock?: Clock
  log: Log
}
export interface Link {
  /** False when the link is down or the message is too large; nothing is kept for later (level-triggered). */
  send(message: FromController): boolean
  up(): boolean
  /** Settles when the signal has ended the link. */
  ended: Promise<void>
}

interface Ending {
  reason: string
  wasUp: boolean
  refused: boolean
}

const HANDSHAKE_MS = 10_000
const readToController = createReader(toController)

/** Quick first tries, so that viewers are back soon after a restart; slower when refused or after a long absence. */
export function waitBeforeRetry(ending: Ending, attempt: number, random = Math.random): number {
  if (ending.refused) return backoff(attempt, 2_000, 15_000, random)
  return backoff(attempt, 200, attempt < 20 ? 1_500 : 15_000, random)
}

const linkUrl = (url: string): string => {
  const link = new URL(LINK_PATH, url)
  link.protocol = link.protocol === 'https:' ? 'wss:' : 'ws:'
  return link.href
}

/** Connects and keeps connected until the signal. Unknown messages are logged and ignored. */
export function connectLink(options: LinkOptions): Link {
  const { signal, log, clock = systemClock } = options
  const pulse = createPulse(1_000, clock)
  let socket: WebSocket | null = null
  let up = false

  function transmit(on: WebSocket, message: FromController): boolean {
    const text = JSON.stringify(message)
    if (Buffer.byteLength(text) > LINK_MESSAGE_BYTES) {
      log.error(
        { type: message.type, bytes: text.length },
        'a message was too large for the link and not sent',
      )
      return false
    }
    if (on.bufferedAmount > 4 * LINK_MESSAGE_BYTES) {
      // A peer that does not read: start again, the inventory repeats what counts.
      on.terminate()
      return false
    }
    on.send(text)
    return true
  }

  async function answerChallenge(on: WebSocket, nonce: string): Promise<void> {
    const { controllerId, sign } = options.identity
    const signature = await sign(challengeText(nonce, options.url))
    transmit(on, {
      type: 'hello',
      controllerId,
      protocols: [...(options.protocols ?? SPOKEN)],
      url: options.url,
      signature,
      ...options.hello,
    })
  }

  function live(): Promise<Ending> {
    return new Promise((resolve) => {
      const on = new WebSocket(linkUrl(options.url), {
        ca: options.tls?.ca,
        maxPayload: LINK_MESSAGE_BYTES,
        handshakeTimeout: HANDSHAKE_MS,
        perMessageDeflate: false,
      })
      let ending: Ending = { reason: 'the connection ended', wasUp: false, refused: false }
      let silentMs = 0
      let beats = 0
      const heard = () => {
        silentMs = 0
      }
      const leave = pulse.join(() => {
        silentMs += 1_000
        beats += 1
        if (silentMs >= (up ? OFFLINE_MS : HANDSHAKE_MS)) {
          ending.reason = `the control plane was silent for ${silentMs / 1000} s`
          on.terminate()
        } else if (up && beats % (HEARTBEAT_MS / 1_000) === 0) on.ping()
      })
      const onAbort = () => {
        ending.reason = 'stopped'
        on.close(1001)
        // A peer that does not answer the close must not hold us up.
        setTimeout(() => on.terminate(), 500).unref()
      }
      signal.addEventListener('abort', onAbort, { once: true })
      on.on('ping', heard)
      on.on('pong', heard)
      on.on('message', (data, isBinary) => {
        heard()
        if (isBinary) return log.warn('a binary message on the link was ignored')
        const read = readToController(data.toString())
        if (read.kind === 'unknown') return log.info({ type: read.type }, 'an unknown message was ignored')
        if (read.kind === 'invalid')
          return log.error({ problem: read.problem }, 'a broken message was ignored')
        const { message } = read
        if (message.type === 'challenge')
          answerChallenge(on, message.nonce).catch((error: unknown) => {
            log.error({ error }, 'the challenge could not be signed')
            on.terminate()
          })
        else if (message.type === 'refused') {
          const isOtherKeyLeft =
            message.code === 'controller.signature' && (options.identity.refused?.() ?? false)
          ending = { ...ending, reason: message.message, refused: !isOtherKeyLeft }
          log[isOtherKeyLeft ? 'info' : 'error'](
            { code: message.code },
            `the control plane refused: ${message.message}`,
          )
        } else if (message.type === 'welcome') {
          socket = on
          up = true
          ending.wasUp = true
          options.identity.proved?.()
          options.onUp()
        } else if (up) options.onMessage(message)
      })
      on.on('error', (error) => {
        ending.reason = error.message
      })
      on.on('close', (code, reason) => {
        leave()
        signal.removeEventListener('abort', onAbort)
        if (code !== 1005 && code !== 1006 && ending.reason === 'the connection ended')
          ending.reason = `closed with ${code} ${reason.toString()}`.trim()
        const wasUp = up
        socket = null
        up = false
        if (wasUp) options.onDown(ending.reason)
        resolve(ending)
      })
    })
  }

  async function keep(): Promise<void> {
    let attempt = 0
    while (!signal.aborted) {
      const ending = await live()
      if (ending.wasUp) attempt = 0
      // Once is enough: the tries that follow say nothing new.
      const level = attempt === 0 ? 'warn' : 'debug'
      if (!signal.aborted) log[level]({ reason: ending.reason }, 'no connection to the control plane')
      if (signal.aborted) return
      try {
        await clock.sleep(waitBeforeRetry(ending, attempt), signal)
      } catch {
        // Aborted while waiting: that is the ordinary end.
        return
      }
      attempt += 1
    }
  }

  return {
    send: (message) => (up && socket ? transmit(socket, message) : false),
    up: () => up,
    ended: keep(),
  }
}
