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
  leave: ({ id }: { id: string }) => sql`UPDATE session_homes SET session_id = NULL WHERE id = ${id}::uuid`,
  leavingOn: ({ controllerId }: { controllerId: string }) => sql<{ id: string }>`
    SELECT id FROM session_homes WHERE controller_id = ${controllerId}::uuid AND session_id IS NULL ORDER BY id`,
  drop: ({ id, controllerId }: { id: string; controllerId: string }) => sql`
    DELETE FROM session_homes WHERE id = ${id}::uuid AND controller_id = ${controllerId}::uuid AND session_id IS NULL`,
}
