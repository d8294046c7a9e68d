/** SQL of the homes of sessions. */
import { sql } from 'kysely'

export const statements = {
  add: (row: {
    id: string
    organisationId: string
    sessionId: string
    controllerId: string
    now: Date
  }) => sql`
    INSERT INTO session_homes (id, organisation_id, session_id, controller_id, created_at)
    VALUES (${row.id}::uuid, ${row.organisationId}::uuid, ${row.sessionId}::uuid, ${row.controllerId}::uuid, ${row.now})`,
  /** It ran: what was measured is not so any more. */
  outdate: ({ id }: { id: string }) =>
    sql`UPDATE session_homes SET measured_at = NULL WHERE id = ${id}::uuid AND measured_at IS NOT NULL`,
  /** Of sessions that do not run, and not measured since they did. */
  unmeasuredOn: ({ controllerId }: { controllerId: string }) => sql<{ id: string }>`
    SELECT h.id FROM session_homes h JOIN sessions s ON s.id = h.session_id
    WHERE h.controller_id = ${controllerId}::uuid AND h.measured_at IS NULL AND s.state IN ('hibernated', 'failed')
    ORDER BY h.id LIMIT 200`,
  sessionOf: ({ id, controllerId }: { id: string; controllerId: string }) => sql<{ session_id: string }>`
    SELECT session_id FROM session_homes
    WHERE id = ${id}::uuid AND controller_id = ${controllerId}::uuid AND session_id IS NOT NULL`,
  measured: (row: {
    id: string
    bytes: number | null
    reservedBytes: number | null
    place: string | null
    now: Date
  }) => sql`
    UPDATE session_homes SET bytes = ${row.bytes}, reserved_bytes = ${row.reservedBytes}, place = ${row.place},
      measured_at = ${row.now} WHERE id = ${row.id}::uuid`,
  /** As far as the asker may see. */
  kept: () => sql<{
    controller_id: string
    homes: number
    bytes: number
    reserved_bytes: number
    unknown: number
  }>`
    SELECT h.controller_id, count(*)::int AS homes, coalesce(sum(h.bytes), 0)::float8 AS bytes,
      coalesce(sum(h.reserved_bytes) FILTER (WHERE h.bytes IS NULL), 0)::float8 AS reserved_bytes,
      (count(*) FILTER (WHERE h.measured_at IS NULL OR coalesce(h.bytes, h.reserved_bytes) IS NULL))::int AS unknown
    FROM session_homes h JOIN sessions s ON s.id = h.session_id
    WHERE s.state IN ('hibernated', 'failed') GROUP BY h.controller_id ORDER BY h.controller_id`,
  leave: ({ id }: { id: string }) => sql`UPDATE session_homes SET session_id = NULL WHERE id = ${id}::uuid`,
  leavingOn: ({ controllerId }: { controllerId: string }) => sql<{ id: string }>`
    SELECT id FROM session_homes WHERE controller_id = ${controllerId}::uuid AND session_id IS NULL ORDER BY id`,
  drop: ({ id, controllerId }: { id: string; controllerId: string }) => sql`
    DELETE FROM session_homes WHERE id = ${id}::uuid AND controller_id = ${controllerId}::uuid AND session_id IS NULL`,
}
