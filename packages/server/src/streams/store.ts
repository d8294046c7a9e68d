/** SQL of stream tickets. Only the SHA-256 of a ticket is stored. */
import { sql } from 'kysely'

export interface TicketRow {
  session_id: string
  port: string
}
interface NewTicket {
  hash: string
  organisationId: string
  sessionId: string
  userId: string
  bearer: string
  port: string
  expiresAt: Date
}

export const statements = {
  add: (it: NewTicket) => sql`
    INSERT INTO tickets (hash, organisation_id, session_id, user_id, bearer, port, expires_at)
    VALUES (${it.hash}, ${it.organisationId}::uuid, ${it.sessionId}::uuid, ${it.userId}::uuid, ${it.bearer},
      ${it.port}, ${it.expiresAt})`,

  /** One use, by the sign-in that asked for it: two that come at once, one gets it. A stranger's try does not use it up. */
  use: (hash: string, userId: string, bearer: string, now: Date) => sql<TicketRow>`
    DELETE FROM tickets
    WHERE hash = ${hash} AND user_id = ${userId}::uuid AND bearer = ${bearer} AND expires_at > ${now}
    RETURNING session_id, port`,

  dropExpired: (now: Date) => sql`DELETE FROM tickets WHERE expires_at <= ${now}`,
}
