/** The audit: who did what, from where, what was refused; its chain, its search, its export. */
import { z } from 'zod'
import { id, nothing, page, pageQuery, time } from './basics.ts'
import { LINK_PATH } from './controller.ts'
import { LIVE_PATH } from './event.ts'
import { GATEWAY_TUNNEL_PATH } from './gateway-joined.ts'
import { route } from './route.ts'
import { DIAL_PATH, STREAM_PATH } from './stream.ts'

export const actorKind = z.enum(['user', 'local-cli', 'service-key', 'nobody'])
const hash = z.string().regex(/^[0-9a-f]{64}$/)
/** A place in a chain, from 1: 64 bits, so text. */
const position = z.string().regex(/^\d{1,19}$/)

export const auditRow = z.strictObject({
  id,
  /** null: about the installation, or nobody was signed in. */
  organisationId: id.nullable(),
  at: time,
  actorKind,
  userId: id.nullable(),
  userName: z.string().nullable(),
  /** Past tense: `session.launched`. */
  action: z.string(),
  /** 'done', or the code of the refusal. */
  outcome: z.string(),
  object: z.string().nullable(),
  /** What the object is called, where that is known. */
  objectName: z.string().nullable(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  address: z.string(),
  requestId: z.string(),
  /** The transaction it belongs to and its number in there: the order of the audit. */
  xid: z.string(),
  seq: z.string(),
  /** null: pending, it is sealed within a second. */
  seal: z.strictObject({ position, previous: hash, hash }).nullable(),
})
export type AuditRow = z.infer<typeof auditRow>

/** A stretch of a chain. Its head stays when its rows are dropped, so that what comes after can still be verified. */
export const auditSegment = z.strictObject({
  organisationId: id.nullable(),
  number: z.number().int(),
  firstPosition: position,
  count: z.number().int(),
  /** What the first row links to: the last hash of the segment before, or zeros. */
  previous: hash,
  lastHash: hash,
  /** SHA-256 of the head of the segment before, or zeros. */
  previousHead: hash,
  firstAt: time,
  lastAt: time,
  closedAt: time.nullable(),
  droppedAt: time.nullable(),
  /** HMAC-SHA256 over all of the above but `droppedAt`, with a key that the database alone does not hold. */
  signature: hash,
})
export type AuditSegment = z.infer<typeof auditSegment>

/** The first thing that does not fit, exactly where. */
export const auditBreak = z.strictObject({
  problem: z.enum(['changed', 'missing', 'inserted', 'order', 'head', 'signature', 'truncated']),
  segment: z.number().int().nullable(),
  position: position.nullable(),
  /** The row's id, where there is a row. */
  id: z.string().nullable(),
  message: z.string(),
})
export type AuditBreak = z.infer<typeof auditBreak>
export const verified = z.strictObject({
  organisationId: id.nullable(),
  rows: z.number().int(),
  segments: z.number().int(),
  dropped: z.number().int(),
  pending: z.number().int(),
  break: auditBreak.nullable(),
  at: time,
  tookMs: z.number().int(),
})
export type Verified = z.infer<typeof verified>

export const RETENTION = { default: 400, min: 30, max: 3650 } as const
export const retentionDays = z.number().int().min(RETENTION.min).max(RETENTION.max)

const word = z.string().trim().min(1).max(200)
export const auditFilter = z.strictObject({
  actor: id.optional(),
  /** `session.launched`, or `session.` for all that begins so. */
  action: word.optional(),
  object: word.optional(),
  /** 'done', 'refused' for all that were not, or one code. */
  outcome: word.optional(),
  from: time.optional(),
  to: time.optional(),
  /** Each word must begin a word of the row: its action, object, address or details. */
  text: word.optional(),
})
export type AuditFilter = z.infer<typeof auditFilter>
export const exportFormat = z.enum(['csv', 'json', 'cef'])
export type ExportFormat = z.infer<typeof exportFormat>

export const auditRoutes = {
  list: route({
    method: 'GET',
    path: '/api/audit',
    permission: 'audit.read',
    summary: 'The audit, newest first, filtered',
    params: nothing,
    query: pageQuery.extend(auditFilter.shape),
    body: nothing,
    answer: page(auditRow),
    audit: null,
  }),
  mine: route({
    method: 'GET',
    path: '/api/activity',
    permission: 'activity.own',
    summary: 'What I did, newest first',
    params: nothing,
    query: pageQuery.extend(auditFilter.omit({ actor: true }).shape),
    body: nothing,
    answer: page(auditRow),
    audit: null,
  }),
  /** The answer is the file itself, streamed: rows oldest first, then (json) the heads of the segments. */
  export: route({
    method: 'GET',
    path: '/api/audit/export',
    permission: 'audit.read',
    summary: 'The audit as a file: CSV, JSON lines or CEF',
    params: nothing,
    query: auditFilter.extend({ format: exportFormat.default('json') }),
    body: nothing,
    answer: z.string(),
    audit: 'audit.exported',
    limits: { perMinute: 12 },
  }),
  chain: route({
    method: 'GET',
    path: '/api/audit/chain',
    permission: 'audit.read',
    summary: 'How far the audit is sealed, its segments, and what the last check found',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({
      sealed: position,
      pending: z.number().int(),
      /** The newest 100, newest first. */
      segments: z.array(auditSegment),
      retentionDays,
      last: verified.nullable(),
    }),
    audit: null,
  }),
  verify: route({
    method: 'POST',
    path: '/api/audit/verify',
    permission: 'audit.read',
    summary: 'Check the whole chain now',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: verified,
    audit: 'audit.verified',
    limits: { perMinute: 6 },
  }),
  retention: route({
    method: 'PUT',
    path: '/api/audit/retention',
    permission: 'organisation.manage',
    summary: 'How many days the audit is kept',
    params: nothing,
    query: nothing,
    body: z.strictObject({ days: retentionDays }),
    answer: z.strictObject({ days: retentionDays }),
    audit: 'audit.retention-changed',
    stepUp: true,
  }),
}

/** What only this machine's CLI may ask of the audit and of the secrets. */
export const keeperRoutes = {
  verifyAll: route({
    method: 'POST',
    path: '/api/local/audit/verify',
    permission: 'local',
    summary: "Check every organisation's chain and the installation's",
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ items: z.array(verified) }),
    audit: 'audit.verified',
  }),
  heads: route({
    method: 'GET',
    path: '/api/local/audit/heads',
    permission: 'local',
    summary: 'Every head whose signature holds, to compare a file with',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ items: z.array(auditSegment) }),
    audit: null,
  }),
  rotateSecrets: route({
    method: 'POST',
    path: '/api/local/secrets/rotate',
    permission: 'local',
    summary: 'Make a new master key and seal every secret anew',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ secrets: z.number().int(), keyFile: z.string(), oldKeyFile: z.string() }),
    audit: 'secrets.rotated',
  }),
}

/** What is on record of connections that are upgraded: a refusal under `opened`; what reaches something of somebody's, its opening and its end too. */
export const RECORDED_UPGRADES: Readonly<Record<string, { opened: string; closed: string | null }>> = {
  [STREAM_PATH]: { opened: 'stream.opened', closed: 'stream.closed' },
  [LIVE_PATH]: { opened: 'live.opened', closed: null },
  [DIAL_PATH]: { opened: 'stream.dialled', closed: null },
  [LINK_PATH]: { opened: 'controller.linked', closed: null },
  [GATEWAY_TUNNEL_PATH]: { opened: 'gateway.tunnelled', closed: null },
}
