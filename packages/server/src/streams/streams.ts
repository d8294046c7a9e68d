/** Streams: a viewer comes with a ticket, its controller dials back, and the relay joins the two. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { fail, KalnetError } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import {
  STREAM_CLOSE,
  STREAM_PATH,
  STREAM_PROTOCOL,
  streamRoutes,
  TICKET_PREFIX,
} from '@kalnet/contracts/stream'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { refuseUpgrade } from '@kalnet/wire/raw'
import { createRelay, offeredProtocols, type Viewer } from '@kalnet/wire/relay'
import { v7 as newId } from 'uuid'
import { type Handler, type Http, handle, type Visit } from '../core/http.ts'
import type { Store } from '../core/store.ts'
import { bearerOf, createTickets } from './tickets.ts'
import type { Tunnels } from './tunnels.ts'

export interface Located {
  controllerId: string
  instanceId: string
  organisationId: string
  userId: string
  sessionId: string
  /** A viewer opened: what hears what it sends, and that it has gone. Absent: nobody wants to know. */
  opened?(port: string): { sent(payload: Buffer): void; leave(): void }
}
export interface StreamsOptions {
  store: Store
  http: Pick<Http, 'upgrade'>
  clock: Clock
  log: Log
  tunnels: Pick<Tunnels, 'dial'>
  /** Where the session's instance is; throws when the actor may not open it or it does not run. */
  locate(sessionId: string, actor: Actor): Promise<Located>
  /** The first byte of a screen reached a viewer's connection. */
  onFirstByte(sessionId: string): void
}
export interface Streams {
  routes: Handler[]
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

export function createStreams(options: StreamsOptions): Streams {
  const { store, http, clock, log, locate, tunnels, onFirstByte } = options
  const tickets = createTickets({ store, clock })
  const relay = createRelay({ clock })
  const streams = new Map<string, Stream>()
  /** Refuses as an HTTP answer: before the WebSocket is accepted there is no close code. */
  function refuse(socket: Duplex, error: unknown): void {
    if (!(error instanceof KalnetError)) log.error({ err: error }, 'a stream could not be opened')
    refuseUpgrade(socket, error instanceof KalnetError ? error : fail('internal', {}, error))
  }

  function open(stream: Stream, port: string): void {
    const { streamId, viewer, instanceId, controllerId, sessionId } = stream
    const left = new AbortController()
    streams.set(streamId, stream)
    const inUse = stream.opened?.(port)
    viewer.onClose = () => {
      left.abort()
      inUse?.leave()
      streams.delete(streamId)
    }
    tunnels.dial({ controllerId, instanceId, port }, left.signal).then(
      (raw) => {
        if (left.signal.aborted) raw.destroy()
        else viewer.attach(raw, () => onFirstByte(sessionId), inUse?.sent)
      },
      (error: unknown) =>
        viewer.close(
          STREAM_CLOSE.unreachable,
          error instanceof KalnetError ? String(error.details.problem) : 'it could not be reached',
        ),
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

  return {
    routes: [
      handle(streamRoutes.ticket, async ({ params, body, actor, signIn }) => {
        await locate(params.id, actor)
        return tickets.issue(actor, bearerOf(signIn), params.id, body.port)
      }),
    ],
    cutInstance: (instanceId) =>
      cut((stream) => stream.instanceId === instanceId, STREAM_CLOSE.ended, 'the session ended'),
    cutSignIn: (signInId) =>
      cut((stream) => stream.bearer === signInId, STREAM_CLOSE.revoked, 'the sign-in ended'),
    count: () => streams.size,
    close: () => cut(() => true, STREAM_CLOSE.restarting, 'the control plane restarts'),
  }
}
