/** The live WebSocket: what a signed-in person may see, as it happens, from where he left off. */
import {
  EVENTS,
  type EventType,
  type KalnetEvent,
  LIVE_PATH,
  type LiveMessage,
  liveHello,
} from '@kalnet/contracts/event'
import { type Actor, can, type Permission } from '@kalnet/contracts/permission'
import type { Log } from '@kalnet/io/log'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { Events } from './events.ts'
import type { Http } from './http.ts'

/** Kind → the permission that lets one read such a thing; null: never leaves the server. */
const READS: Record<EventType, Permission | null> = {
  'organisation.claimed': 'me.read',
  'user.changed': 'me.read',
  'session.changed': 'session.read',
  'session.removed': 'session.read',
  'service.changed': 'service.read',
  'service.removed': 'service.read',
  'route.changed': 'route.read',
  'route.removed': 'route.read',
  'certificate.changed': 'network.read',
  'certificate.removed': 'network.read',
  'controller.changed': 'controller.read',
  'controller.removed': 'controller.read',
  'cluster.changed': 'controller.read',
  'organisation.changed': 'me.read',
  'person.changed': 'person.read',
  'person.removed': 'person.read',
  'group.changed': 'group.read',
  'group.removed': 'group.read',
  'invitation.changed': 'invitation.manage',
  'audit.sealed': 'audit.read',
  'sign-in.ended': null,
}

/** Of his organisation, or of the installation; his own or everybody's, or anybody's where his role reaches that far. */
export function visible(
  actor: Actor,
  event: Pick<KalnetEvent, 'type' | 'organisationId' | 'userId'>,
): boolean {
  const permission = READS[event.type]
  if (permission === null || !can(actor, permission)) return false
  const organisationId = event.organisationId ?? actor.organisationId
  return can(actor, permission, { organisationId, userId: event.userId ?? actor.userId })
}

const HELLO_MS = 10_000
const PING_MS = 20_000
/** A reader that leaves this much unread is closed; it comes back with its cursor and loses nothing. */
const UNREAD_BYTES = 1 << 20
const CLOSE = { protocol: 4400, slow: 4408, failed: 4500 } as const

export interface LiveOptions {
  http: Pick<Http, 'upgrade'>
  events: Events
  log: Log
}

export function createLive({ http, events, log }: LiveOptions): { close(): void; count(): number } {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: 4_096,
    perMessageDeflate: false,
    clientTracking: true,
  })

  function firstMessage(socket: WebSocket): Promise<string | null> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('no hello in time')), HELLO_MS)
      socket.once('close', () => {
        clearTimeout(late)
        reject(new Error('closed'))
      })
      socket.once('message', (data: RawData) => {
        clearTimeout(late)
        try {
          resolve(liveHello.parse(JSON.parse(data.toString())).after)
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  async function serve(socket: WebSocket, actor: Actor) {
    const gone = new AbortController()
    socket.on('error', () => socket.terminate())
    socket.once('close', () => gone.abort())
    const beat = keepAlive(socket)
    const send = (message: LiveMessage) => {
      if (socket.bufferedAmount > UNREAD_BYTES) {
        gone.abort()
        socket.close(CLOSE.slow, 'reads too slowly')
        // Whoever does not read does not read the close either.
        setTimeout(() => socket.terminate(), 1_000).unref()
      } else if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
    }
    try {
      const after = await firstMessage(socket).catch(() => {
        socket.close(CLOSE.protocol, 'say hello first')
        return undefined
      })
      if (after === undefined) return
      // From now: the cursor is told, so that what is read next and what is heard next overlap.
      const from = after ?? (await events.cursor())
      send({ type: 'ready', cursor: from })
      for await (const heard of events.subscribe({ after: from, signal: gone.signal })) {
        if (heard.kind === 'gap') send({ type: 'gap', cursor: heard.cursor })
        else if (visible(actor, heard.event)) {
          const { cursor, type, at, data } = heard.event
          send({ type: 'event', cursor, event: type, at, data: EVENTS[type] ? data : null })
        }
      }
    } catch (error) {
      log.warn(
        { problem: error instanceof Error ? error.message : String(error) },
        'a live connection failed',
      )
      socket.close(CLOSE.failed, 'try again')
    } finally {
      clearInterval(beat)
    }
  }

  http.upgrade(LIVE_PATH, {
    origin: 'same',
    signIn: 'required',
    permission: 'event.read',
    handle(request, socket, head, actor) {
      if (!actor) return void socket.destroy()
      server.handleUpgrade(request, socket, head, (accepted) => void serve(accepted, actor))
    },
  })
  return {
    count: () => server.clients.size,
    close() {
      for (const socket of server.clients) socket.close(1001, 'restarting')
      server.close()
    },
  }
}

/** A peer that answered no ping since the last one is gone. */
function keepAlive(socket: WebSocket): NodeJS.Timeout {
  let answered = true
  socket.on('pong', () => {
    answered = true
  })
  return setInterval(() => {
    if (!answered) return socket.terminate()
    answered = false
    socket.ping()
  }, PING_MS)
}
