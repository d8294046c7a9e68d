/** The gateway's ports for http and https: HTTP/1.1 and HTTP/2, certificates by name, and the limits for whoever dawdles. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2'
import { type AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Server as TlsServer } from 'node:tls'
import { fail } from '@kalnet/contracts/errors'
import { networkOf } from '../../core/origin.ts'
import { type EngineOptions, HEADER_BYTES, type Limits } from './interface.ts'
import { refuseBroken } from './refuse.ts'
import { isWebSocket } from './upgrade.ts'

export interface Receiving {
  options: EngineOptions
  limits: Limits
  /** Something is served under this name to whoever comes from this address. */
  knows(name: string, address: string): boolean
  request(request: IncomingMessage, response: ServerResponse, secure: boolean): void
  upgrade(request: IncomingMessage, socket: Duplex, rest: Buffer, secure: boolean): void
}

/** Bytes that HTTP/2 may hold for one connection, and streams at once; a browser asks for a hundred. */
const STREAMS_MOST = 128
/** So often it is looked for whether the certificate for those who name nobody is another one. */
const STANDARD_MS = 60_000

/** One that asks nothing, or never ends its headers, is closed; one with something open may be silent as long as that may. */
function endWhenIdle(session: ServerHttp2Session, { keepAliveMs }: Limits): void {
  let open = 0
  session.on('stream', (stream) => {
    open += 1
    stream.once('close', () => {
      open -= 1
    })
  })
  session.setTimeout(keepAliveMs * 3, () => {
    if (open === 0) session.close()
  })
}

const addressOfPeer = (socket: Socket) => (socket.remoteAddress ?? '').replace(/^::ffff:/, '')

export function createListeners({ options, limits, knows, request, upgrade }: Receiving) {
  const { listen: place, certificateFor, log } = options
  const open = new Set<Socket>()
  const sessions = new Set<ServerHttp2Session>()
  const byClient = new Map<string, number>()

  /** Refused without a word: whoever holds thousands of connections reads none. */
  function count(socket: Socket) {
    const client = networkOf(addressOfPeer(socket))
    const now = (byClient.get(client) ?? 0) + 1
    byClient.set(client, now)
    open.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      const left = (byClient.get(client) ?? 1) - 1
      if (left > 0) byClient.set(client, left)
      else byClient.delete(client)
    })
    if (now > limits.connectionsByClient) socket.destroy()
  }

  const settings: ServerOptions = {
    headersTimeout: limits.headersMs,
    // Bodies have their own limit, of silence: a large one may take its time.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: HEADER_BYTES,
    noDelay: true,
  }
  function bind(server: Server | Http2SecureServer, secure: boolean) {
    const onRequest = (incoming: IncomingMessage, answer: ServerResponse) => request(incoming, answer, secure)
    // Both speak the same to us; node types them apart.
    const plain = server as Server
    plain.maxHeadersCount = 0
    // Every other upgrade is a plain request, its header ends here. As an option, the server of HTTP/2 would not hear of it.
    Object.assign(plain, { shouldUpgradeCallback: isWebSocket })
    plain.on('request', onRequest)
    plain.on('checkContinue', onRequest)
    plain.on('checkExpectation', onRequest)
    plain.on('upgrade', (incoming, socket, rest) => {
      if (isWebSocket(incoming)) upgrade(incoming, socket, rest, secure)
      else refuseBroken(new Error('an upgrade that is none'), socket)
    })
    plain.on('clientError', refuseBroken)
    return plain
  }

  const http = bind(createServer(settings), false)
  http.on('connection', count)
  let https: Server | null = null
  if (place.httpsPort !== null) {
    const secure = createSecureServer({
      ...settings,
      allowHTTP1: true,
      handshakeTimeout: limits.headersMs,
      settings: {
        maxConcurrentStreams: STREAMS_MOST,
        maxHeaderListSize: HEADER_BYTES,
        enableConnectProtocol: false,
      },
      maxSessionMemory: 10,
      // Node calls it as a method of the connection: who asks decides which names there are.
      SNICallback(this: unknown, name, done) {
        const lower = name.toLowerCase()
        const address = this instanceof Socket ? addressOfPeer(this) : ''
        Promise.resolve(knows(lower, address) ? (certificateFor?.(lower) ?? null) : null).then(
          (context) => (context ? done(null, context) : done(fail('gateway-route.unknown', { host: lower }))),
          (error: Error) => {
            log.warn({ error, name: lower }, 'no certificate')
            done(error)
          },
        )
      },
    })
    https = bind(secure, true)
    https.on('connection', count)
    https.on('tlsClientError', (_: Error, socket: Socket) => socket.destroy())
    secure.on('session', (session) => {
      endWhenIdle(session, limits)
      sessions.add(session)
      session.once('close', () => sessions.delete(session))
    })
    https.on('sessionError', (error: Error) => log.debug({ error }, 'an HTTP/2 session broke'))
  }

  const bindPort = (server: Server, port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: place.host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  const addressOf = (server: Server) => {
    const address = server.address() as AddressInfo | null
    return { host: place.host, port: address?.port ?? 0 }
  }
  const { certificateForNobody } = options
  let standard: string | null = null
  /** Node asks for a certificate by name only where there is a name; the one for the others is put there beforehand. */
  async function lookForStandard(): Promise<void> {
    const found = https ? await certificateForNobody?.() : null
    const text = found ? `${found.chain}` : null
    if (!found || text === standard) return
    standard = text
    const secure = https as unknown as TlsServer
    secure.setSecureContext({ cert: found.chain, key: found.key })
  }
  const keepStandard = () =>
    lookForStandard().catch((error: unknown) =>
      log.warn({ problem: error instanceof Error ? error.message : '' }, 'no certificate for bare addresses'),
    )
  let looking: NodeJS.Timeout | null = null

  let listening: Promise<void> | null = null
  return {
    /** Asking twice gives the same. */
    listen() {
      listening ??= (async () => {
        if (certificateForNobody) {
          await keepStandard()
          looking = setInterval(() => void keepStandard(), STANDARD_MS).unref()
        }
        await bindPort(http, place.httpPort)
        if (https && place.httpsPort !== null) await bindPort(https, place.httpsPort)
      })()
      return listening
    },
    async drain(withinMs: number) {
      const all = [http, ...(https ? [https] : [])].filter((it) => it.listening)
      const ended = all.map((it) => new Promise((resolve) => it.close(resolve)))
      for (const session of sessions) session.close()
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, withinMs)
      await Promise.race([Promise.all(ended), late.promise])
      clearTimeout(timer)
    },
    async close() {
      if (looking) clearInterval(looking)
      const all = [http, ...(https ? [https] : [])]
      const closed = all.filter((it) => it.listening).map((it) => new Promise((resolve) => it.close(resolve)))
      for (const socket of open) socket.destroy()
      await Promise.all(closed)
    },
    addresses: () => ({ http: addressOf(http), https: https?.listening ? addressOf(https) : null }),
    /** What people write; null: there is no TLS. */
    publicHttpsPort: () => (https ? (place.publicHttpsPort ?? addressOf(https).port) : null),
  }
}
