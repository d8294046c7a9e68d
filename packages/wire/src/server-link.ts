/** The control plane's end of the control link: challenge, proof, protocol, then checked messages. */
import { createPublicKey, randomBytes, verify } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  challengeText,
  type FromController,
  fromController,
  HEARTBEAT_MS,
  LINK_MESSAGE_BYTES,
  OFFLINE_MS,
  SPOKEN,
  type ToController,
} from '@kalnet/contracts/controller'
import { fail, KalnetError } from '@kalnet/contracts/errors'
import { type Clock, stamp, systemClock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { type WebSocket, WebSocketServer } from 'ws'
import { createReader } from './messages.ts'
import { createPulse, type Pulse } from './pulse.ts'

export type Hello = Extract<FromController, { type: 'hello' }>
export interface ServerLink {
  readonly controllerId: string
  readonly hello: Hello
  /** The highest one that both ends speak. */
  readonly protocol: number
  /** False when the link is down; desired state is sent whole on the next connect. */
  send(message: ToController): boolean
  close(code: number, reason: string): void
}
export interface AcceptOptions {
  log: Log
  clock?: Clock
  /** What we speak, the highest first; default: this release. */
  protocols?: readonly number[]
  /** Who it is, or why not. `proveHello` does the usual check. */
  authenticate(hello: Hello, nonce: string): Promise<string | KalnetError>
  /** Proved and welcomed; called before its first message. */
  onUp?(link: ServerLink): void
  /** Everything but hello. */
  onMessage(message: Exclude<FromController, Hello>, link: ServerLink): void
  /** Once, only for a link that was up. */
  onClose(link: ServerLink, reason: string): void
}

/** Codes of the private range with which a link is closed (RFC 6455 §7.4.2). */
export const LINK_CLOSE = {
  invalid: 4400,
  unproved: 4401,
  late: 4408,
  version: 4426,
  later: 4503,
  /** A second link of the same controller took over. */
  replaced: 4409,
} as const
const HELLO_MS = 5_000
const readFromController = createReader(fromController)
const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: LINK_MESSAGE_BYTES,
  perMessageDeflate: false,
  clientTracking: false,
})
const pulses = new WeakMap<Clock, Pulse>()
const pulseOf = (clock: Clock): Pulse => {
  const pulse = pulses.get(clock) ?? createPulse(1_000, clock)
  pulses.set(clock, pulse)
  return pulse
}

/** Ed25519 public keys travel raw (32 bytes); node:crypto wants them as a JWK (RFC 8037). */
export function checkSignature(publicKey: string, text: string, signature: string): boolean {
  try {
    const x = Buffer.from(publicKey, 'base64').toString('base64url')
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))
  } catch {
    // A key or signature of the wrong form proves nothing, like a wrong one.
    return false
  }
}

/** The check of a hello: known, speaking to one of our own addresses, and holding the private key. */
export async function proveHello(
  hello: Hello,
  nonce: string,
  by: { publicKeyOf(controllerId: string): Promise<string | null>; allowUrl(url: string): boolean },
): Promise<string | KalnetError> {
  const publicKey = await by.publicKeyOf(hello.controllerId)
  if (publicKey === null) return fail('controller.unknown')
  // The signed address stops somebody else's control plane from passing our challenge on (relay attack).
  if (!by.allowUrl(hello.url)) return fail('controller.signature')
  return checkSignature(publicKey, challengeText(nonce, hello.url), hello.signature)
    ? hello.controllerId
    : fail('controller.signature')
}

/** Takes over an upgrade request. Resolves with the link once it is up, with null when it was refused. */
export function acceptLink(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: AcceptOptions,
): Promise<ServerLink | null> {
  return new Promise((resolve) => {
    // An upgrade that is not a WebSocket's is answered and closed by ws; then nothing else happens here.
    socket.once('close', () => resolve(null))
    sockets.handleUpgrade(request, socket, head, (on) => serve(on, options, resolve))
  })
}

function serve(on: WebSocket, options: AcceptOptions, settle: (link: ServerLink | null) => void): void {
  const { log, clock = systemClock, protocols: spoken = SPOKEN } = options
  const nonce = randomBytes(32).toString('base64')
  let link: ServerLink | null = null
  let state: 'hello' | 'proving' | 'up' | 'over' = 'hello'
  let silentMs = 0
  let beats = 0
  let reason = 'the connection ended'
  const heard = () => {
    silentMs = 0
  }
  const transmit = (message: ToController): boolean => {
    if (on.readyState !== on.OPEN) return false
    if (on.bufferedAmount > 4 * LINK_MESSAGE_BYTES) {
      reason = 'it did not read its messages'
      on.terminate()
      return false
    }
    on.send(JSON.stringify(message))
    return true
  }
  const close = (code: number, why: string) => {
    if (state !== 'up') state = 'over'
    reason = why
    on.close(code, why.slice(0, 120))
    setTimeout(() => on.terminate(), 1_000).unref()
  }
  const refuse = (code: number, error: KalnetError) => {
    log.warn({ code: error.code, details: error.details }, 'a controller was refused')
    transmit({ type: 'refused', code: error.code, message: error.message })
    close(code, error.code)
    state = 'over'
  }

  async function prove(hello: Hello): Promise<void> {
    const protocol = spoken.find((it) => hello.protocols.includes(it))
    if (protocol === undefined) {
      const highest = (of: readonly number[]) => Math.max(0, ...of)
      const known = { theirs: highest(hello.protocols), ours: highest(spoken) }
      return refuse(LINK_CLOSE.version, fail('controller.version', known))
    }
    const answer = await options.authenticate(hello, nonce)
    if (state !== 'proving') return
    if (typeof answer !== 'string') return refuse(LINK_CLOSE.unproved, answer)
    const { send, controllerId } = { send: transmit, controllerId: answer }
    const it: ServerLink = { controllerId, hello, protocol, send, close }
    link = it
    state = 'up'
    send({
      type: 'welcome',
      protocol,
      controllerId,
      heartbeatMs: HEARTBEAT_MS,
      serverTime: stamp(clock),
    })
    options.onUp?.(it)
    settle(it)
  }

  const leave = pulseOf(clock).join(() => {
    silentMs += 1_000
    beats += 1
    if (state !== 'up' && silentMs >= HELLO_MS) {
      if (state === 'hello') refuse(LINK_CLOSE.late, fail('request.time-out'))
      else on.terminate()
    } else if (silentMs >= OFFLINE_MS) {
      reason = `it was silent for ${silentMs / 1000} s`
      on.terminate()
    } else if (state === 'up' && beats % (HEARTBEAT_MS / 1_000) === 0) on.ping()
  })
  on.on('ping', heard)
  on.on('pong', heard)
  on.on('message', (data, isBinary) => {
    if (state === 'over') return
    heard()
    const read = isBinary
      ? ({ kind: 'invalid', problem: 'it is binary' } as const)
      : readFromController(data.toString())
    if (read.kind === 'unknown') {
      log.info({ type: read.type, controllerId: link?.controllerId }, 'an unknown message was ignored')
    } else if (read.kind === 'invalid') {
      refuse(LINK_CLOSE.invalid, fail('request.invalid', { problem: read.problem }))
    } else if (read.message.type === 'hello') {
      if (state !== 'hello')
        return refuse(LINK_CLOSE.invalid, fail('request.invalid', { problem: 'hello came twice' }))
      state = 'proving'
      prove(read.message).catch((error: unknown) => {
        log.error({ error }, 'a controller could not be judged')
        refuse(LINK_CLOSE.later, error instanceof KalnetError ? error : fail('store.unavailable'))
      })
    } else if (!link) {
      refuse(LINK_CLOSE.invalid, fail('request.invalid', { problem: 'the first message must be hello' }))
    } else options.onMessage(read.message, link)
  })
  on.on('error', (error) => {
    reason = error.message
  })
  on.on('close', () => {
    leave()
    state = 'over'
    settle(null)
    if (link) options.onClose(link, reason)
  })
  transmit({ type: 'challenge', nonce, protocols: [...spoken] })
}
