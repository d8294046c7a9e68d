/** SQL of viewings. */
import { sql } from 'kysely'

export interface ViewingRow {
  id: string
  user_id: string
  user_name: string
  began_at: string
  heard_at: string
  elapsed_ms: string
  frames: number
  bytes: string
  key_to_picture_ms: number | null
}
export interface Told {
  id: string
  organisationId: string
  sessionId: string
  userId: string
  beganAt: Date
  now: Date
  elapsedMs: number
  frames: number
  bytes: number
  keyToPictureMs: number | null
}

export const statements = {
  /** A word that comes late, after a later one, changes nothing; nor does one about somebody else's viewing. */
  tell: (it: Told) => sql`
    INSERT INTO viewings AS v (id, organisation_id, session_id, user_id, began_at, heard_at, elapsed_ms, frames, bytes, key_to_picture_ms)
    VALUES (${it.id}::uuid, ${it.organisationId}::uuid, ${it.sessionId}::uuid, ${it.userId}::uuid, ${it.beganAt}, ${it.now},
      ${it.elapsedMs}::bigint, ${it.frames}::int, ${it.bytes}::bigint, ${it.keyToPictureMs}::float8)
    ON CONFLICT (id) DO UPDATE SET heard_at = excluded.heard_at, elapsed_ms = excluded.elapsed_ms, frames = excluded.frames,
      bytes = excluded.bytes, key_to_picture_ms = excluded.key_to_picture_ms
    WHERE v.session_id = excluded.session_id AND v.user_id = excluded.user_id AND v.elapsed_ms < excluded.elapsed_ms`,
  keepLatest: ({ sessionId, count }: { sessionId: string; count: number }) => sql`
    DELETE FROM viewings WHERE session_id = ${sessionId}::uuid AND id NOT IN (
      SELECT id FROM viewings WHERE session_id = ${sessionId}::uuid ORDER BY began_at DESC, id DESC LIMIT ${count})`,
  list: ({ sessionId }: { sessionId: string }) => sql<ViewingRow>`
    SELECT v.*, u.name AS user_name FROM viewings v JOIN users u ON u.id = v.user_id
    WHERE v.session_id = ${sessionId}::uuid ORDER BY v.began_at DESC, v.id DESC`,
}
