/** SQL of people, seen from beside: their names, roles, groups and whether they are switched on. */
import type { Person } from '@kalnet/contracts/people'
import type { Role } from '@kalnet/contracts/permission'
import { sql } from '../core/store.ts'

export interface PersonRow {
  id: string
  organisation_id: string
  kind: Person['kind']
  name: string
  email: string | null
  role: Role
  state: Person['state']
  groups: Person['groups']
  created_at: string
}

const columns = sql`u.id, u.organisation_id, u.kind, u.name, u.email, u.role, u.state, u.created_at,
  coalesce((SELECT jsonb_agg(jsonb_build_object('id', g.id, 'name', g.name) ORDER BY lower(g.name))
    FROM group_members m JOIN groups g ON g.id = m.group_id WHERE m.user_id = u.id), '[]') AS groups`

export const statements = {
  list: (it: {
    organisationId: string
    /** Only this one; null: everybody. */
    only: string | null
    search: string | null
    group: string | null
    kind: string | null
    afterName: string | null
    afterId: string | null
    limit: number
  }) => sql<PersonRow>`
    SELECT ${columns} FROM users u
    WHERE u.organisation_id = ${it.organisationId}::uuid
      AND (${it.only}::uuid IS NULL OR u.id = ${it.only}::uuid)
      AND (${it.search}::text IS NULL OR u.name ILIKE ${it.search}::text OR u.email ILIKE ${it.search}::text)
      AND (${it.kind}::text IS NULL OR u.kind = ${it.kind}::text)
      AND (${it.group}::uuid IS NULL OR EXISTS (
        SELECT FROM group_members m WHERE m.user_id = u.id AND m.group_id = ${it.group}::uuid))
      AND (${it.afterId}::uuid IS NULL OR (lower(u.name), u.id) > (${it.afterName}::text, ${it.afterId}::uuid))
    ORDER BY lower(u.name), u.id LIMIT ${it.limit}`,
  read: ({ id }: { id: string }) => sql<PersonRow>`SELECT ${columns} FROM users u WHERE u.id = ${id}::uuid`,
  details: ({ id, now }: { id: string; now: string }) => sql<{
    devices: number
    last_seen_at: string | null
    sessions: number
  }>`
    SELECT count(*)::int AS devices, max(last_seen_at) AS last_seen_at,
      (SELECT count(*)::int FROM sessions WHERE user_id = ${id}::uuid AND state NOT IN ('stopped', 'failed')) AS sessions
    FROM sign_ins WHERE user_id = ${id}::uuid AND expires_at > ${now} AND idle_until > ${now}`,

  /** Who changes owners does it one after the other, so that two cannot each lower the other last one. */
  lockRoles: ({ organisationId }: { organisationId: string }) =>
    sql`SELECT pg_advisory_xact_lock(hashtextextended(${organisationId}::text, 5))`,
  lock: ({ id }: { id: string }) => sql<{
    id: string
    organisation_id: string
    role: Role
    kind: string
    state: string
  }>`
    SELECT id, organisation_id, role, kind, state FROM users WHERE id = ${id}::uuid FOR UPDATE`,
  otherOwners: (it: { organisationId: string; id: string }) => sql<{ count: number }>`
    SELECT count(*)::int AS count FROM users WHERE organisation_id = ${it.organisationId}::uuid
      AND role = 'owner' AND state = 'active' AND kind = 'person' AND id <> ${it.id}::uuid`,

  add: (it: {
    id: string
    organisationId: string
    kind: string
    name: string
    email: string | null
    role: string
    passwordHash: string | null
    at: string
  }) => sql`
    INSERT INTO users (id, organisation_id, kind, name, email, role, password_hash, created_at, changed_at)
    VALUES (${it.id}::uuid, ${it.organisationId}::uuid, ${it.kind}, ${it.name}, ${it.email}, ${it.role}, ${it.passwordHash},
      ${it.at}, ${it.at})`,
  /** Null leaves a thing as it is. */
  change: (it: {
    id: string
    name: string | null
    email: string | null
    role: string | null
    state: string | null
    at: string
  }) => sql<{ id: string }>`
    UPDATE users SET name = coalesce(${it.name}, name), email = coalesce(${it.email}, email),
      role = coalesce(${it.role}, role), state = coalesce(${it.state}, state), changed_at = ${it.at}
    WHERE id = ${it.id}::uuid RETURNING id`,
  remove: ({ id }: { id: string }) => sql`DELETE FROM users WHERE id = ${id}::uuid`,
  countSignIns: ({ id }: { id: string }) => sql<{ count: number }>`
    SELECT count(*)::int AS count FROM sign_ins WHERE user_id = ${id}::uuid`,
}
