/** The HTTP side of everything: one pipeline, one door for upgrades, the control socket, the dashboard's files. */
import { chmod, mkdir, rm } from 'node:fs/promises'
import {
  createServer as createPlain,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createSecure, type Server as SecureServer } from 'node:https'
import { isIP } from 'node:net'
import { dirname } from 'node:path'
import { type Duplex, Readable } from 'node:stream'
import type { Config } from '@kalnet/contracts/config'
import { fail } from '@kalnet/contracts/errors'
import type { Mounted } from '@kalnet/contracts/mount'
import { type Actor, can, type Permission } from '@kalnet/contracts/permission'
import { SCIM_TYPE } from '@kalnet/contracts/scim'
import { type Clock, systemClock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { portTaken } from '@kalnet/io/ports'
import { fastify } from 'fastify'
import { v7 as newId } from 'uuid'
import type { RecordAudit } from './audited.ts'
import { carriesKey } from './bearer.ts'
import type { Handler, Identified } from './call.ts'
import { addCorsHeaders, preflight } from './cors.ts'
import { serveDashboard } from './dashboard.ts'
import { formOf } from './forms.ts'
import { createLimits } from './limits.ts'
import { createMounts, type MountedWork } from './mount.ts'
import { openApi } from './openapi.ts'
import {
  addressOf,
  assertOwnHost,
  type Before,
  hostsOf,
  isLocal,
  isSecure,
  markForwarded,
  markLocal,
} from './origin.ts'
import { BODY_BYTES, createPipeline } from './pipeline.ts'
import { createRemembered } from './remembered.ts'
import { answerBrokenRequest, HEADER_BYTES } from './replies.ts'
import { addSafetyHeaders, safetyHeaders } from './safety.ts'
import type { Store } from './store.ts'
import type { Answered } from './telemetry/answers.ts'
import { createUpgrades, type Upgrade } from './upgrades.ts'

export type { RecordAudit } from './audited.ts'
export {
  type AuditEntry,
  type Call,
  type Handler,
  handle,
  type Identified,
  type SignIn,
  type Tried,
} from './call.ts'
export type { MountedCall, MountedWork } from './mount.ts'
export type { Upgrade } from './upgrades.ts'
export type { Visit } from './visits.ts'

/** What a request brings that tells who asks. */
export interface Credentials {
  cookie: string
  /** The `Authorization` header as it came. */
  authorization: string
  secure: boolean
  /** Through the control socket: the CLI on this machine. */
  local: boolean
  address: string
}
export interface HttpOptions {
  config: Pick<Config, 'listen' | 'publicUrl' | 'tls' | 'cors' | 'domain'>
  tls?: { key: string | Buffer; cert: string | Buffer }
  store: Store
  log: Log
  clock?: Clock
  authenticate(credentials: Credentials): Promise<Identified>
  authorise?(actor: Actor | null, permission: Permission): boolean
  record: RecordAudit
  /** `<runtime>/control.sock`. */
  controlSocket?: string
  /** The dashboard's built files; absent: none are served. */
  dashboardFolder?: string
  /** Told of each call that was answered; absent: nobody follows. */
  answered?(call: Answered): void
  /** Slow senders, for tests: defaults 10 s for headers, 30 s for all of a request. */
  limits?: { headersMs?: number; requestMs?: number }
}
export interface Http {
  add(handlers: Handler[]): void
  upgrade(path: string, door: Upgrade): void
  /** Addresses of another protocol, as data; `work` answers them. */
  mount(mounts: readonly Mounted[], work: MountedWork): void
  mounted(): Mounted[]
  /** Cuts every WebSocket and stream of an ended sign-in. */
  cut(signInId: string): number
  /** How many connections it has. */
  connections(): Promise<number>
  /** The sign-ins that have an open WebSocket or stream. */
  connectedSignIns(): string[]
  /** For a door before ours in this process (the gateway): its request is answered here, from the same socket. */
  own: {
    hosts(): string[]
    request(request: IncomingMessage, response: ServerResponse): void
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  }
  /** Whoever knows our gateways says who spoke to one that passes this request on; null: nobody did, whatever the request claims. */
  believe(before: (request: IncomingMessage) => Before | null): void
  /** Every route bound, for the test of completeness. */
  routes(): Handler['route'][]
  /** New connections are shown this certificate; what is open stays as it is. */
  secure(tls: { key: string | Buffer; cert: string | Buffer }): void
  /** The address listened on. Asking twice gives the same. */
  listen(): Promise<string>
  close(): Promise<void>
}

/** Plain http never leaves loopback. */
export const isLoopback = (host: string) =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

export function createHttp(options: HttpOptions): Http {
  const { config, tls, store, log, clock = systemClock } = options
  const { host, port } = config.listen
  if (!tls && !isLoopback(host))
    throw new Error(
      `Plain http is for this machine only, not for ${host}. Use kalnet up --lan, which makes it https.`,
    )
  const own = {
    names: [...config.tls.names, config.domain],
    publicOrigin: config.publicUrl ? new URL(config.publicUrl).origin : null,
    foreignOrigins: config.cors.origins,
  }
  const limits = createLimits(clock)
  const remembered = createRemembered({ clock, authenticate: options.authenticate })
  const identify = (request: IncomingMessage, brief = false) =>
    (brief ? remembered.authenticate : options.authenticate)({
      // Whoever shows a key acts by it alone.
      cookie: carriesKey(request) ? '' : (request.headers.cookie ?? ''),
      authorization: request.headers.authorization ?? '',
      secure: isSecure(request),
      local: isLocal(request),
      address: addressOf(request),
    })
  const pipeline = createPipeline({
    store,
    clock,
    log,
    own,
    limits,
    identify,
    authorise: options.authorise ?? can,
    record: options.record,
  })
  const upgrades = createUpgrades({ log, limits, own, identify, record: options.record, clock })

  const server: ServerOptions = {
    headersTimeout: options.limits?.headersMs ?? 10_000,
    requestTimeout: options.limits?.requestMs ?? 30_000,
    connectionsCheckingInterval: Math.min(1_000, options.limits?.headersMs ?? 1_000),
    keepAliveTimeout: 20_000,
    maxHeaderSize: HEADER_BYTES,
  }
  let spokeBefore: (request: IncomingMessage) => Before | null = () => null
  const look = (request: IncomingMessage) => {
    const before = spokeBefore(request)
    if (before) markForwarded(request, before)
  }
  const receive = (listener: Server | SecureServer) => {
    // The first to hear of each request.
    listener.prependListener('request', look)
    listener.prependListener('upgrade', look)
    listener.on('upgrade', upgrades.receive)
    listener.on('clientError', answerBrokenRequest)
    return listener
  }
  let secured: SecureServer | null = null
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES,
    exposeHeadRoutes: false,
    // What cannot even be routed (an address that does not decode).
    frameworkErrors: (error, request, reply) => {
      addSafetyHeaders(request, reply)
      return pipeline.failed(error, request, reply)
    },
    genReqId: () => newId(),
    serverFactory(handler) {
      if (!tls) return receive(createPlain(server, handler)) as Server
      secured = createSecure({ ...server, ...tls }, handler)
      return receive(secured) as Server
    },
  })
  app.removeAllContentTypeParsers()
  const json = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser(['application/json', SCIM_TYPE], { parseAs: 'string' }, (request, text, done) => {
    // A POST without a body may still name its type.
    if (text === '') done(null, {})
    else json(request, text.toString(), done)
  })
  // Only what is asked by routes that say so: a form is what another site's page may send without asking.
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (request, text, done) => {
      const form = request.routeOptions.config.form
      if (form === 'navigation' || form === 'urlencoded')
        done(null, Object.fromEntries(new URLSearchParams(text.toString())))
      else done(fail('request.unsupported', { type: 'application/x-www-form-urlencoded' }))
    },
  )
  app.addHook('onSend', async (request, reply) => {
    addSafetyHeaders(request, reply)
    addCorsHeaders(request.raw, reply, own.foreignOrigins)
  })
  const { answered } = options
  if (answered)
    app.addHook('onResponse', async (request, reply) => {
      answered({
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
        status: reply.statusCode,
        tookMs: reply.elapsedTime,
        scheme: isSecure(request.raw) ? 'https' : 'http',
        traceparent: request.headers.traceparent,
      })
    })
  app.addHook('onResponse', async (request, reply) => {
    // The route's pattern, never the address: an address may carry what is secret.
    log.debug(
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'answered',
    )
  })
  app.setErrorHandler((error, request, reply) =>
    pipeline.failed(error, request, reply, request.routeOptions.bodyLimit ?? BODY_BYTES),
  )
  app.setNotFoundHandler((request, reply) => pipeline.failed(fail('route.unknown'), request, reply))

  // Nothing but the question of a browser whether a page of another site may call.
  app.options('/api/*', async (request, reply) => {
    assertOwnHost(request.raw, own)
    const headers = preflight(request.raw, own.foreignOrigins)
    if (!headers) throw fail('route.unknown')
    return reply.status(204).headers(headers).send()
  })

  const mounts = createMounts({ app, clock, log, limits, own, record: options.record, safetyHeaders })
  const bound: Handler['route'][] = []
  let description: string | null = null
  app.get('/api/openapi.json', (_request, reply) => {
    description ??= JSON.stringify(openApi(bound))
    return reply.type('application/json').header('cache-control', 'no-cache').send(description)
  })

  let control: Server | null = null
  async function openControlSocket(path: string) {
    await mkdir(dirname(path), { recursive: true })
    await rm(path, { force: true })
    const listener: RequestListener = (request, response) => {
      markLocal(request)
      app.routing(request, response)
    }
    control = createPlain(server, listener)
    control.on('clientError', answerBrokenRequest)
    control.on('upgrade', (request, socket, head) => {
      markLocal(request)
      upgrades.receive(request, socket, head)
    })
    const listening = control
    await new Promise<void>((resolve, reject) => {
      listening.once('error', reject)
      listening.listen(path, resolve)
    })
    await chmod(path, 0o600)
  }

  let listening: Promise<string> | null = null
  return {
    add(handlers) {
      for (const handler of handlers) {
        const { route } = handler
        bound.push(route)
        app.route({
          method: route.method,
          url: route.path,
          bodyLimit: route.limits?.bodyBytes ?? BODY_BYTES,
          config: { form: route.form },
          onRequest: (request) => pipeline.admit(route, request),
          handler: async (request, reply) => {
            const answer = await pipeline.work(handler, request, reply)
            // A handler that set its own type (an icon) sends its text as it is.
            if (answer instanceof Readable) return reply.send(answer)
            if (typeof answer === 'string' && reply.hasHeader('content-type')) return reply.send(answer)
            if (reply.statusCode === 204 || reply.statusCode === 304) return reply.send()
            return reply.type(formOf(route.form).type).send(JSON.stringify(answer))
          },
        })
      }
    },
    upgrade: upgrades.add,
    believe(before) {
      spokeBefore = before
    },
    mount: mounts.add,
    mounted: mounts.bound,
    cut(signInId) {
      remembered.forget(signInId)
      return upgrades.cut(signInId)
    },
    connections: () => new Promise((resolve) => app.server.getConnections((_, count) => resolve(count ?? 0))),
    connectedSignIns: upgrades.signIns,
    routes: () => [...bound],
    secure: ({ key, cert }) => secured?.setSecureContext({ key, cert }),
    listen() {
      listening ??= (async () => {
        if (options.dashboardFolder) await serveDashboard(app, options.dashboardFolder)
        await app.ready()
        // The port first: whoever finds it taken must not touch the socket of the one that is running.
        const address = await app.listen({ host, port }).catch(async (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EADDRINUSE') throw error
          throw (await portTaken(host, port)) ?? error
        })
        if (options.controlSocket) await openControlSocket(options.controlSocket)
        return address
      })()
      return listening
    },
    own: {
      hosts: () => hostsOf(own),
      request: (request, response) => void app.server.emit('request', request, response),
      upgrade: (request, socket, head) => void app.server.emit('upgrade', request, socket, head),
    },
    async close() {
      upgrades.closeAll()
      const socket = control
      if (socket) {
        socket.closeAllConnections()
        await new Promise<void>((resolve) => socket.close(() => resolve()))
      }
      app.server.closeIdleConnections()
      const late = setTimeout(() => app.server.closeAllConnections(), 2_000)
      await app.close()
      clearTimeout(late)
    },
  }
}
