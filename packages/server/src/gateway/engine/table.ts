/** Where a request leads: the routes of a snapshot as maps, so that ten thousand are looked up as fast as one. */
import { settled } from '../../apps/asked-address.ts'
import type { SnapshotRoute } from './interface.ts'

type HttpMatch = Extract<SnapshotRoute['match'], { kind: 'http' }>
export interface Led<R> {
  route: R
  match: HttpMatch
}
/** Prefix without a slash at its end → where it leads. */
type Prefixes<R> = Map<string, Led<R>>

export interface Table<R> {
  /** The most exact host, then the longest prefix. 'unclear': the path can be read in two ways that lead apart. */
  find(host: string, path: string): Led<R> | 'unclear' | null
  /** Something is served under this name. */
  knows(host: string): boolean
}

const bare = (prefix: string) => (prefix.endsWith('/') ? prefix.slice(0, -1) : prefix)

function longest<R>(prefixes: Prefixes<R>, path: string): Led<R> | null {
  if (prefixes.size === 1) {
    const root = prefixes.get('')
    if (root) return root
  }
  for (let end = path.length; end >= 0; end = path.lastIndexOf('/', end - 1)) {
    const found = prefixes.get(bare(path.slice(0, end)))
    if (found) return found
    if (end === 0) break
  }
  return null
}
/** Nothing that a service could decode, fold or leave out. */
const PLAIN = /^(?:\/(?![./])[a-z0-9_.~!$&'()*+,=:@-]*)+$|^\/$/

export function compileTable<R extends { route: SnapshotRoute }>(routes: readonly R[]): Table<R> {
  const exact = new Map<string, Prefixes<R>>()
  const wild = new Map<string, Prefixes<R>>()
  for (const route of routes) {
    const { match } = route.route
    if (match.kind !== 'http') continue
    const star = match.host.startsWith('*.')
    const [map, name] = star ? [wild, match.host.slice(2)] : [exact, match.host]
    const prefixes = map.get(name) ?? new Map<string, Led<R>>()
    map.set(name, prefixes.set(bare(match.pathPrefix), { route, match }))
  }
  const above = (host: string) => {
    const dot = host.indexOf('.')
    return dot < 0 ? undefined : wild.get(host.slice(dot + 1))
  }
  const look = (host: string, path: string): Led<R> | null => {
    const own = exact.get(host)
    const found = own && longest(own, path)
    if (found) return found
    const wider = above(host)
    return wider ? longest(wider, path) : null
  }
  const single = (host: string) => {
    const [own, wider] = [exact.get(host), above(host)]
    return (own?.size ?? 0) + (wider?.size ?? 0) < 2
  }
  return {
    find(host, path) {
      const written = look(host, path)
      if (PLAIN.test(path) || (single(host) && written?.match.pathPrefix === '/')) return written
      // As the service may read it: no spelling may lead past the rules of the route it ends up in.
      const plain = settled(path)
      if (plain === null) return 'unclear'
      const read = look(host, plain)
      if (read?.route !== written?.route) return 'unclear'
      if (written?.route.route.access !== 'public') return written
      return look(host, plain.toLowerCase())?.route === written.route ? written : 'unclear'
    },
    knows: (host) => exact.has(host) || above(host) !== undefined,
  }
}
