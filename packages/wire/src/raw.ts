/** Raw streams: one upgraded HTTP connection of plain bytes per viewer, dialled back by the controller. */
import { request as httpRequest, type IncomingMessage, STATUS_CODES } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ErrorBody, errorBody, fail, type KalnetError } from '@kalnet/contracts/errors'
import { DIAL_PATH, DIAL_UPGRADE } from '@kalnet/contracts/stream'

export interface DialOptions {
  /** The configured address of the control plane. */
  url: string
  tls?: { ca?: string | Buffer }
  /** The one-use dial token of `stream.open`. */
  token: string
  signal: AbortSignal
  /** Default 10 s. */
  timeoutMs?: number
}

const KEEP_ALIVE_MS = 20_000

/** Small writes leave at once, and a peer that vanished is noticed by the kernel (20 s, then 10 probes a second apart). */
export function quicken(stream: Duplex): void {
  if (!(stream instanceof Socket)) return
  stream.setNoDelay(true)
  stream.setKeepAlive(true, KEEP_ALIVE_MS)
  stream.setTimeout(0)
}

const said = (body: string): ErrorBody['error'] | null => {
  try {
    return errorBody.parse(JSON.parse(body)).error
  } catch {
    // Somebody in between answered in his own words; the status says enough.
    return null
  }
}

function refusal(response: IncomingMessage): Promise<KalnetError> {
  return new Promise((resolve) => {
    let body = ''
    const done = () => {
      const error = said(body)
      const problem = error ? `${error.code}: ${error.message}` : `status ${response.statusCode}`
      resolve(fail('stream.unreachable', { problem }))
    }
    response.setEncoding('utf8')
    response.on('data', (piece: string) => {
      body = (body + piece).slice(0, 8192)
    })
    response.once('end', done)
    response.once('error', done)
  })
}

/** Connects to the control plane and gives the bytes after its 101. Throws `stream.unreachable`. */
export function dialRaw(options: DialOptions): Promise<Duplex> {
  const { token, tls, signal, timeoutMs = 10_000 } = options
  const url = new URL(DIAL_PATH, options.url)
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  return new Promise((resolve, reject) => {
    const refuse = (problem: string, cause?: unknown) =>
      reject(fail('stream.unreachable', { problem }, cause))
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      agent: false,
      ca: tls?.ca,
      headers: { connection: 'Upgrade', upgrade: DIAL_UPGRADE, authorization: `Bearer ${token}` },
    })
    // Not given to the request as its signal: it must not end the connection after the upgrade.
    const onAbort = () => {
      request.destroy()
      refuse(signal.aborted ? 'it was given up' : `no answer within ${timeoutMs / 1000} s`)
    }
    const settled = () => limit.removeEventListener('abort', onAbort)
    if (limit.aborted) return onAbort()
    limit.addEventListener('abort', onAbort, { once: true })
    request.once('error', (error) => {
      settled()
      refuse(error.message, error)
    })
    request.once('response', (response) => {
      refusal(response).then((error) => {
        settled()
        request.destroy()
        reject(error)
      }, reject)
    })
    request.once('upgrade', (_response, socket, head) => {
      settled()
      quicken(socket)
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    request.end()
  })
}

/** Answers an upgrade request with an error of the table and closes. */
export function refuseUpgrade(socket: Duplex, error: KalnetError, requestId = ''): void {
  const body = JSON.stringify(error.body(requestId))
  // The other side may be gone already; there is nobody to tell then.
  socket.on('error', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Error'}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

export interface RawOffer {
  token: string
  /** Answers 101; from then on the bytes are the stream's. */
  accept(): Duplex
  refuse(error: KalnetError): void
}

/** The control plane's end. Null when it is no raw upgrade with a token; it is answered then. */
export function acceptRaw(request: IncomingMessage, socket: Duplex, head: Buffer): RawOffer | null {
  const [, token] = /^Bearer ([\w-]{20,200})$/.exec(request.headers.authorization ?? '') ?? []
  if (request.method !== 'GET' || request.headers.upgrade?.toLowerCase() !== DIAL_UPGRADE || !token) {
    refuseUpgrade(
      socket,
      fail('request.invalid', { problem: `an upgrade to ${DIAL_UPGRADE} is expected here` }),
    )
    return null
  }
  return {
    token,
    accept() {
      quicken(socket)
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${DIAL_UPGRADE}\r\n\r\n`,
      )
      if (head.length > 0) socket.unshift(head)
      return socket
    },
    refuse: (error) => refuseUpgrade(socket, error),
  }
}
