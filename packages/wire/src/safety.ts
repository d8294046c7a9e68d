/** What every answer of ours tells a browser, also one that refuses what is no request at all. */
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

const YEAR_S = 31_536_000

/** Nothing is loaded, run, framed or guessed; over https: stay there, with all names below this one. A page sets its own policy. */
export const safetyHeaders = (socket: Duplex): Record<string, string> => ({
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy':
    "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  ...(socket instanceof TLSSocket
    ? { 'strict-transport-security': `max-age=${YEAR_S}; includeSubDomains` }
    : {}),
})

/** A whole answer, for a connection on which nothing else will be said. */
export function plainAnswer(socket: Duplex, status: string, body: string): string {
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...safetyHeaders(socket),
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`
}
