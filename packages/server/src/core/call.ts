/** What a handler gets and what it is: a route and the work for it. */

import type { Readable } from 'node:stream'
import type { Actor } from '@kalnet/contracts/permission'
import type { AnswerOf, AnyRoute, BodyOf, ParamsOf, QueryOf } from '@kalnet/contracts/route'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** A person's authenticated period on a device, or the service key that came along. */
export interface SignIn {
  /** Stays when the secret is renewed: open connections hang on it. */
  id: string
  /** SHA-256 of the secret. */
  hash: string
  /** When the person last proved who it is. */
  provedAt: string
  /** How many factors a person has proved; absent: a service key. */
  assurance?: 1 | 2
  /** The beginning of the service key that came along, for the audit; absent: a person's sign-in. */
  key?: string
}
export interface Identified {
  actor: Actor | null
  signIn: SignIn | null
}

export type Tried = { organisationId: string; userId: string } | { hash: string }

export interface Call<R> {
  params: ParamsOf<R>
  query: QueryOf<R>
  body: BodyOf<R>
  /** Who asks. On a public route there may be nobody: reading it throws sign-in.required then; ask `visitor`. */
  readonly actor: Actor
  visitor: Actor | null
  signIn: SignIn | null
  /** Ends with the connection, and after a minute. */
  signal: AbortSignal
  request: FastifyRequest
  reply: FastifyReply
  requestId: string
  address: string
  secure: boolean
  /** Adds to the audit row, which is written in the transaction of the change. Never a secret. */
  audit(details: Record<string, string | number | boolean>, object?: string): void
  /** It turned out to change nothing (a heartbeat): no row. Said before its transaction ends. */
  unchanged(): void
  /** Who it turned out to be (sign-in, claim), for the audit row. */
  actAs(actor: Actor): void
  /** Whose account was tried while nobody is signed in: a refusal is on that organisation's record. Unknown ones only as a hash. */
  tried(account: Tried): void
}

export interface Handler {
  route: AnyRoute
  work(call: Call<AnyRoute>): Promise<unknown>
}

export const handle = <R extends AnyRoute>(
  route: R,
  work: (call: Call<R>) => Promise<AnswerOf<R>>,
): Handler => ({
  route,
  // The pipeline parses by this very route before it calls.
  work: work as Handler['work'],
})

/** An answer too long for the memory: a route whose answer is text may give it piece by piece, as fast as the reader takes it. */
export const streamed = (stream: Readable): string => stream as unknown as string

/** One line of the audit. `outcome`: 'done', or the code of the refusal. */
export interface AuditEntry {
  id: string
  organisationId: string | null
  at: string
  actorKind: Actor['kind'] | 'nobody'
  userId: string | null
  action: string
  outcome: string
  object: string | null
  details: Record<string, string | number | boolean>
  address: string
  requestId: string
}
