/** The stand-in's addresses, calls and certificates. */
import { randomUUID } from 'node:crypto'
import type { Certificate } from '@kalnet/contracts/certificate'
import type { Call, GatewayRoute, RouteFigures } from '@kalnet/contracts/gateway'
import { policy } from '@kalnet/contracts/gateway'
import { uuid, type World } from './fixtures.ts'
import { at } from './services-fixtures.ts'

const DAY = 86_400_000
const LONG = 'unterhaltungselektronikfernbedienungsverwaltung'
const usual = policy.parse({})
const makeRoute = (
  number: number,
  service: number,
  name: string,
  change: Partial<GatewayRoute> = {},
): GatewayRoute => ({
  id: uuid(9000 + number),
  match: { kind: 'http', host: `${name}.larch.home.arpa`, pathPrefix: '/', strip: false },
  serviceId: uuid(6000 + service),
  serviceName: name,
  port: 'web',
  exposure: 'internal',
  access: 'people',
  allowed: { roles: [], groups: [] },
  appPasswords: false,
  upstreamTls: 'none',
  policy: usual,
  url: `https://${name}.larch.home.arpa:7443/`,
  byTemplate: true,
  createdAt: at(-30 * DAY),
  changedAt: at(-DAY),
  ...change,
})
const makeFigures = (
  number: number,
  requests: number,
  failures: number,
  change: Partial<RouteFigures> = {},
): RouteFigures => ({
  routeId: uuid(9000 + number),
  requests,
  failures,
  bytesIn: requests * 800,
  bytesOut: requests * 24_000,
  open: 0,
  retries: 0,
  rejected: 0,
  breaker: 'closed',
  p50Ms: 4,
  p99Ms: 38,
  ...change,
})
const makeCall = (from: string | null, to: string, calls: number, failures = 0): Call => ({
  from,
  to,
  calls,
  failures,
  lastAt: at(-90_000),
})
const PRINT =
  '3A:F1:09:BC:77:2E:41:D0:9B:5C:EE:10:64:8F:A2:37:C9:0D:1B:F4:58:66:7A:93:E2:05:4B:D8:19:AF:70:2C'
const makeCertificate = (number: number, name: string, change: Partial<Certificate> = {}): Certificate => ({
  id: uuid(9500 + number),
  source: 'acme',
  names: [name],
  state: 'valid',
  issuer: "Let's Encrypt R12",
  serial: '04:5E:91:0C:7B',
  fingerprint: PRINT,
  keyType: 'ECDSA P-256',
  notBefore: at(-30 * DAY),
  notAfter: at(60.5 * DAY),
  challenge: 'http-01',
  problem: null,
  step: null,
  nextAt: null,
  createdAt: at(-30 * DAY),
  changedAt: at(-DAY),
  ...change,
})

function make(world: World) {
  if (world === 'empty')
    return { routes: [], figures: [], calls: [], certificates: [], hosts: [], authority: false }
  const name = (it: string) => (world === 'long' ? `${LONG}-${it}` : it)
  const routes = [
    makeRoute(1, 1, name('notes'), {
      access: 'public',
      exposure: 'external',
      policy: policy.parse({
        sticky: true,
        balance: 'least-connections',
        canary: [{ release: 4, percent: 10 }],
      }),
    }),
    makeRoute(2, 2, name('calendar'), {
      appPasswords: true,
      allowed: { roles: ['owner', 'admin', 'member'], groups: [] },
    }),
    makeRoute(3, 3, name('automation')),
    makeRoute(4, 4, name('packages'), {
      policy: policy.parse({ breaker: {}, rate: { perSecond: 20, burst: 40 } }),
    }),
    makeRoute(5, 6, name('database'), {
      match: { kind: 'tcp', listen: 5432, sni: null },
      url: null,
      port: 'sql',
      byTemplate: false,
      upstreamTls: 'mutual',
    }),
    makeRoute(6, 7, name('games'), {
      match: { kind: 'udp', listen: 30_000 },
      url: null,
      port: 'game',
      exposure: 'external',
    }),
  ]
  return {
    routes,
    figures: [
      makeFigures(1, 48_211, 12),
      makeFigures(2, 1_930, 0, { open: 3 }),
      makeFigures(3, 412, 0, { p99Ms: 1_240 }),
      makeFigures(4, 800, 210, { breaker: 'open', p99Ms: 5_000 }),
      makeFigures(5, 9_102, 0, { breaker: null, p99Ms: null, open: 4 }),
    ],
    calls: [
      makeCall(null, name('notes'), 48_211, 12),
      makeCall(null, name('calendar'), 1_930),
      makeCall(null, name('automation'), 412),
      makeCall(null, name('packages'), 800, 210),
      makeCall(name('automation'), name('database'), 9_102),
      makeCall(name('automation'), name('calendar'), 88),
      makeCall(name('calendar'), name('database'), 14, 2),
    ],
    certificates: [
      makeCertificate(1, world === 'long' ? `${LONG}.example.org` : 'photos.example.org'),
      makeCertificate(2, 'wiki.example.org', {
        state: 'expiring',
        notAfter: at(8.5 * DAY),
        problem: 'Port 80 could not be reached from the internet.',
        nextAt: at(3_600_000),
      }),
      makeCertificate(3, '*.larch.example.org', {
        state: 'ordering',
        issuer: null,
        serial: null,
        fingerprint: null,
        notBefore: null,
        notAfter: null,
        challenge: 'dns-01',
        step: 'challenge',
      }),
      makeCertificate(4, 'old.example.org', {
        source: 'own',
        challenge: null,
        issuer: 'Example Root',
        state: 'expired',
        notAfter: at(-2.5 * DAY),
      }),
    ],
    hosts: [
      { host: 'larch.home.arpa', source: 'local', certificateId: null, notAfter: at(6 * DAY) },
      {
        host: `${name('notes')}.larch.home.arpa`,
        source: 'local',
        certificateId: null,
        notAfter: at(6 * DAY),
      },
      { host: 'photos.example.org', source: 'acme', certificateId: uuid(9501), notAfter: at(60.5 * DAY) },
    ],
    authority: true,
  }
}
const AUTHORITY = {
  name: 'Kalnet authority of The Larch House',
  fingerprint: PRINT,
  notAfter: at(3_600 * DAY),
  pem: '',
  der: '',
}

const SIZE = 29
/** Squares that look like a code; no camera reads them. */
const PAGE = {
  url: 'https://larch.home.arpa:7443/trust',
  code: {
    size: SIZE,
    rows: Array.from({ length: SIZE }, (_, y) =>
      Array.from({ length: SIZE }, (__, x) => ((x * 7 + y * 13 + x * y) % 3 === 0 ? '1' : '0')).join(''),
    ),
  },
}

type Publish = (event: string, data: unknown) => void
export function createNetworkStandIn() {
  let state = make('usual')
  const list = (items: unknown[]) => ({ items, next: null })
  function routes(
    method: string,
    id: string,
    url: URL,
    body: Record<string, unknown>,
    publish: Publish,
  ): unknown {
    if (method === 'GET' && id === 'figures') {
      // Somebody goes on using them while one looks.
      state.figures = state.figures.map((it) => ({ ...it, requests: it.requests + 3 }))
      return { routes: state.figures, calls: state.calls, problems: [] }
    }
    if (method === 'GET') {
      const service = url.searchParams.get('service')
      return list(state.routes.filter((it) => !service || it.serviceId === service))
    }
    if (method === 'POST') {
      const match = body.match as GatewayRoute['match']
      const made = {
        ...makeRoute(99, 1, 'notes'),
        ...body,
        id: randomUUID(),
        match,
        url: null,
        byTemplate: false,
        policy: usual,
      }
      state.routes = [...state.routes, made]
      publish('route.changed', made)
      return made
    }
    if (method === 'DELETE') {
      state.routes = state.routes.filter((it) => it.id !== id)
      publish('route.removed', { id })
      return {}
    }
    state.routes = state.routes.map((it) => (it.id === id ? { ...it, ...body } : it))
    const changed = state.routes.find((it) => it.id === id)
    publish('route.changed', changed)
    return changed
  }
  function certificates(method: string, id: string, verb: string, body: Record<string, unknown>): unknown {
    const put = (change: Partial<Certificate>) => {
      state.certificates = state.certificates.map((it) => (it.id === id ? { ...it, ...change } : it))
      return state.certificates.find((it) => it.id === id)
    }
    const add = (it: Certificate) => {
      state.certificates = [it, ...state.certificates]
      return it
    }
    if (method === 'GET') return id === 'hosts' ? list(state.hosts) : list(state.certificates)
    if (method === 'DELETE') {
      state.certificates = state.certificates.filter((it) => it.id !== id)
      return {}
    }
    if (id === 'import') return add(makeCertificate(90, 'brought.example.org', { source: 'own' }))
    if (id === 'order')
      return add(
        makeCertificate(91, String((body.names as string[])[0]), {
          names: body.names as string[],
          state: 'ordering',
          step: 'order',
          notAfter: null,
        }),
      )
    return put(verb === 'revoke' ? { state: 'revoked' } : { step: 'order' })
  }
  return {
    use(world: World) {
      state = make(world)
    },
    /** For whoever stands before the door, too. */
    authority: () =>
      state.authority ? { authority: AUTHORITY, page: PAGE } : { authority: null, page: null },
    /** Undefined: not one of ours. */
    answer(method: string, url: URL, body: Record<string, unknown>, publish: Publish): unknown {
      const [, , area, id = '', verb = ''] = url.pathname.split('/')
      if (area === 'routes') return routes(method, id, url, body, publish)
      if (area === 'certificates') return certificates(method, id, verb, body)
      return undefined
    },
  }
}
