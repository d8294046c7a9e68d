/** Streams: a viewer comes with a ticket, its controller dials back, and the relay joins the two. */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { fail, KalnetError } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import {
  DIAL_PATH,
  STREAM_CLOSE,
  STREAM_PATH,
  STREAM_PROTOCOL,
  streamRoutes,
  TICKET_PREFIX,
} from '@kalnet/contracts/stream'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { acceptRaw, refuseUpgrade } from '@kalnet/wire/raw'
import { createRelay, offeredProtocols, type Viewer } from '@kalnet/wire/relay'
import { v7 as newId } from 'uuid'
import { type Handler, type Http, handle, type Visit } from '../core/http.ts'
import type { Store } from '../core/store.ts'
import { bearerOf, createTickets } from './tickets.ts'

export interface Located {
  controllerId: string
  instanceId: string
  organisationId: string
  userId: string
  sessionId: string
}
export interface StreamsOptions {
  store: Store
  http: Pick<Http, 'upgrade'>
  clock: Clock
  log: Log
  /** Tells the controller to dial back; false when it is not connected. */
  openOnController(
    controllerId: string,
    request: { streamId: string; instanceId: string; port: string; token: string },
  ): boolean
  /** Where the session's instance is; throws when the actor may not open it or it does not run. */
  locate(sessionId: string, actor: Actor): Promise<Located>
  /** The first byte of a screen reached a viewer's connection. */
  onFirstByte(sessionId: string): void
}
export interface Streams {
  routes: Handler[]
  /** The controller could not open it. */
  failed(streamId: string, problem: string): void
  /** The instance is gone or replaced. */
  cutInstance(instanceId: string): void
  /** The sign-in ended: its streams end before this returns. */
  cutSignIn(signInId: string): void
  /** Open streams, those that wait for their controller too. */
  count(): number
  /** The control plane stops: viewers are told to come back. */
  close(): void
}
interface Stream extends Located {
  streamId: string
  bearer: string
  viewer: Viewer
}

/** How long a controller may take to dial back. */
const DIAL_MS = 10_000

export function createStreams(options: StreamsOptions): Streams {
  const { store, http, clock, log, locate, openOnController, onFirstByte } = options
  const tickets = createTickets({ store, clock })
  const relay = createRelay({ clock })
  const streams = new Map<string, Stream>()
  /**
   * Dial token → the stream that waits for it. In memory only: the replica that issued the token also holds the viewer, so the
   * dial must come back to it. With several replicas, `stream.open` has to carry that replica's own address.
   */
  const awaited = new Map<string, (raw: Duplex) => void>()

  /** Refuses as an HTTP answer: before the WebSocket is accepted there is no close code. */
  function refuse(socket: Duplex, error: unknown): void {
    if (!(error instanceof KalnetError)) log.error({ err: error }, 'a stream could not be opened')
    refuseUpgrade(socket, error instanceof KalnetError ? error : fail('internal', {}, error))
  }

  function open(stream: Stream, port: string): void {
    const { streamId, viewer, instanceId, controllerId, sessionId } = stream
    const token = randomBytes(32).toString('base64url')
    const waited = new AbortController()
    const settle = () => {
      awaited.delete(token)
      waited.abort()
    }
    streams.set(streamId, stream)
    viewer.onClose = () => {
      settle()
      streams.delete(streamId)
    }
    awaited.set(token, (raw) => {
      settle()
      viewer.attach(raw, () => onFirstByte(sessionId))
    })
    if (!openOnController(controllerId, { streamId, instanceId, port, token })) {
      viewer.close(STREAM_CLOSE.unreachable, 'the machine it runs on is not connected')
      return
    }
    clock.sleep(DIAL_MS, waited.signal).then(
      () => viewer.close(STREAM_CLOSE.unreachable, 'the machine it runs on did not answer'),
      // Aborted: dialled back, refused or left in time.
      () => undefined,
    )
  }

  async function connect(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    actor: Actor,
    bearer: string,
    visit: Visit,
  ): Promise<void> {
    const offered = offeredProtocols(request)
    const ticket = offered.find((name) => name.startsWith(TICKET_PREFIX))?.slice(TICKET_PREFIX.length)
    if (!ticket || !offered.includes(STREAM_PROTOCOL)) throw fail('ticket.invalid')
    const row = await tickets.use(actor, bearer, ticket)
    // Asked again: what was allowed when the ticket was made may have ended since.
    const where = await locate(row.session_id, actor)
    if (socket.destroyed) return
    await visit.opened(row.session_id, { port: row.port })
    if (socket.destroyed) return
    const viewer = relay.accept(request, socket, head)
    if (viewer) open({ ...where, streamId: newId(), bearer, viewer }, row.port)
  }

  function cut(which: (stream: Stream) => boolean, code: number, reason: string): void {
    for (const stream of [...streams.values()]) if (which(stream)) stream.viewer.close(code, reason)
  }

  http.upgrade(STREAM_PATH, {
    origin: 'same',
    signIn: 'required',
    permission: 'stream.open',
    handle(request, socket, head, actor, signIn, visit) {
      if (!actor) return refuse(socket, fail('sign-in.required'))
      // A viewer that leaves while its ticket is looked up is no fault.
      socket.on('error', () => socket.destroy())
      connect(request, socket, head, actor, bearerOf(signIn), visit).catch((error: unknown) => {
        visit.refused(error)
        refuse(socket, error)
      })
    },
  })
  http.upgrade(DIAL_PATH, {
    origin: 'none',
    signIn: 'none',
    handle(request, socket, head) {
      const offer = acceptRaw(request, socket, head)
      const take = offer && awaited.get(offer.token)
      if (offer && take) take(offer.accept())
      else offer?.refuse(fail('ticket.invalid'))
    },
  })

  return {
    routes: [
      handle(streamRoutes.ticket, async ({ params, body, actor, signIn }) => {
        await locate(params.id, actor)
        return tickets.issue(actor, bearerOf(signIn), params.id, body.port)
      }),
    ],
    failed(streamId, problem) {
      streams.get(streamId)?.viewer.close(STREAM_CLOSE.unreachable, problem)
    },
    cutInstance: (instanceId) =>
      cut((stream) => stream.instanceId === instanceId, STREAM_CLOSE.ended, 'the session ended'),
    cutSignIn: (signInId) =>
      cut((stream) => stream.bearer === signInId, STREAM_CLOSE.revoked, 'the sign-in ended'),
    count: () => streams.size,
    close: () => cut(() => true, STREAM_CLOSE.restarting, 'the control plane restarts'),
  }
}
