/** Streams: a byte path from a viewer to an instance's port, and the one-use ticket for it. */
import { z } from 'zod'
import { byId, nothing, slug, time } from './basics.ts'
import { route } from './route.ts'

/** A ticket lives this long at most and works once. */
export const TICKET_MS = 30_000
/** The viewer's WebSocket. The ticket travels as a second subprotocol `ticket.<value>`, never in the URL. */
export const STREAM_PATH = '/api/streams/connect'
export const STREAM_PROTOCOL = 'kalnet.stream.1'
export const TICKET_PREFIX = 'ticket.'
/** Where a controller dials back, one raw upgraded connection per viewer: `Upgrade: kalnet-raw`, `Authorization: Bearer <dial token>`. */
export const DIAL_PATH = '/api/streams/dial'
export const DIAL_UPGRADE = 'kalnet-raw'

/** Why the server closed a viewer's WebSocket (RFC 6455 private range). */
export const STREAM_CLOSE = { ended: 4000, unreachable: 4001, revoked: 4002, restarting: 4003 } as const

export const ticket = z.strictObject({ ticket: z.string(), expiresAt: time })
export const streamRoutes = {
  ticket: route({
    method: 'POST',
    path: '/api/sessions/:id/tickets',
    permission: 'stream.open',
    summary: 'A one-use ticket to open the screen, valid 30 s',
    params: byId,
    query: nothing,
    body: z.strictObject({ port: slug.default('display') }),
    answer: ticket,
    audit: 'stream.ticket-issued',
  }),
}
