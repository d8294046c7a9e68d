/** Where a request comes from: its address, whether it asked for us by our name, and whether another site sent it. */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { TLSSocket } from 'node:tls'
import { fail } from '@kalnet/contracts/errors'
import { allowedOrigin } from './cors.ts'

export interface OwnNames {
  /** Further names that lead here: of the certificate, of the public address. */
  names: readonly string[]
  /** `https://kalnet.example`, when a proxy of yours stands before us. */
  publicOrigin: string | null
  /** Origins of other sites whose pages may call with a service key. */
  foreignOrigins?: readonly string[]
}

/** Ours on every home network (RFC 8375, RFC 6762). */
const HOME = ['kalnet.home.arpa', 'kalnet.local']

const local = new WeakSet<object>()
/** Requests of the control socket are marked by its server; nothing in a request can claim it. */
export const markLocal = (request: IncomingMessage) => local.add(request)
export const isLocal = (request: IncomingMessage) => local.has(request)
/** Who spoke to a gateway of ours that passed the request on; marked only when that gateway proved itself (`Http.believe`). */
export interface Before {
  address: string
  secure: boolean
}
const forwarded = new WeakMap<object, Before>()
export const markForwarded = (request: IncomingMessage, before: Before) => forwarded.set(request, before)
export const isSecure = (request: IncomingMessage) =>
  forwarded.get(request)?.secure ?? request.socket instanceof TLSSocket

export const addressOf = (request: IncomingMessage): string =>
  isLocal(request)
    ? 'local'
    : (forwarded.get(request)?.address ?? request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')

/** Who shares a limit: an IPv4 address, or an IPv6 network of /64, which is what one household or attacker has at least. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  const groups = [...left, ...zeros, ...right].slice(0, 4)
  return `${groups.map((group) => Number.parseInt(group || '0', 16).toString(16)).join(':')}::/64`
}

/** The name without port and brackets. */
function hostOf(header: string | undefined): string | null {
  if (!header || !URL.canParse(`http://${header}`)) return null
  return new URL(`http://${header}`).hostname.replace(/^\[|\]$/g, '').toLowerCase()
}

/** Every name of ours, in lower case, without port. */
export function hostsOf(own: OwnNames): string[] {
  const machine = hostname().toLowerCase()
  const names = [
    'localhost',
    ...HOME,
    machine,
    `${machine}.local`,
    ...own.names.map((name) => name.toLowerCase()),
  ]
  if (own.publicOrigin) names.push(new URL(own.publicOrigin).hostname)
  return names
}

/**
 * A name we do not have is refused: else a foreign site whose name was pointed at our address (DNS rebinding) would be
 * "the same origin". Bare addresses cannot be rebound.
 */
export function assertOwnHost(request: IncomingMessage, own: OwnNames): void {
  if (isLocal(request)) return
  const host = hostOf(request.headers.host)
  if (host && (isIP(host) || hostsOf(own).includes(host))) return
  throw fail('origin.foreign')
}

/** Browsers always name the origin of a changing request and of a WebSocket; programs send none. */
export function assertSameOrigin(request: IncomingMessage, own: OwnNames, required = false): void {
  if (isLocal(request)) return
  const { origin, host } = request.headers
  if (allowedOrigin(request, own.foreignOrigins ?? [])) return
  const site = request.headers['sec-fetch-site']
  const scheme = isSecure(request) ? 'https' : 'http'
  if (origin === undefined) {
    if (required || (site !== undefined && site !== 'same-origin' && site !== 'none'))
      throw fail('origin.foreign')
    return
  }
  const same = origin === `${scheme}://${host}`
  if (!same && origin !== own.publicOrigin) throw fail('origin.foreign')
  // Behind a proxy of another origin the browser still says same-origin.
  if (site !== undefined && site !== 'same-origin') throw fail('origin.foreign')
}
