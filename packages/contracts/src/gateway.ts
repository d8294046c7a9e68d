/** The gateway: which address leads to which service, by what policies, and the snapshot every gateway serves from. */
import { z } from 'zod'
import { allowed } from './app.ts'
import { byId, id, nothing, page, pageQuery, slug, time } from './basics.ts'
import { healthState } from './health.ts'
import { address, portNumber } from './instance.ts'
import { route } from './route.ts'

/** A DNS name in lower case, without port. `*.` in front: every name right below it. */
export const hostName = z
  .string()
  .max(253)
  .transform((text) => text.toLowerCase())
  .refine(
    (text) =>
      /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(text),
    'is a name like photos.example.org',
  )
const pathPrefix = z
  .string()
  .max(200)
  .regex(/^\/[\w./~-]*$/, 'starts with / and has plain characters only')
  .refine((text) => !/(^|\/)\.{1,2}(\/|$)|\/\//.test(text), 'must not have . or .. in it')

export const match = z.discriminatedUnion('kind', [
  /** The longest prefix of the most exact host wins. `strip`: the service does not see the prefix. */
  z.strictObject({
    kind: z.literal('http'),
    host: hostName,
    pathPrefix: pathPrefix.default('/'),
    strip: z.boolean().default(false),
  }),
  /** With `sni` several may share one port: TLS is passed on as it is, chosen by the name the client asks for. */
  z.strictObject({ kind: z.literal('tcp'), listen: portNumber, sni: hostName.nullable().default(null) }),
  z.strictObject({ kind: z.literal('udp'), listen: portNumber }),
])
export type Match = z.infer<typeof match>

const ms = (most: number) => z.number().int().min(1).max(most)
export const policy = z.strictObject({
  balance: z.enum(['round-robin', 'weighted', 'least-connections']).default('round-robin'),
  /** A visitor stays with one instance by a cookie while it is in rotation. */
  sticky: z.boolean().default(false),
  /** Share of requests, in percent, that go to a release; the rest goes to the newest one. Empty: all to the releases in rotation. */
  canary: z
    .array(z.strictObject({ release: z.number().int().min(1), percent: z.number().min(0).max(100) }))
    .max(5)
    .default([]),
  timeouts: z
    .strictObject({
      connectMs: ms(60_000).default(5_000),
      /** Until the answer's headers. */
      answerMs: ms(3_600_000).default(60_000),
      /** Silence in a body, a WebSocket, a TCP stream. */
      idleMs: ms(86_400_000).default(3_600_000),
    })
    .prefault({}),
  /** Requests that may be repeated (GET, HEAD, OPTIONS, PUT, DELETE without a body on the way), elsewhere. The budget is a share of all requests. */
  retries: z
    .strictObject({
      attempts: z.number().int().min(0).max(5).default(2),
      budgetPercent: z.number().min(0).max(100).default(20),
    })
    .prefault({}),
  breaker: z
    .strictObject({
      /** Opens when at least `requests` in the window had this share of failures (no answer, 502, 503, 504). */
      failurePercent: z.number().min(1).max(100).default(50),
      requests: z.number().int().min(1).max(10_000).default(20),
      windowMs: ms(600_000).default(10_000),
      openMs: ms(600_000).default(5_000),
      /** closed: answers 503 at once while open. open: lets everything through and only says so. */
      onFault: z.enum(['closed', 'open']).default('closed'),
    })
    .nullable()
    .default(null),
  /** A token bucket. */
  rate: z
    .strictObject({
      perSecond: z.number().min(0.01).max(1_000_000),
      burst: z.number().int().min(1).max(1_000_000),
      by: z.enum(['route', 'client']).default('client'),
    })
    .nullable()
    .default(null),
  /** An instance that fails this often in a row is left out for a while; never more than half of them. */
  outlier: z
    .strictObject({
      failures: z.number().int().min(1).max(1000).default(5),
      ejectMs: ms(3_600_000).default(30_000),
    })
    .nullable()
    .default({ failures: 5, ejectMs: 30_000 }),
  /** Largest body that is let in; null: no limit. */
  bodyBytes: z.number().int().min(0).nullable().default(null),
  /** Security headers are added where the service sends none. */
  safetyHeaders: z.boolean().default(true),
})
export type Policy = z.infer<typeof policy>

const routeFields = {
  match,
  serviceId: id,
  /** The service's port, by name. */
  port: slug,
  /** internal: only from this network and loopback. external: also from outside. It is what the firewall is told. */
  exposure: z.enum(['internal', 'external']).default('internal'),
  /** http only. public: everybody. people: whoever `allowed` names, signed in. */
  access: z.enum(['public', 'people']).default('people'),
  allowed: allowed.prefault({}),
  /** Programs may show an app password (HTTP Basic). */
  appPasswords: z.boolean().default(false),
  /** The service speaks TLS itself, with a certificate of our authority, and asks for one (mTLS). */
  upstreamTls: z.enum(['none', 'mutual']).default('none'),
  policy: policy.prefault({}),
}
export const gatewayRoute = z.strictObject({
  id,
  ...routeFields,
  serviceName: slug,
  /** Where people go; null for tcp and udp. */
  url: z.string().nullable(),
  /** Belongs to the service's template: goes with the service. */
  byTemplate: z.boolean(),
  createdAt: time,
  changedAt: time,
})
export type GatewayRoute = z.infer<typeof gatewayRoute>

/** One instance's port, or an outsider's address. */
export const endpoint = z.strictObject({
  /** Of the instance or the registration. */
  id,
  serviceId: id,
  port: slug,
  kind: z.enum(['http', 'tcp', 'udp']),
  release: z.number().int(),
  weight: z.number().min(0).max(1000),
  /** null: it has no probe and runs. Unhealthy ones are in no rotation. */
  health: healthState.nullable(),
  /** `machine`: whose network the address belongs to; null: reachable from everywhere. */
  direct: z.strictObject({ ...address.shape, machine: z.string().nullable() }).nullable(),
  /** Through its controller's tunnel. */
  tunnel: z.strictObject({ controllerId: id, instanceId: id }).nullable(),
})
export type Endpoint = z.infer<typeof endpoint>

/** Everything a gateway needs; whole, so that whoever missed something only reads it again. */
export const snapshot = z.strictObject({
  /** Grows with every change. */
  version: z.string(),
  domain: z.string(),
  routes: z.array(gatewayRoute.extend({ organisationId: id })),
  endpoints: z.array(endpoint),
})
export type Snapshot = z.infer<typeof snapshot>

/** What one gateway counted for one route since it started. Latency in a histogram: upper bounds in ms → count. */
export const routeFigures = z.strictObject({
  routeId: id,
  requests: z.number().int(),
  failures: z.number().int(),
  bytesIn: z.number(),
  bytesOut: z.number(),
  open: z.number().int(),
  retries: z.number().int(),
  rejected: z.number().int(),
  breaker: z.enum(['closed', 'open', 'half-open']).nullable(),
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
})
export type RouteFigures = z.infer<typeof routeFigures>
/** Who called whom, seen by the gateway and by the links of instances. `from` null: from outside. */
export const call = z.strictObject({
  from: slug.nullable(),
  to: slug,
  calls: z.number().int(),
  failures: z.number().int(),
  lastAt: time,
})
export type Call = z.infer<typeof call>

/** What keeps an address, or all of them, from working, in words for people. */
export const wayInProblem = z.strictObject({
  part: z.enum(['gateway', 'names']),
  /** A gateway of its own: its name; null: the one in the control plane. */
  gateway: z.string().nullable(),
  routeId: id.nullable(),
  /** `tcp 25565`; null: all of that part. */
  address: z.string().nullable(),
  problem: z.string(),
})
export type WayInProblem = z.infer<typeof wayInProblem>

export const gatewayRoutes = {
  list: route({
    method: 'GET',
    path: '/api/routes',
    permission: 'route.read',
    summary: 'Which address leads where',
    params: nothing,
    query: pageQuery.extend({ service: id.optional() }),
    body: nothing,
    answer: page(gatewayRoute),
    audit: null,
  }),
  add: route({
    method: 'POST',
    path: '/api/routes',
    permission: 'route.manage',
    summary: 'Let an address lead to a service',
    params: nothing,
    query: nothing,
    body: z.strictObject(routeFields),
    answer: gatewayRoute,
    audit: 'route.added',
  }),
  change: route({
    method: 'PATCH',
    path: '/api/routes/:id',
    permission: 'route.manage',
    summary: 'Change who may pass and by what policies; without a restart',
    params: byId,
    query: nothing,
    body: z.strictObject({
      exposure: routeFields.exposure.unwrap().optional(),
      access: routeFields.access.unwrap().optional(),
      allowed: allowed.optional(),
      appPasswords: z.boolean().optional(),
      policy: policy.optional(),
    }),
    answer: gatewayRoute,
    audit: 'route.changed',
  }),
  remove: route({
    method: 'DELETE',
    path: '/api/routes/:id',
    permission: 'route.manage',
    summary: 'The address leads nowhere any more',
    params: byId,
    query: nothing,
    body: nothing,
    answer: nothing,
    audit: 'route.removed',
  }),
  figures: route({
    method: 'GET',
    path: '/api/routes/figures',
    permission: 'route.read',
    summary: 'Requests, failures and times of each route, who called whom, and what is wrong on the way in',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({
      routes: z.array(routeFigures),
      calls: z.array(call),
      problems: z.array(wayInProblem),
    }),
    audit: null,
  }),
  /** Traefik's own form; it polls this address (`providers.http.endpoint`) with a service key in its `Authorization` header. */
  traefik: route({
    method: 'GET',
    path: '/api/traefik/config',
    permission: 'gateway.serve',
    summary: "All routes and policies in the form of Traefik's HTTP provider",
    params: nothing,
    query: z.strictObject({
      /** Which addresses of instances it can connect to: those of the control plane's own machine, or all. */
      reach: z.enum(['same-machine', 'any']).default('same-machine'),
      web: slug.default('web').describe('Its entry point for http, and for https (`none`: it has none).'),
      secure: slug.default('websecure'),
      trust: z
        .enum(['file', 'loopback'])
        .default('file')
        .describe(
          "How it knows the control plane's TLS: by the authority's file, or because it asks over its own loopback.",
        ),
      resolver: slug.optional().describe('The one of its certificate resolvers that orders certificates.'),
    }),
    body: nothing,
    answer: z.looseObject({}),
    audit: null,
  }),
  snapshot: route({
    method: 'GET',
    path: '/api/gateway/snapshot',
    permission: 'gateway.serve',
    summary: 'All a gateway of its own serves from',
    params: nothing,
    /** `after`: the version one has; answered when there is another one, at the latest after 20 s. */
    query: z.strictObject({ after: z.string().max(60).optional() }),
    body: nothing,
    answer: snapshot,
    audit: null,
  }),
}
