/** Headers on their way through: hop-by-hop ones end here (RFC 9110 §7.6.1), a client's claims about itself are replaced by what is true. */
import type { Trace } from '../../core/trace.ts'

type Kind = 'keep' | 'drop' | 'cookie' | 'connection' | 'te' | 'framing'

const HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'upgrade',
  'http2-settings',
  'expect',
])
/** Said by us alone, also in the spelling that some servers take for the same (`X_Forwarded_For`). */
const CLAIMS =
  /^(x-forwarded(-.*)?|forwarded|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip|x-original-(url|uri|host)|x-rewrite-url|x-request-id|traceparent|tracestate|x-kalnet(-.*)?|x-http-method(-override)?|x-method-override)$/
/** Whatever `Connection` names: these are not of one hop only. */
const ENDURING = new Set(['host', 'content-length', 'transfer-encoding', 'cookie', 'authorization', 'te'])

function kindOf(name: string): Kind {
  const lower = name.toLowerCase()
  // What HTTP/2 tells apart from headers.
  if (lower.startsWith(':')) return 'drop'
  if (lower === 'cookie') return 'cookie'
  if (lower === 'connection') return 'connection'
  if (lower === 'te') return 'te'
  if (lower === 'content-length' || lower === 'transfer-encoding') return 'framing'
  const plain = lower.replaceAll('_', '-')
  if (HOP.has(lower) || CLAIMS.test(plain)) return 'drop'
  // `Content_Length`, `Cookie_`…: what some servers fold into a header that was judged.
  return plain !== lower && (HOP.has(plain) || ENDURING.has(plain)) ? 'drop' : 'keep'
}
/** Few names are ever used; the rest of the world's are not remembered. */
const known = new Map<string, Kind>()
const KNOWN_MOST = 2_000
function kind(name: string): Kind {
  const before = known.get(name)
  if (before) return before
  const found = kindOf(name)
  if (known.size < KNOWN_MOST) known.set(name, found)
  return found
}

const OUR_COOKIE = /^(?:__(?:host|secure)-)?kalnet/i
/** The Cookie header without what is ours; null when nothing is left. */
export function othersCookies(header: string): string | null {
  if (!/kalnet/i.test(header)) return header
  const others = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !OUR_COOKIE.test(pair))
  return others.length > 0 ? others.join('; ') : null
}

export interface Truth {
  address: string
  /** As the client wrote it. */
  host: string
  scheme: 'http' | 'https'
  /** Taken from the path before it goes on; '' when none was. */
  prefix: string
  trace: Trace
  /** From whoever judged it. */
  add: Record<string, string>
  drop: readonly string[]
}

function named(connection: string, into: Set<string>) {
  for (const part of connection.toLowerCase().split(',')) {
    const name = part.trim()
    if (name !== '' && !ENDURING.has(name)) into.add(name)
  }
}

/** The request's headers as they go on, as one flat list. `raw`: name, value, name, value; without pseudo headers. */
export function requestHeaders(raw: readonly string[], truth: Truth, framing: readonly string[]): string[] {
  const gone = new Set<string>(truth.drop.map((name) => name.toLowerCase()))
  for (const name of Object.keys(truth.add)) gone.add(name.toLowerCase())
  for (let at = 0; at < raw.length; at += 2)
    if (kind(raw[at] ?? '') === 'connection') named(raw[at + 1] ?? '', gone)
  const out: string[] = ['Host', truth.host]
  let cookies = ''
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    const what = kind(name)
    if (what === 'keep') {
      const lower = name.toLowerCase()
      if (lower !== 'host' && !(gone.size > 0 && gone.has(lower))) out.push(name, value)
    } else if (what === 'cookie') {
      const others = gone.has('cookie') ? null : othersCookies(value)
      if (others !== null) cookies = cookies === '' ? others : `${cookies}; ${others}`
    } else if (what === 'te' && /(^|,)\s*trailers\s*(,|$)/i.test(value)) out.push('TE', 'trailers')
  }
  if (cookies !== '') out.push('Cookie', cookies)
  const { address, host, scheme, prefix, trace } = truth
  const quoted = address.includes(':') ? `"[${address}]"` : address
  out.push(
    'X-Forwarded-For',
    address,
    'X-Forwarded-Host',
    host,
    'X-Forwarded-Proto',
    scheme,
    'X-Real-IP',
    address,
    'Forwarded',
    `for=${quoted};host="${host}";proto=${scheme}`,
    'X-Request-Id',
    trace.requestId,
    'traceparent',
    trace.traceparent,
  )
  if (trace.tracestate !== null) out.push('tracestate', trace.tracestate)
  if (prefix !== '') out.push('X-Forwarded-Prefix', prefix)
  for (const name of Object.keys(truth.add)) {
    const value = truth.add[name]
    if (value !== undefined) out.push(name, value)
  }
  out.push(...framing)
  return out
}

/** What a trailer may never say: it comes after everything was judged (RFC 9110 §6.5.1). */
const NO_TRAILER =
  /^(host|content-(length|encoding|type|range)|transfer-encoding|trailer|te|authorization|(set-)?cookie|cache-control|max-forwards|proxy-.*|www-authenticate|range|if-.*|age|date|expires|location|retry-after|vary|warning)$/
/** As pairs; null when there are none to pass on. */
export function trailersOf(raw: readonly string[]): [string, string][] | null {
  const out: [string, string][] = []
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    if (kind(name) === 'keep' && !NO_TRAILER.test(name.toLowerCase().replaceAll('_', '-')))
      out.push([name, raw[at + 1] ?? ''])
  }
  return out.length > 0 ? out : null
}

/** Ended here, or said by us. A service speaks neither of other ways to reach this host nor of how it is kept open. */
const ANSWER_DROP = new Set([...HOP, 'te', 'alt-svc', 'transfer-encoding', 'x-request-id'])
const SAFETY: readonly [string, string][] = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'strict-origin-when-cross-origin'],
  ['X-Frame-Options', 'SAMEORIGIN'],
]
/** Only this name: the names beside it are other services, some of which may have no TLS yet. */
const STAY_SECURE: [string, string] = ['Strict-Transport-Security', 'max-age=31536000']

/** The answer's headers for the client, as one flat list of pairs. */
export function answerHeaders(
  raw: readonly string[],
  options: { requestId: string; safety: boolean; secure: boolean; sticky: string | null },
): string[] {
  const gone = new Set<string>()
  for (let at = 0; at < raw.length; at += 2)
    if ((raw[at] ?? '').length === 10 && (raw[at] ?? '').toLowerCase() === 'connection')
      named(raw[at + 1] ?? '', gone)
  const out: string[] = []
  const there = new Set<string>()
  let framesByPolicy = false
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const lower = name.toLowerCase()
    const value = raw[at + 1] ?? ''
    if (ANSWER_DROP.has(lower) || gone.has(lower) || lower.startsWith('x-kalnet')) continue
    // A service must not sign anybody in or out of us.
    if (lower === 'set-cookie' && OUR_COOKIE.test(value.trimStart())) continue
    if (lower === 'content-security-policy' && value.includes('frame-ancestors')) framesByPolicy = true
    there.add(lower)
    out.push(name, value)
  }
  if (options.safety) {
    for (const [name, value] of SAFETY)
      if (!there.has(name.toLowerCase()) && !(framesByPolicy && name === 'X-Frame-Options'))
        out.push(name, value)
    if (options.secure && !there.has('strict-transport-security')) out.push(...STAY_SECURE)
  }
  if (options.sticky !== null) out.push('Set-Cookie', options.sticky)
  out.push('X-Request-Id', options.requestId)
  return out
}

/** HTTP/2 takes no list with a name twice: values of one name together. */
export function asRecord(pairs: readonly string[]): Record<string, string | string[]> {
  const record: Record<string, string | string[]> = {}
  for (let at = 0; at < pairs.length; at += 2) {
    const name = (pairs[at] ?? '').toLowerCase()
    const value = pairs[at + 1] ?? ''
    const before = record[name]
    record[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
  }
  return record
}
