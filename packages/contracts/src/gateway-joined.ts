/** A gateway that is a process of its own: what it asks the control plane with its key, and what it tells. */
import { z } from 'zod'
import { id, nothing, slug, time } from './basics.ts'
import { errorBody } from './errors.ts'
import { routeFigures } from './gateway.ts'
import { portNumber } from './instance.ts'
import { route } from './route.ts'

/** Where it dials an instance that it cannot reach itself: one raw upgraded connection (`Upgrade: kalnet-raw`) for each, with its key. */
export const GATEWAY_TUNNEL_PATH = '/api/gateway/tunnel'
/** With whom it spoke, before a request to our own names that it passes on: `<proof> <address> <http|https>`. */
export const FORWARDED_HEADER = 'x-kalnet-forwarded'
/** It tells this often that it is there; so long a sign-in that ended may still have something open there. */
export const REPORT_EVERY_MS = 2_000
/** One that was not heard for so long is counted as gone, and what it says of addresses is not believed any more. */
export const REPORT_LATE_MS = 20_000

const headers = z.record(z.string().max(100), z.union([z.string(), z.array(z.string())]))
const problem = z.strictObject({ routeId: id.nullable(), problem: z.string().max(500) })
export type GatewayProblem = z.infer<typeof problem>

export const gatewayReport = z.strictObject({
  /** Of this gateway in its household; two at once have two. */
  name: slug,
  /** Another one at each start: what was counted begins anew with it. */
  run: z.string().min(1).max(60),
  version: z.string().max(40),
  ports: z
    .array(
      z.strictObject({
        name: z.enum(['http', 'https']),
        host: z.union([z.ipv4(), z.ipv6()]),
        port: portNumber,
      }),
    )
    .max(4),
  /** Whose network its addresses are of, where they are loopback. */
  machine: z.string().max(100).nullable(),
  /** Counted since it started; only those that changed need be told. */
  figures: z.array(routeFigures).max(10_000),
  /** By which sign-ins something is open now. */
  signIns: z.array(id).max(20_000),
  /** Instances that get nothing new, and have something open: they are asked to live on until that has ended. */
  finishing: z.array(id).max(10_000).optional(),
  problems: z.array(problem).max(1_000),
  /** It ends, and is not there any more. */
  leaving: z.boolean().default(false),
})
export type GatewayReport = z.infer<typeof gatewayReport>
export const gatewayNews = z.strictObject({
  /** Of those it named: the sign-ins that have ended. */
  ended: z.array(id),
  /** With this in front it is believed who spoke to it; it is of this control plane's process alone, and of this gateway. */
  proof: z.string(),
  /** Names of the dashboard and API; none for a household that does not run the installation. */
  ownHosts: z.array(z.string()),
  /** HTTP-01, for the names it serves. */
  challenges: z.array(z.strictObject({ host: z.string(), token: z.string(), answer: z.string() })),
  /** Another one when a certificate changed. */
  certificates: z.string(),
})
export type GatewayNews = z.infer<typeof gatewayNews>

/** The same as a proxy asks at /api/forward-auth, by a gateway of ours: it is told the sign-in, too, so that it can end what that let in. */
export const gatewayReply = z.strictObject({
  status: z.number().int(),
  headers,
  body: z.string(),
  signInId: id.nullable(),
})
export type GatewayReply = z.infer<typeof gatewayReply>

/** PEM. `end`: when the certificate ends. */
export const servedCertificate = z.strictObject({ chain: z.string(), key: z.string(), end: time })
export type ServedCertificate = z.infer<typeof servedCertificate>

export const joinedRoutes = {
  report: route({
    method: 'POST',
    path: '/api/gateway/report',
    permission: 'gateway.serve',
    summary: 'A gateway of its own says that it is there, and hears what ended',
    params: nothing,
    query: nothing,
    body: gatewayReport,
    answer: gatewayNews,
    audit: 'gateway.joined',
    limits: { bodyBytes: 8_388_608 },
  }),
  judge: route({
    method: 'POST',
    path: '/api/gateway/judge',
    permission: 'gateway.serve',
    summary: 'Whether a request may pass, asked by a gateway of its own',
    params: nothing,
    query: nothing,
    body: z.strictObject({
      headers: z.record(z.string().max(100), z.string()),
      address: z.string().max(100),
    }),
    answer: z.strictObject({
      reply: gatewayReply.nullable(),
      /** Of the error table: what the person is told instead. */
      refused: errorBody.shape.error.pick({ code: true, details: true }).nullable(),
    }),
    audit: null,
    remembered: true,
    limits: { perMinute: 1_000_000 },
  }),
  certificate: route({
    method: 'GET',
    path: '/api/gateway/certificate',
    permission: 'gateway.serve',
    summary: 'The certificate of a name that a gateway of its own serves, with its key',
    params: nothing,
    /** Empty: for clients that name nobody. */
    query: z.strictObject({ host: z.string().max(253) }),
    body: nothing,
    answer: servedCertificate,
    audit: 'gateway.certificate-given',
  }),
  identity: route({
    method: 'GET',
    path: '/api/gateway/identity',
    permission: 'gateway.serve',
    summary: 'With what a gateway of its own shows itself to services that ask for a certificate',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({
      chain: z.string(),
      key: z.string(),
      authority: z.string(),
      renewAt: time,
    }),
    audit: 'gateway.identity-given',
  }),
}
