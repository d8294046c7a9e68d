/** What the engine is given and what it gives: the seam between serving requests and knowing who asks and where things are. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { SecureContext } from 'node:tls'
import type { Call, Endpoint, RouteFigures, Snapshot } from '@kalnet/contracts/gateway'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Trace } from '../../core/trace.ts'
import type { Counts } from './figures.ts'

export type SnapshotRoute = Snapshot['routes'][number]

/** One request, as whoever judges it needs to see it. */
export interface Asked {
  route: SnapshotRoute
  method: string
  scheme: 'http' | 'https'
  /** As the client wrote it, in lower case: with a port where it is not the scheme's own. */
  host: string
  /** Path and query as they came. */
  uri: string
  /** Of the client, as the engine got them. */
  headers: IncomingHttpHeaders
  address: string
  /** A WebSocket. */
  upgrade: boolean
}
export type Verdict =
  | {
      pass: true
      /** Set on the request upstream, after what the client claimed under these names was taken away. */
      headers: Record<string, string>
      /** Taken from the request, besides. */
      drop: string[]
      /** `cut` of it ends whatever it let in. */
      signInId: string | null
      userId: string | null
    }
  | { pass: false; status: number; headers: Record<string, string | string[]>; body: string | Buffer }

/** One request that ended. */
export interface Served {
  route: SnapshotRoute
  method: string
  scheme: 'http' | 'https'
  host: string
  /** As it came, without the query. */
  path: string
  /** Of HTTP. */
  version: string
  trace: Trace
  /** A WebSocket. */
  upgrade: boolean
  /** 0: nothing was answered. */
  status: number
  /** Nobody broke off. */
  isWhole: boolean
  tookMs: number
}

export type Tunnel = NonNullable<Endpoint['tunnel']>

export interface EngineOptions {
  clock: Clock
  log: Log
  /** Whose network we are in: endpoints of the same may be reached directly. */
  machine: string | null
  /** Port 0: a free one. `httpsPort` null: no TLS, nothing is redirected. */
  listen: {
    host: string
    httpPort: number
    httpsPort: number | null
    /** What people write in addresses, when it is not the port listened on. */
    publicHttpsPort: number | null
  }
  /** For clients that name nobody, because they came by a bare address; null: their handshake is refused. Asked again once in a while. */
  certificateForNobody?(): Promise<{ chain: string | Buffer; key: string | Buffer } | null>
  /** Null: nothing is served under this name; the handshake is refused. */
  certificateFor?(name: string): SecureContext | null | Promise<SecureContext | null>
  /** The stream of a port of an instance, through its controller; the port by its name. */
  dialTunnel(tunnel: Tunnel, port: string, signal: AbortSignal): Promise<Duplex>
  judge(asked: Asked): Promise<Verdict>
  /** The names of the dashboard and API: passed on untouched. A listener of node:http answers them. */
  own: {
    hosts(): string[]
    request(request: IncomingMessage, response: ServerResponse): void
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  }
  /** The answer to an ACME HTTP-01 challenge, or null. */
  challenge?(host: string, token: string): string | null
  /** With what we show ourselves to a service that asks for a certificate (`upstreamTls: mutual`); it holds whom we trust, too. */
  upstreamIdentity?(organisationId: string): SecureContext | null | Promise<SecureContext | null>
  limits?: Partial<Limits>
  /** Told of each request that was led to a service, when it ended. Absent: nobody follows, and it costs nothing. */
  onServed?(served: Served): void
  /** Share of the traces that begin here and are marked as ones that are kept. Default: all. */
  traceShare?: number
  /** How often UDP clients that fell silent are looked for; a test looks oftener. */
  flowCheckMs?: number
}

/** What slow, endless and never-reading clients come up against. */
export interface Limits {
  headersMs: number
  /** Silence in a request's body. */
  bodyMs: number
  /** Bytes wait for a client that does not read. */
  stallMs: number
  keepAliveMs: number
  /** Open connections of one client (an IPv6 network of /64). */
  connectionsByClient: number
}
export const LIMITS: Limits = {
  headersMs: 10_000,
  bodyMs: 30_000,
  stallMs: 60_000,
  keepAliveMs: 20_000,
  connectionsByClient: 2_048,
}
export const HEADER_BYTES = 32_768
export const HEADER_COUNT = 200
/** Services send more than they take: policies and cookies. */
export const ANSWER_HEADER_BYTES = 131_072

/** A port or route that could not be opened, for people. */
export interface Problem {
  routeId: string
  problem: string
}

export interface Engine {
  /** Serves from this from now on; what is open stays open. */
  apply(snapshot: Snapshot): Promise<void>
  listen(): Promise<void>
  close(): Promise<void>
  /** Takes no new connections; resolves when those that are open have ended, or after this time. `close` ends the rest. */
  drain(withinMs: number): Promise<void>
  /** Ends everything this sign-in let in; how much it was. */
  cut(signInId: string): number
  /** By which sign-ins something is open. */
  signIns(): string[]
  figures(): RouteFigures[]
  /** How much is open at each instance (or registration), also at those that the snapshot does not name any more. */
  open(): Map<string, number>
  /** Of those the ones that get nothing new: they are asked to live on until that has ended. */
  finishing(): string[]
  /** What is counted, as it is counted on. */
  counts(): Iterable<[SnapshotRoute, Counts]>
  calls(): Call[]
  addresses(): { http: { host: string; port: number }; https: { host: string; port: number } | null }
  problems(): Problem[]
}
