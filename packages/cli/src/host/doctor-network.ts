/**
 * Is every address reached as people reach it? Each route is asked through the entry point, by its name, with its certificate checked;
 * what comes of it is pass or fail, with the cause. Asks only the entry point it is given, never a name's own address.
 */
import { request as plain } from 'node:http'
import { request as secure } from 'node:https'
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'
import { connect as connectSecure, type PeerCertificate, rootCertificates, type TLSSocket } from 'node:tls'
import { errorBody } from '@kalnet/contracts/errors'
import type { GatewayRoute } from '@kalnet/contracts/gateway'

export interface Entry {
  /** Where the gateway (or Traefik) is, as seen from here. */
  host: string
  httpPort: number
  /** null: it serves no TLS. */
  httpsPort: number | null
  /** PEM of the local authority, believed besides those of this machine; null: there is none. */
  authority: string | null
}
export interface Found {
  routeId: string
  /** The address as people know it. */
  address: string
  service: string
  /** unknown: nothing can be learnt by asking (UDP has no answer of its own). */
  state: 'pass' | 'fail' | 'unknown'
  /** One sentence: what was answered, or the cause. */
  detail: string
  tookMs: number | null
  /** Of the certificate it showed. */
  certificate: { issuer: string; expiresAt: string; daysLeft: number } | null
}

const LIMIT_MS = 10_000
const DAY_MS = 86_400_000
const SOON_DAYS = 14

/** What Node says of a certificate → what people can do something about. */
const CAUSES: Record<string, string> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is made out to another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: look at the clock of this machine',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by nobody but itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an authority that this machine does not know',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an authority that this machine does not know',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an authority that this machine does not know',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut: no certificate for this name, or another program answers',
  EHOSTUNREACH: 'there is no way to that address',
  ETIMEDOUT: 'it did not answer in time',
  EPROTO: 'it does not speak TLS there',
}
const causeOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return CAUSES[code] ?? (error instanceof Error ? error.message : String(error))
}

/** Those this machine's Node believes, and our own. */
const rootsAnd = (authority: string | null): string[] => [
  ...rootCertificates,
  ...(authority ? [authority] : []),
]

interface Heard {
  status: number
  location: string
  body: string
  certificate: PeerCertificate | null
}

function get(entry: Entry, host: string, path: string, signal: AbortSignal): Promise<Heard> {
  const { httpsPort, httpPort, authority } = entry
  const options = {
    host: entry.host,
    path,
    signal,
    agent: false as const,
    headers: {
      host: httpsPort === null ? `${host}:${httpPort}` : host,
      accept: 'application/json',
      'user-agent': 'kalnet doctor',
    },
  }
  return new Promise((resolve, reject) => {
    const call =
      httpsPort === null
        ? plain({ ...options, port: httpPort })
        : secure({ ...options, port: httpsPort, servername: host, ca: rootsAnd(authority) })
    call.once('response', (answer) => {
      const socket = answer.socket as Partial<TLSSocket>
      const certificate = socket.getPeerCertificate?.() ?? null
      let body = ''
      answer.setEncoding('utf8').on('data', (piece: string) => {
        if (body.length < 4_096) body += piece
      })
      answer.once('error', reject)
      answer.once('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          location: answer.headers.location ?? '',
          body,
          certificate,
        }),
      )
    })
    call.once('error', reject)
    call.end()
  })
}

/** What the gateway itself says of the service, in its own words; null: the answer is the service's. */
function gatewaysWords(body: string): string | null {
  try {
    const { code, message } = errorBody.parse(JSON.parse(body)).error
    return code.startsWith('gateway') ? message : null
  } catch {
    // The service's own answer.
    return null
  }
}

function judge({ status, location, body }: Heard): Pick<Found, 'state' | 'detail'> {
  if (status === 401 || (status === 302 && /\/enter\?/.test(location)))
    return { state: 'pass', detail: 'it asks who one is, as it should' }
  if ([502, 503, 504].includes(status))
    return { state: 'fail', detail: gatewaysWords(body) ?? `the service answers ${status}: look at its page` }
  if (status === 404 && gatewaysWords(body))
    return {
      state: 'fail',
      detail: 'the entry point does not know this address: has it taken over the last change?',
    }
  return { state: 'pass', detail: `it answers (${status})` }
}

function certificateOf(peer: PeerCertificate | null, now: Date): Found['certificate'] {
  if (!peer?.valid_to) return null
  const expires = new Date(peer.valid_to)
  return {
    issuer: String(peer.issuer.O ?? peer.issuer.CN ?? ''),
    expiresAt: expires.toISOString(),
    daysLeft: Math.floor((expires.getTime() - now.getTime()) / DAY_MS),
  }
}

const overTcp = (entry: Entry, port: number, sni: string | null, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = sni
      ? connectSecure({ host: entry.host, port, servername: sni, ca: rootsAnd(entry.authority) }, () =>
          over(null),
        )
      : connect({ host: entry.host, port }, () => over(null))
    const onAbort = () => over(signal.reason)
    function over(error: unknown) {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      if (error) reject(error)
      else resolve()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', over)
  })

export async function askRoute(entry: Entry, route: GatewayRoute, outer: AbortSignal): Promise<Found> {
  const { match } = route
  const address =
    route.url ??
    (match.kind === 'http'
      ? match.host
      : `${match.kind} ${match.listen}${'sni' in match && match.sni ? ` (${match.sni})` : ''}`)
  const found = { routeId: route.id, address, service: route.serviceName, tookMs: null, certificate: null }
  if (match.kind === 'udp')
    return { ...found, state: 'unknown', detail: 'UDP has no answer of its own: use its program' }
  const signal = AbortSignal.any([outer, AbortSignal.timeout(LIMIT_MS)])
  const began = performance.now()
  const took = () => Math.round(performance.now() - began)
  try {
    if (match.kind === 'tcp') {
      await overTcp(entry, match.listen, match.sni, signal)
      return { ...found, state: 'pass', detail: 'it takes the connection', tookMs: took() }
    }
    const host = match.host.startsWith('*.') ? `doctor.${match.host.slice(2)}` : match.host
    const heard = await get(entry, host, match.pathPrefix, signal)
    const certificate = certificateOf(heard.certificate, new Date())
    const judged = judge(heard)
    const isEnding = judged.state === 'pass' && certificate !== null && certificate.daysLeft < SOON_DAYS
    return {
      ...found,
      ...judged,
      ...(isEnding
        ? { detail: `${judged.detail}; its certificate ends in ${certificate.daysLeft} days` }
        : {}),
      tookMs: took(),
      certificate,
    }
  } catch (error) {
    outer.throwIfAborted()
    const detail = signal.aborted ? `it did not answer within ${LIMIT_MS / 1000} seconds` : causeOf(error)
    return { ...found, state: 'fail', detail, tookMs: took() }
  }
}
