/** What a proxy asks about: which guarded address it is, read so that no spelling of a path reaches another rule than the app will see. */
import type { IncomingHttpHeaders } from 'node:http'
import { isHome } from '@kalnet/contracts/app'
import type { ForwardRow } from './forward.store.ts'

export interface AskedAddress {
  method: string
  scheme: 'http' | 'https'
  /** Lower-case, with a port where it is not the scheme's own. */
  host: string
  /** Path and query as they came. */
  uri: string
  path: string
}

const one = (value: string | string[] | undefined) => (typeof value === 'string' ? value : undefined)

/** Null: not asked as a proxy asks. */
export function askedAddress(headers: IncomingHttpHeaders): AskedAddress | null {
  const method = one(headers['x-forwarded-method'])
  const scheme = one(headers['x-forwarded-proto'])
  const named = one(headers['x-forwarded-host'])?.toLowerCase()
  const uri = one(headers['x-forwarded-uri'])
  if (!method || !named || !uri?.startsWith('/') || !/^[a-z0-9.-]+(:\d{1,5})?$/.test(named)) return null
  // A WebSocket is asked about as ws or wss.
  const plain = scheme === 'http' || scheme === 'ws'
  if (!plain && scheme !== 'https' && scheme !== 'wss') return null
  const host = named.replace(plain ? /:80$/ : /:443$/, '')
  // In the clear a pass could be read on the way: only where nothing is on the way.
  if (plain && !isLocalName(host)) return null
  return {
    method: method.toUpperCase(),
    scheme: plain ? 'http' : 'https',
    host,
    uri,
    path: uri.split(/[?#]/)[0] ?? '/',
  }
}
const isLocalName = (host: string) => {
  const name = host.split(':')[0] ?? ''
  return isHome(name) && (name === 'localhost' || name.endsWith('.localhost') || name.startsWith('127.'))
}

export const under = (path: string, prefix: string) =>
  prefix === '/' || path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`)

/** Decoded until nothing changes, backslashes and doubled slashes made plain, dots resolved. Null: it cannot be read. */
export function settled(path: string): string | null {
  let now = path
  for (let round = 0; round < 5; round++) {
    let next: string
    try {
      next = decodeURIComponent(now)
    } catch {
      // A stray percent sign: read as it is.
      next = now
    }
    if (next === now) break
    now = next
    if (round === 4) return null
  }
  const parts: string[] = []
  for (const part of now.replaceAll('\\', '/').split('/')) {
    // `..;x` is what some servers of Java read as `..`
    const bare = part.split(';')[0] ?? ''
    if (bare === '..') parts.pop()
    else if (bare !== '.' && part !== '') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/**
 * The rule for a path: the longest prefix. Where its spelling could be read in two ways that meet two rules, there is none: 'unclear'.
 * `rules`: of one host, longest first.
 */
export function ruleFor(rules: readonly ForwardRow[], path: string): ForwardRow | 'unclear' | null {
  const match = (text: string) => rules.find((rule) => under(text, rule.path_prefix)) ?? null
  const asWritten = match(path)
  if (rules.length < 2 && asWritten?.path_prefix === '/') return asWritten
  const plain = settled(path)
  if (plain === null || path.includes('\0')) return 'unclear'
  const asRead = match(plain)
  const folded = match(plain.toLowerCase())
  if (asRead?.id !== asWritten?.id) return 'unclear'
  // A rule that opens more must not be met by capital letters that the app reads as another path, nor the other way round.
  return folded?.id === asRead?.id || asRead?.who !== 'public' ? asRead : 'unclear'
}
