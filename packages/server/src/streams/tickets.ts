/** One-use tickets: the right of one sign-in to open one screen within 30 s. */
import { createHash, randomBytes } from 'node:crypto'
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import { TICKET_MS } from '@kalnet/contracts/stream'
import type { Clock } from '@kalnet/io/clock'
import type { Store } from '../core/store.ts'
import { statements, type TicketRow } from './store.ts'

/** Whose ticket it is: the sign-in, or the local CLI, which has none. */
export const bearerOf = (signIn: { id: string } | null): string => signIn?.id ?? 'local-cli'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

export interface Tickets {
  issue(
    actor: Actor,
    bearer: string,
    sessionId: string,
    port: string,
  ): Promise<{ ticket: string; expiresAt: string }>
  /** Throws `ticket.invalid` when it is unknown, used, expired or somebody else's. */
  use(actor: Actor, bearer: string, ticket: string): Promise<TicketRow>
}

export function createTickets({ store, clock }: { store: Store; clock: Clock }): Tickets {
  return {
    async issue(actor, bearer, sessionId, port) {
      const ticket = randomBytes(32).toString('base64url')
      const expiresAt = new Date(clock.now().getTime() + TICKET_MS)
      const { organisationId, userId } = actor
      await store.as(organisationId).transaction(async (tx) => {
        await statements.dropExpired(clock.now()).execute(tx)
        await statements
          .add({
            hash: sha256(ticket),
            organisationId,
            sessionId,
            userId,
            bearer,
            port,
            expiresAt,
          })
          .execute(tx)
      })
      return { ticket, expiresAt: expiresAt.toISOString() }
    },
    async use(actor, bearer, ticket) {
      const { rows } = await store
        .as(actor.organisationId)
        .transaction((tx) => statements.use(sha256(ticket), actor.userId, bearer, clock.now()).execute(tx))
      const [row] = rows
      if (!row) throw fail('ticket.invalid')
      return row
    },
  }
}
