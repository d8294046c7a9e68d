/** What stands between a request and a service: is it said clearly, whose address is it, may one come from there, and so often. */
import type { IncomingMessage } from 'node:http'
import { fail } from '@kalnet/contracts/errors'
import { networkOf } from '../../core/origin.ts'
import { type Trace, traceOf } from '../../core/trace.ts'
import { type Host, isNear, pathOf, readHost, readUri } from './address.ts'
import { type EngineOptions, HEADER_BYTES, HEADER_COUNT, type Verdict } from './interface.ts'
import { stickyTag } from './policies/sticky.ts'
import type { Rotation } from './rotation.ts'
import type { Table } from './table.ts'

export type Passed = Extract<Verdict, { pass: true }>
export interface Visit {
  rotation: Rotation
  method: string
  scheme: 'http' | 'https'
  host: Host
  /** As it came. */
  uri: string
  /** As it goes on. */
  path: string
  prefix: string
  address: string
  trace: Trace
  /** The instance this visitor stays with. */
  tag: string | null
  upgrade: boolean
  /** Of a WebSocket: what it was answered with; 0: nothing yet. */
  status: number
}
export type Entry =
  | { kind: 'own' }
  | { kind: 'text'; body: string }
  | { kind: 'redirect'; to: string }
  | { kind: 'visit'; visit: Visit }

const CHALLENGE = '/.well-known/acme-challenge/'
const OWN_PATHS = '/.kalnet/'

export const addressOf = (request: IncomingMessage): string =>
  (request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')

const unclear = (problem: string) => fail('request.invalid', { problem })

/** The one host this request is for. Throws when it names none, or two. */
function hostOf(request: IncomingMessage): Host {
  let named: string | null = null
  const raw = request.rawHeaders
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    if (name !== ':authority' && (name.length !== 4 || name.toLowerCase() !== 'host')) continue
    const value = raw[at + 1] ?? ''
    if (named !== null && named !== value) throw unclear('it names two hosts')
    if (named !== null && request.httpVersionMajor === 1) throw unclear('it names its host twice')
    named = value
  }
  const host = named === null ? null : readHost(named)
  if (!host) throw unclear('it names no host that could be one')
  return host
}

/** Path and query; of an absolute form only when it is of the same host (RFC 9112 §3.2.2). */
function targetOf(request: IncomingMessage, host: Host): string {
  const target = request.url ?? ''
  const [, authority, rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target) ?? []
  if (authority !== undefined && authority.toLowerCase() !== host.text) throw unclear('it names two hosts')
  const plain = authority === undefined ? target : rest.startsWith('/') ? rest : `/${rest}`
  const uri = readUri(plain)
  if (uri === null) throw unclear('its address has signs that must not be there')
  return uri
}

/** Asked of whoever judges: guarded routes, and where a browser comes back or signs out on a service's own host. */
export const mustBeJudged = ({ rotation, uri }: Visit): boolean =>
  rotation.route.access !== 'public' || uri.startsWith(OWN_PATHS)

export function createAdmit(
  options: Pick<EngineOptions, 'clock' | 'own' | 'challenge' | 'traceShare'>,
  given: {
    table(): Table<Rotation>
    /** Some of it is for everybody; else it is as if the name were not there, for whoever comes from outside. */
    isOutside(host: string): boolean
    httpsPort(): number | null
  },
) {
  const { clock, own, traceShare } = options

  return function admit(request: IncomingMessage, secure: boolean, upgrade: boolean): Entry {
    if (request.rawHeaders.length > HEADER_COUNT * 2)
      throw fail('request.too-large', { limitBytes: HEADER_BYTES })
    const method = request.method ?? ''
    if (method === 'CONNECT' || method === 'TRACE') throw unclear(`${method} is not for services`)
    const host = hostOf(request)
    const uri = targetOf(request, host)
    const path = pathOf(uri)
    if (!secure && path.startsWith(CHALLENGE)) {
      const body = options.challenge?.(host.name, path.slice(CHALLENGE.length))
      if (typeof body === 'string') return { kind: 'text', body }
    }
    const isOwn = own.hosts().includes(host.name)
    const address = addressOf(request)
    const now = clock.now().getTime()
    const isHome = isNear(address, now)
    const isThere = !isOwn && (isHome || given.isOutside(host.name))
    const led = isThere ? given.table().find(host.name, path) : null
    if (led === 'unclear') throw unclear('its path can be read in two ways')
    if (!isOwn && (!led || (led.route.route.exposure === 'internal' && !isHome)))
      throw fail('gateway-route.unknown', { host: host.name })
    const httpsPort = given.httpsPort()
    if (!secure && httpsPort !== null) {
      const port = httpsPort === 443 ? '' : `:${httpsPort}`
      const name = host.name.includes(':') ? `[${host.name}]` : host.name
      return { kind: 'redirect', to: `https://${name}${port}${uri}` }
    }
    if (!led) return { kind: 'own' }

    const rotation = led.route
    const { counts } = rotation
    counts.requests += 1
    if (rotation.bucket) {
      const seconds = rotation.bucket.take(
        rotation.policy.rate?.by === 'route' ? '' : networkOf(address),
        now,
      )
      if (seconds > 0) {
        counts.rejected += 1
        throw fail('request.too-many', { seconds })
      }
    }
    const limit = rotation.policy.bodyBytes
    if (limit !== null && Number(request.headers['content-length'] ?? 0) > limit) {
      counts.rejected += 1
      throw fail('request.too-large', { limitBytes: limit })
    }
    const prefix =
      led.match.strip && led.match.pathPrefix !== '/' ? led.match.pathPrefix.replace(/\/$/, '') : ''
    const stripped = uri.slice(prefix.length)
    const { headers } = request
    return {
      kind: 'visit',
      visit: {
        rotation,
        method,
        scheme: secure ? 'https' : 'http',
        host,
        uri,
        path: stripped.startsWith('/') ? stripped : `/${stripped}`,
        prefix,
        address,
        trace: traceOf(headers['x-request-id'], headers.traceparent, headers.tracestate, traceShare),
        tag: rotation.policy.sticky ? stickyTag(headers.cookie) : null,
        upgrade,
        status: 0,
      },
    }
  }
}
export type Admit = ReturnType<typeof createAdmit>
