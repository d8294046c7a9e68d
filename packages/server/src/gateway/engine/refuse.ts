/** Saying no: a page for people, the one error table for programs, and never a connection that could be misread afterwards. */
import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { fail, KalnetError } from '@kalnet/contracts/errors'
import { safetyHeaders } from '@kalnet/wire/safety'
import { HEADER_BYTES, type Verdict } from './interface.ts'
import { PAGE_POLICY, pageOf } from './page.ts'

/** What we use of an answer, of HTTP/1.1 and HTTP/2 alike. */
export interface Answer {
  readonly headersSent: boolean
  writeHead(status: number, headers: Record<string, string | string[]>): unknown
  end(body?: string | Buffer): unknown
}
interface From {
  method?: string
  headers: IncomingHttpHeaders
  httpVersionMajor: number
  socket: Duplex
}
/** A body up to this is read and thrown away, so that the connection can be used on; a longer one ends it. */
const DISCARD_BYTES = 65_536

const forPeople = ({ method, headers }: From) =>
  (method === 'GET' || method === 'HEAD') && (headers.accept ?? '').includes('text/html')

/** Who asked first whether the body is wanted may send it or the next request: only the end of the connection is clear (RFC 9110 §10.1.1). */
const bodyComes = ({ headers }: From) =>
  headers['transfer-encoding'] !== undefined ||
  headers.expect !== undefined ||
  Number(headers['content-length'] ?? 0) > DISCARD_BYTES

function answerOf(request: From, error: KalnetError, requestId: string) {
  const page = forPeople(request)
  const { seconds } = error.details
  const body = page ? pageOf(error, requestId) : JSON.stringify(error.body(requestId))
  const headers: Record<string, string> = {
    ...safetyHeaders(request.socket),
    'content-type': page ? 'text/html; charset=utf-8' : 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': requestId,
    vary: 'accept',
    ...(page ? { 'content-security-policy': PAGE_POLICY } : {}),
    ...(seconds === undefined ? {} : { 'retry-after': String(seconds) }),
  }
  return { headers, body }
}
export const known = (thrown: unknown): KalnetError =>
  thrown instanceof KalnetError ? thrown : fail('internal', {}, thrown)

export function refuse(request: From, response: Answer, error: KalnetError, requestId: string): void {
  if (response.headersSent) return
  const { headers, body } = answerOf(request, error, requestId)
  // Under a name of a service its policies are its own: it must not be told to keep to TLS for the names below.
  delete headers['strict-transport-security']
  const closing = request.httpVersionMajor === 1 && bodyComes(request)
  response.writeHead(error.status, closing ? { ...headers, connection: 'close' } : headers)
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** What a judge said instead of letting it pass. */
export function answerVerdict(
  request: From,
  response: Answer,
  verdict: Extract<Verdict, { pass: false }>,
  requestId: string,
): void {
  const closing = request.httpVersionMajor === 1 && bodyComes(request)
  response.writeHead(verdict.status, {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...verdict.headers,
    'x-request-id': requestId,
    ...(closing ? { connection: 'close' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : verdict.body)
}

/** A whole answer on a connection on which nothing else will be said. */
export function writeAnswer(
  socket: Duplex,
  status: number,
  headers: Record<string, string | string[]>,
  body: string | Buffer = '',
): void {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Answer'}`]
  const all = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' }
  for (const [name, value] of Object.entries(all))
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`)
  socket.on('error', () => socket.destroy())
  if (!socket.writable) {
    socket.destroy()
    return
  }
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  socket.end(body)
}

export function refuseUpgrade(request: From, socket: Duplex, error: KalnetError, requestId: string): void {
  const { headers, body } = answerOf(request, error, requestId)
  writeAnswer(socket, error.status, headers, body)
}

/** What is no request at all: told once, then the connection ends. */
export function refuseBroken(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const said =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? fail('request.time-out')
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? fail('request.too-large', { limitBytes: HEADER_BYTES })
        : fail('request.invalid', { problem: 'this is not HTTP' })
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : said.status
  writeAnswer(
    socket,
    status,
    { ...safetyHeaders(socket), 'content-type': 'application/json' },
    JSON.stringify(said.body('none')),
  )
}
