/** SQL of sessions. */
import type { PlatformName, Progress } from '@kalnet/contracts/instance'
import { IDLE_WARNING_MS, type SessionState } from '@kalnet/contracts/session'
import { sql } from 'kysely'
import type { IdleRule } from './idle.ts'

export interface SessionRow {
  id: string
  organisation_id: string
  user_id: string
  user_name: string
  instance_id: string
  generation: number
  platform: PlatformName
  controller_id: string
  controller_name: string
  online: boolean
  name: string
  template_id: string
  template_name: string
  state: SessionState
  reason: string | null
  log_tail: string[]
  progress: Progress | null
  accepted_at: string
  placed_at: string | null
  instance_created_at: string | null
  display_ready_at: string | null
  first_byte_at: string | null
  first_frame_at: string | null
  created_at: string
  ended_at: string | null
  /** Null: its home goes with each instance, or is gone. */
  home_id: string | null
  home_bytes: number | null
  home_reserved: number | null
  home_place: string | null
  home_measured_at: string | null
  idle: IdleRule | null
  used_at: string | null
  warned_at: string | null
}

const selected = sql`
  SELECT s.*, u.name AS user_name, i.generation, i.platform, i.controller_id, c.name AS controller_name, c.online, h.id AS home_id,
    h.bytes::float8 AS home_bytes, h.reserved_bytes::float8 AS home_reserved, h.place AS home_place, h.measured_at AS home_measured_at
  FROM sessions s JOIN users u ON u.id = s.user_id JOIN instances i ON i.id = s.instance_id
    JOIN controllers c ON c.id = i.controller_id LEFT JOIN session_homes h ON h.session_id = s.id`

export interface NewSession {
  id: string
  organisationId: string
  userId: string
  instanceId: string
  name: string
  templateId: string
  templateName: string
  idle: IdleRule | null
  now: Date
}
export interface Listing {
  userId: string | null
  /** null: those that ended, too. */
  state: 'live' | null
  after: string | null
  limit: number
}
export interface EndedListing {
  userId: string | null
  /** Where the page before ended; both or neither. */
  afterTime: string | null
  afterId: string | null
  limit: number
}
export interface Change {
  state: SessionState
  reason: string | null
  logTail: string[]
  progress: Progress | null
  endedAt: Date | string | null
  /** Null: as it was. */
  usedAt: Date | null
}

export const statements = {
  add: (row: NewSession) => sql`
    INSERT INTO sessions (id, organisation_id, user_id, instance_id, name, template_id, template_name, idle, state, accepted_at, created_at)
    VALUES (${row.id}::uuid, ${row.organisationId}::uuid, ${row.userId}::uuid, ${row.instanceId}::uuid, ${row.name},
      ${row.templateId}, ${row.templateName}, ${row.idle ? JSON.stringify(row.idle) : null}::jsonb, 'pending', ${row.now}, ${row.now})`,

  read: ({ id }: { id: string }) => sql<SessionRow>`${selected} WHERE s.id = ${id}::uuid`,
  lock: ({ id }: { id: string }) => sql<SessionRow>`${selected} WHERE s.id = ${id}::uuid FOR UPDATE OF s`,
  /** Before a session's own lock: whoever takes both takes the instance first, as reports do. */
  lockItsInstance: ({ id }: { id: string }) => sql`
    SELECT id FROM instances WHERE id = (SELECT instance_id FROM sessions WHERE id = ${id}::uuid) FOR UPDATE`,
  lockByInstance: ({ instanceId }: { instanceId: string }) => sql<SessionRow>`
    ${selected} WHERE s.instance_id = ${instanceId}::uuid FOR UPDATE OF s`,

  /** Newest first; ids are in the order of time. */
  list: ({ userId, state, after, limit }: Listing) => sql<SessionRow>`${selected}
    WHERE (${userId}::uuid IS NULL OR s.user_id = ${userId}::uuid)
      AND (${after}::uuid IS NULL OR s.id < ${after}::uuid)
      AND (${state}::text IS NULL OR s.state NOT IN ('stopped', 'failed'))
    ORDER BY s.id DESC LIMIT ${limit}`,
  /** What ended last comes first, however long it ran. */
  listEnded: ({ userId, afterTime, afterId, limit }: EndedListing) => sql<SessionRow>`${selected}
    WHERE (${userId}::uuid IS NULL OR s.user_id = ${userId}::uuid) AND s.state IN ('stopped', 'failed')
      AND (${afterId}::uuid IS NULL OR (s.ended_at, s.id) < (${afterTime}::timestamptz, ${afterId}::uuid))
    ORDER BY s.ended_at DESC, s.id DESC LIMIT ${limit}`,

  liveOn: ({ controllerId }: { controllerId: string }) => sql<SessionRow>`${selected}
    WHERE i.controller_id = ${controllerId}::uuid AND s.state NOT IN ('stopped', 'failed')`,

  allOn: ({ controllerId }: { controllerId: string }) => sql<SessionRow>`${selected}
    WHERE i.controller_id = ${controllerId}::uuid`,

  /** Where something of theirs runs or is kept. */
  placesOf: ({ userId }: { userId: string }) => sql<{ controller_id: string }>`
    SELECT DISTINCT i.controller_id FROM sessions s JOIN instances i ON i.id = s.instance_id
      LEFT JOIN session_homes h ON h.session_id = s.id
    WHERE s.user_id = ${userId}::uuid AND (s.state NOT IN ('stopped', 'failed') OR h.id IS NOT NULL)`,

  lockInstancesOf: ({ userId }: { userId: string }) => sql`
    SELECT id FROM instances WHERE id IN (SELECT instance_id FROM sessions WHERE user_id = ${userId}::uuid)
    ORDER BY id FOR UPDATE`,
  allOf: ({ userId }: { userId: string }) => sql<SessionRow>`${selected} WHERE s.user_id = ${userId}::uuid`,
  lockLiveOf: ({ userId }: { userId: string }) => sql<SessionRow>`${selected}
    WHERE s.user_id = ${userId}::uuid AND s.state NOT IN ('stopped', 'failed') ORDER BY s.id FOR UPDATE OF s`,

  /** Holding the person's row, so that two launches at once cannot both be the last one allowed. */
  lockUser: ({ userId }: { userId: string }) =>
    sql`SELECT id FROM users WHERE id = ${userId}::uuid FOR UPDATE`,
  countLive: ({ userId }: { userId: string }) => sql<{ count: number }>`
    SELECT count(*)::int AS count FROM sessions WHERE user_id = ${userId}::uuid
      AND state NOT IN ('stopped', 'failed', 'hibernated')`,
  countAsleep: ({ userId }: { userId: string }) => sql<{ count: number }>`
    SELECT count(*)::int AS count FROM sessions WHERE user_id = ${userId}::uuid
      AND state IN ('hibernating', 'hibernated')`,

  /** Somebody is there; answers whether they had been warned. */
  use: ({ id, now }: { id: string; now: Date }) => sql<{ warned_at: string | null }>`
    UPDATE sessions s SET used_at = greatest(s.used_at, ${now}::timestamptz), warned_at = NULL
    FROM (SELECT id, warned_at FROM sessions WHERE id = ${id}::uuid FOR UPDATE) before
    WHERE s.id = before.id AND s.state = 'running' AND s.idle IS NOT NULL RETURNING before.warned_at`,
  warn: ({ id, now }: { id: string; now: Date }) =>
    sql`UPDATE sessions SET warned_at = ${now} WHERE id = ${id}::uuid`,
  /** To be warned or acted upon, where that can be done. */
  unused: ({ now }: { now: Date }) => sql<{ id: string; organisation_id: string }>`
    SELECT s.id, s.organisation_id FROM sessions s JOIN instances i ON i.id = s.instance_id
      JOIN controllers c ON c.id = i.controller_id
    WHERE s.state = 'running' AND s.idle IS NOT NULL AND c.online
      AND s.used_at <= ${now}::timestamptz + ${IDLE_WARNING_MS}::int * interval '1 millisecond'
        - (s.idle->>'afterMinutes')::int * interval '1 minute'
    ORDER BY s.used_at LIMIT 500`,

  /** Compare and set: nothing happens when the state is not the expected one any more. */
  change: (to: Change & { id: string; expected: SessionState }) => sql<{ id: string }>`
    UPDATE sessions SET state = ${to.state}, reason = ${to.reason}, log_tail = ${JSON.stringify(to.logTail)}::jsonb,
      progress = ${to.progress ? JSON.stringify(to.progress) : null}::jsonb, ended_at = ${to.endedAt},
      used_at = coalesce(${to.usedAt}, used_at), warned_at = CASE WHEN state = ${to.state} THEN warned_at END
    WHERE id = ${to.id}::uuid AND state = ${to.expected} RETURNING id`,

  /** Each stage counts the first time. */
  reach: (row: {
    id: string
    placed: Date | null
    created: Date | null
    displayReady: Date | null
    firstByte: Date | null
    firstFrame: Date | null
  }) => sql<{ id: string }>`
    UPDATE sessions SET placed_at = coalesce(placed_at, ${row.placed}), instance_created_at = coalesce(instance_created_at, ${row.created}),
      display_ready_at = coalesce(display_ready_at, ${row.displayReady}), first_byte_at = coalesce(first_byte_at, ${row.firstByte}),
      first_frame_at = coalesce(first_frame_at, ${row.firstFrame})
    WHERE id = ${row.id}::uuid RETURNING id`,

  /** A new generation has stages of its own. */
  restartStages: ({ id, now }: { id: string; now: Date }) => sql`
    UPDATE sessions SET accepted_at = ${now}, placed_at = NULL, instance_created_at = NULL, display_ready_at = NULL,
      first_byte_at = NULL, first_frame_at = NULL WHERE id = ${id}::uuid`,
}
