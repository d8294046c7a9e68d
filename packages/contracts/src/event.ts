/** Events: facts in the past tense, and how the live WebSocket carries them. */
import { z } from 'zod'
import { id, time } from './basics.ts'
import { certificate } from './certificate.ts'
import { controller } from './controller.ts'
import { gatewayRoute } from './gateway.ts'
import { me } from './identity.ts'
import { invitation, organisation } from './invitation.ts'
import { group, person } from './people.ts'
import { service } from './service.ts'
import { session } from './session.ts'

/** Type → data. Whole things travel, so that a reader needs no second question. */
export const EVENTS = {
  'organisation.claimed': z.strictObject({ organisationId: id }),
  'user.changed': me.omit({ signedInAt: true, unproved: true }),
  'session.changed': session,
  'session.removed': z.strictObject({ id }),
  'service.changed': service,
  'service.removed': z.strictObject({ id }),
  'route.changed': gatewayRoute,
  'route.removed': z.strictObject({ id }),
  /** Also when it is about to end: its state says so. */
  'certificate.changed': certificate,
  'certificate.removed': z.strictObject({ id }),
  'controller.changed': controller,
  'controller.removed': z.strictObject({ id }),
  /** Its machines, or what waits there: large and often, so it is only said that it changed. */
  'cluster.changed': z.strictObject({ id }),
  'organisation.changed': organisation,
  'person.changed': person,
  'person.removed': z.strictObject({ id }),
  'group.changed': group,
  'group.removed': z.strictObject({ id }),
  /** Also when it was accepted, revoked or sent again: the list keeps it, with its state. */
  'invitation.changed': invitation,
  /** Rows of the audit were sealed; up to which place. */
  'audit.sealed': z.strictObject({ position: z.string() }),
  /** Somebody's sign-in ended: connections that carry it are cut. */
  'sign-in.ended': z.strictObject({ signInId: z.string() }),
} as const
export type EventType = keyof typeof EVENTS
export type EventData<T extends EventType> = z.infer<(typeof EVENTS)[T]>

/** `cursor` is opaque: `<epoch>.<xid>.<seq>`. */
export interface KalnetEvent<T extends EventType = EventType> {
  cursor: string
  type: T
  organisationId: string | null
  /** Whose it is; null: everybody's in the organisation who may read it. */
  userId: string | null
  at: string
  data: EventData<T>
}

export const LIVE_PATH = '/api/live'
/** browser → server, once, first: where it left off. Null: from now. */
export const liveHello = z.strictObject({ type: z.literal('hello'), after: z.string().max(100).nullable() })
/** server → browser. `ready` gives the cursor to start from; `gap` says that events were missed: read everything again. */
export const liveMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), cursor: z.string() }),
  z.object({ type: z.literal('event'), cursor: z.string(), event: z.string(), at: time, data: z.unknown() }),
  z.object({ type: z.literal('gap'), cursor: z.string() }),
])
export type LiveMessage = z.infer<typeof liveMessage>
