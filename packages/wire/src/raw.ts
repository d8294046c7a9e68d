/** Raw streams: one upgraded HTTP connection of plain bytes per viewer, dialled back by the controller. */
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import { connect, isIP, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectSecure } from 'node:tls'
import { errorBody, fail, type KalnetError } from '@kalnet/contracts/errors'
import { DIAL_PATH, DIAL_UPGRADE } from '@kalnet/contracts/stream'
import { plainAnswer } from './safety.ts'

export interface DialOptions {
  /** The configured address of the control plane. */
  url: string
  /** Which door, with its query; default: that of controllers. */
  path?: string
  tls?: { ca?: string | Buffer }
  /** The one-use dial token of `stream.open`, or a service key. */
  token: string
  signal: AbortSignal
  /** Default 10 s. */
  timeoutMs?: number
}

const KEEP_ALIVE_MS = 20_000
/** The longest answer that is read when it is not the 101. */
const MAX_ANSWER_BYTES = 16 * 1024

/** Small writes leave at once, and a peer that vanished is noticed by the kernel (20 s, then 10 probes a second apart). */
export function quicken(stream: Duplex): void {
  if (!(stream instanceof Socket)) return
  stream.setNoDelay(true)
  stream.setKeepAlive(true, KEEP_ALIVE_MS)
  stream.setTimeout(0)
}

const said = (body: string): string | null => {
  try {
    const { code, message } = errorBody.parse(JSON.parse(body)).error
    return `${code}: ${message}`
  } catch {
    // Somebody in between answered in his own words; the status says enough.
    return null
  }
}

function reach(url: URL, ca: string | Buffer | undefined): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (url.protocol !== 'https:') return connect({ host, port: Number(url.port || 80) })
  const servername = isIP(host) ? undefined : host
  return connectSecure({ host, port: Number(url.port || 443), ca, servername, ALPNProtocols: ['http/1.1'] })
}

/**
 * Connects to the control plane and gives the bytes after its 101. Throws `stream.unreachable`. Written out instead of node:http,
 * whose request and parser would stay in memory as long as the stream (8 KiB each).
 */
export function dialRaw(options: DialOptions): Promise<Duplex> {
  const { token, tls, signal, timeoutMs = 10_000 } = options
  const url = new URL(options.path ?? DIAL_PATH, options.url)
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(fail('stream.unreachable', { problem: 'it was given up' }))
    const socket = reach(url, tls?.ca)
    let got: Buffer = Buffer.alloc(0)
    const settle = () => {
      clearTimeout(late)
      signal.removeEventListener('abort', onAbort)
      socket.off('readable', onReadable)
      socket.off('end', onEnd)
      socket.off('error', onError)
      socket.off('close', onEnd)
    }
    const refuse = (problem: string, cause?: unknown) => {
      settle()
      // A late failure of what was given up is of no interest.
      socket.on('error', () => socket.destroy())
      socket.destroy()
      reject(fail('stream.unreachable', { problem }, cause))
    }
    const onAbort = () => refuse('it was given up')
    const late = setTimeout(() => refuse(`no answer within ${timeoutMs / 1000} s`), timeoutMs)
    const onError = (error: Error) => refuse(error.message, error)
    const onEnd = () => {
      const text = got.toString('utf8')
      const [, status] = /^HTTP\/1\.\d (\d{3})/.exec(text) ?? []
      refuse(said(text.slice(text.indexOf('\r\n\r\n') + 4)) ?? (status ? `status ${status}` : 'it hung up'))
    }
    const onReadable = () => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) got = Buffer.concat([got, chunk])
      const end = got.indexOf('\r\n\r\n')
      if (end < 0 || !got.toString('latin1', 0, 13).startsWith('HTTP/1.1 101')) {
        // A refusal is read to its end, which the control plane makes; but not without bound.
        if (got.length > MAX_ANSWER_BYTES) refuse('it does not speak HTTP')
        return
      }
      settle()
      const rest = got.subarray(end + 4)
      if (rest.length > 0) socket.unshift(rest)
      resolve(socket)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('readable', onReadable)
    socket.on('end', onEnd)
    socket.on('close', onEnd)
    socket.on('error', onError)
    quicken(socket)
    socket.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\nconnection: Upgrade\r\nupgrade: ${DIAL_UPGRADE}\r\n` +
        `authorization: Bearer ${token}\r\n\r\n`,
    )
  })
}

/** Answers an upgrade request with an error of the table and closes. */
export function refuseUpgrade(socket: Duplex, error: KalnetError, requestId = ''): void {
  const body = JSON.stringify(error.body(requestId))
  // The other side may be gone already; there is nobody to tell then.
  socket.on('error', () => socket.destroy())
  socket.end(plainAnswer(socket, `${error.status} ${STATUS_CODES[error.status] ?? 'Error'}`, body))
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
