/**
 * A snapshot as Traefik v3's dynamic configuration (https://doc.traefik.io/traefik/reference/dynamic-configuration/file/): what the HTTP
 * provider answers and what `kalnet render` writes. Pure. What Traefik has no word for is told as `notes`.
 */
import type { Endpoint, Policy, Snapshot } from '@kalnet/contracts/gateway'
import { asking, nearOnly, noClaims } from './asking.ts'
import { addOwn } from './own.ts'

type Route = Snapshot['routes'][number]

export interface RenderOptions {
  /** Names of Traefik's own entry points, as its static configuration has them. */
  entryPoints: { web: string; secure: string | null }
  /** Orders certificates; null: they come from elsewhere. */
  resolver: string | null
  /** Where Traefik asks about each request: `<control plane>/api/forward-auth`. */
  forwardAuth: string
  /** The dashboard and API: their names and where they are. */
  own: { hosts: readonly string[]; url: string }
  /** Where Traefik shows its own dashboard and API, to whom forward-auth lets pass; it must have been started with `--api=true`. */
  dashboardHost?: string
  /** How the control plane's TLS is known: by a file with its authority, or because it is this machine's own loopback; null: as all others. */
  trust: { file: string } | 'loopback' | null
  /** Where an endpoint is reached from Traefik; null: not at all. */
  reach(endpoint: Endpoint): { host: string; port: number } | null
}
export interface TraefikConfig {
  http: {
    routers?: Record<string, HttpRouter>
    services?: Record<string, object>
    middlewares?: Record<string, object>
    serversTransports?: Record<string, object>
  }
  tcp?: {
    routers: Record<string, object>
    services: Record<string, object>
    middlewares?: Record<string, object>
  }
  udp?: { routers: Record<string, object>; services: Record<string, object> }
}
export interface HttpRouter {
  rule: string
  priority: number
  entryPoints: string[]
  service: string
  middlewares?: string[]
  tls?: object
}
export interface Rendered {
  config: TraefikConfig
  /** What a route asks for and Traefik cannot do, for people. */
  notes: { routeId: string; note: string }[]
  /** tcp and udp ports that its static configuration must open. */
  ports: { kind: 'tcp' | 'udp'; port: number }[]
}

const seconds = (ms: number) => `${ms / 1000}s`
export const tcpEntry = (port: number) => `tcp-${port}`
export const udpEntry = (port: number) => `udp-${port}`

/** `/a` is `/a` and all below it, never `/ab`. */
function ruleOf(host: string, pathPrefix: string): string {
  const name = host.startsWith('*.')
    ? `HostRegexp(\`^[a-z0-9-]+\\.${host.slice(2).replaceAll('.', '\\.')}$\`)`
    : `Host(\`${host}\`)`
  if (pathPrefix === '/') return name
  const bare = pathPrefix.replace(/\/$/, '')
  return `${name} && (Path(\`${bare}\`) || PathPrefix(\`${bare}/\`))`
}

function serversOf(endpoints: readonly Endpoint[], options: RenderOptions, policy: Policy) {
  return endpoints.flatMap((it) => {
    const at = options.reach(it)
    if (!at || it.weight === 0) return []
    const host = at.host.includes(':') ? `[${at.host}]` : at.host
    const weight = policy.balance === 'weighted' ? { weight: Math.max(1, Math.round(it.weight)) } : {}
    return [{ address: `${host}:${at.port}`, weight }]
  })
}
const inRotation = (it: Endpoint) => it.health === null || it.health === 'healthy'

/** Names what a load balancer is, so that two routes to one place share it only where they want the same. */
function httpService(
  name: string,
  endpoints: readonly Endpoint[],
  policy: Policy,
  options: RenderOptions,
  into: Record<string, object>,
): void {
  const balancer = (these: readonly Endpoint[]) => ({
    loadBalancer: {
      ...(policy.balance === 'least-connections' ? { strategy: 'p2c' } : {}),
      servers: serversOf(these, options, policy).map(({ address, weight }) => ({
        url: `http://${address}`,
        ...weight,
      })),
      passHostHeader: true,
      ...(policy.sticky ? { sticky: { cookie: { name: 'stay', httpOnly: true, sameSite: 'lax' } } } : {}),
      ...(policy.outlier
        ? {
            passiveHealthCheck: {
              failureWindow: seconds(policy.outlier.ejectMs),
              maxFailedAttempts: policy.outlier.failures,
            },
          }
        : {}),
      serversTransport: name,
    },
  })
  if (policy.canary.length === 0) {
    into[name] = balancer(endpoints)
    return
  }
  const newest = Math.max(...endpoints.map((it) => it.release), 0)
  const shares = new Map(policy.canary.map(({ release, percent }) => [release, percent]))
  const rest = Math.max(0, 100 - [...shares.values()].reduce((sum, it) => sum + it, 0))
  const others = endpoints.filter((it) => !shares.has(it.release))
  const groups: [string, readonly Endpoint[], number][] = [
    ...[...shares].map(([release, percent]): [string, readonly Endpoint[], number] => [
      `${name}-${release}`,
      endpoints.filter((it) => it.release === release),
      percent,
    ]),
    [`${name}-rest`, others.length > 0 ? others : endpoints.filter((it) => it.release === newest), rest],
  ]
  const used = groups.filter(([, these, percent]) => these.length > 0 && percent > 0)
  for (const [part, these] of used) into[part] = balancer(these)
  // Weights are whole numbers: tenths of a percent.
  into[name] = {
    weighted: {
      services: used.map(([part, , percent]) => ({ name: part, weight: Math.round(percent * 10) })),
    },
  }
}

function middlewaresOf(
  route: Route,
  name: string,
  options: RenderOptions,
  into: Record<string, object>,
): string[] {
  const { match, policy } = route
  const chain: string[] = []
  const add = (kind: string, what: object) => {
    into[`${name}-${kind}`] = what
    chain.push(`${name}-${kind}`)
  }
  if (route.exposure === 'internal') add('near', nearOnly)
  // First of all: nobody names himself, also where nobody is asked.
  add('claims', noClaims)
  const { rate } = policy
  if (rate) {
    // Traefik counts whole requests a period.
    const period = rate.perSecond >= 1 ? 1 : Math.ceil(1 / rate.perSecond)
    add('rate', {
      rateLimit: {
        average: Math.max(1, Math.round(rate.perSecond * period)),
        period: `${period}s`,
        burst: rate.burst,
        sourceCriterion: rate.by === 'route' ? { requestHost: true } : { ipStrategy: { ipv6Subnet: 64 } },
      },
    })
  }
  if (match.kind === 'http' && !match.host.startsWith('*.')) add('ask', asking(options))
  if (policy.bodyBytes !== null) add('size', { buffering: { maxRequestBodyBytes: policy.bodyBytes } })
  if (policy.safetyHeaders)
    add('safety', {
      headers: {
        contentTypeNosniff: true,
        referrerPolicy: 'strict-origin-when-cross-origin',
        customFrameOptionsValue: 'SAMEORIGIN',
        ...(options.entryPoints.secure ? { stsSeconds: 31_536_000 } : {}),
      },
    })
  const { breaker } = policy
  if (breaker?.onFault === 'closed') {
    const ratio = breaker.failurePercent / 100
    add('breaker', {
      circuitBreaker: {
        expression: `NetworkErrorRatio() > ${ratio} || ResponseCodeRatio(502, 505, 0, 600) > ${ratio}`,
        checkPeriod: '1s',
        fallbackDuration: seconds(breaker.openMs),
        recoveryDuration: seconds(breaker.openMs),
        responseCode: 503,
      },
    })
  }
  if (match.kind === 'http' && match.strip && match.pathPrefix !== '/')
    add('strip', { stripPrefix: { prefixes: [match.pathPrefix.replace(/\/$/, '')] } })
  if (policy.retries.attempts > 0)
    add('retry', { retry: { attempts: policy.retries.attempts + 1, initialInterval: '100ms' } })
  return chain
}

function notesOf({ policy, upstreamTls }: Route): string[] {
  return [
    ...(policy.breaker?.onFault === 'open' ? ['a breaker that lets everything through is left out'] : []),
    ...(policy.retries.attempts > 0
      ? ['retries have no budget, and what may be repeated is decided by Traefik']
      : []),
    ...(policy.safetyHeaders ? ["security headers replace the service's own"] : []),
    ...(policy.timeouts.idleMs !== 3_600_000 ? ['silence in a stream is not limited'] : []),
    ...(upstreamTls === 'mutual' ? ['the service asks for a certificate of the gateway: left to ours'] : []),
  ]
}

const withoutEmpty = (http: Required<TraefikConfig['http']>) =>
  Object.fromEntries(
    Object.entries(http).filter(([, table]) => Object.keys(table).length > 0),
  ) as TraefikConfig['http']

/** Two renderings of one snapshot are equal, whatever the order of its parts. */
export function renderTraefik(snapshot: Snapshot, options: RenderOptions): Rendered {
  const http: Required<TraefikConfig['http']> = {
    routers: {},
    services: {},
    middlewares: {},
    serversTransports: {},
  }
  const tcp: NonNullable<TraefikConfig['tcp']> = { routers: {}, services: {} }
  const udp = { routers: {} as Record<string, object>, services: {} as Record<string, object> }
  const notes: Rendered['notes'] = []
  const ports: Rendered['ports'] = []
  const entryPoints = [options.entryPoints.secure ?? options.entryPoints.web]
  const { resolver } = options
  const tls = options.entryPoints.secure ? { tls: resolver ? { certResolver: resolver } : {} } : {}

  for (const route of snapshot.routes.toSorted((one, other) => one.id.localeCompare(other.id))) {
    const { match, policy, serviceId, port } = route
    const name = `${route.serviceName}-${route.id}`
    const endpoints = snapshot.endpoints
      .filter((it) => it.serviceId === serviceId && it.port === port && inRotation(it))
      .toSorted((one, other) => one.id.localeCompare(other.id))
    if (match.kind === 'http') {
      notes.push(...notesOf(route).map((note) => ({ routeId: route.id, note })))
      if (route.upstreamTls === 'mutual') continue
      http.serversTransports[name] = {
        forwardingTimeouts: {
          dialTimeout: seconds(policy.timeouts.connectMs),
          responseHeaderTimeout: seconds(policy.timeouts.answerMs),
        },
      }
      httpService(name, endpoints, policy, options, http.services)
      http.routers[name] = {
        rule: ruleOf(match.host, match.pathPrefix),
        // An exact name before a star, then the longer path: our order, not the length of the rule.
        priority: (match.host.startsWith('*.') ? 1_000 : 10_000) + match.pathPrefix.length,
        entryPoints,
        service: name,
        middlewares: middlewaresOf(route, name, options, http.middlewares),
        ...tls,
      }
      continue
    }
    const servers = serversOf(endpoints, options, policy).map(({ address }) => ({ address }))
    ports.push({ kind: match.kind, port: match.listen })
    if (match.kind === 'tcp') {
      if (route.exposure === 'internal')
        tcp.middlewares = { near: { ipAllowList: { sourceRange: nearOnly.ipAllowList.sourceRange } } }
      tcp.services[name] = { loadBalancer: { servers } }
      tcp.routers[name] = {
        rule: `HostSNI(\`${match.sni ?? '*'}\`)`,
        entryPoints: [tcpEntry(match.listen)],
        service: name,
        ...(match.sni ? { tls: { passthrough: true } } : {}),
        ...(route.exposure === 'internal' ? { middlewares: ['near'] } : {}),
      }
    } else {
      if (route.exposure === 'internal')
        notes.push({
          routeId: route.id,
          note: 'who sends packets from outside is not kept away: close the port',
        })
      udp.services[name] = { loadBalancer: { servers } }
      udp.routers[name] = { entryPoints: [udpEntry(match.listen)], service: name }
    }
  }

  addOwn(http, options, entryPoints, tls)
  const isNew = (it: Rendered['ports'][number], at: number) =>
    ports.findIndex((other) => other.kind === it.kind && other.port === it.port) === at
  return {
    config: {
      // An empty table is an error of Traefik's.
      http: withoutEmpty(http),
      ...(Object.keys(tcp.routers).length > 0 ? { tcp } : {}),
      ...(Object.keys(udp.routers).length > 0 ? { udp } : {}),
    },
    notes,
    ports: ports.filter(isNew),
  }
}
