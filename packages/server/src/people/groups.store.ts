/** SQL of groups and who is in them. */
import { sql } from '../core/store.ts'

export interface GroupRow {
  id: string
  organisation_id: string
  name: string
  members: number
  created_at: string
}
const columns = sql`g.id, g.organisation_id, g.name, g.created_at,
  (SELECT count(*)::int FROM group_members m WHERE m.group_id = g.id) AS members`

export const statements = {
  list: (it: {
    organisationId: string
    afterName: string | null
    afterId: string | null
    limit: number
  }) => sql<GroupRow>`
    SELECT ${columns} FROM groups g WHERE g.organisation_id = ${it.organisationId}::uuid
      AND (${it.afterId}::uuid IS NULL OR (lower(g.name), g.id) > (${it.afterName}::text, ${it.afterId}::uuid))
    ORDER BY lower(g.name), g.id LIMIT ${it.limit}`,
  read: ({ id }: { id: string }) => sql<GroupRow>`SELECT ${columns} FROM groups g WHERE g.id = ${id}::uuid`,
  lock: ({ id }: { id: string }) => sql<{ id: string; organisation_id: string }>`
    SELECT id, organisation_id FROM groups WHERE id = ${id}::uuid FOR UPDATE`,
  add: (it: { id: string; organisationId: string; name: string; at: string }) => sql`
    INSERT INTO groups (id, organisation_id, name, created_at, changed_at)
    VALUES (${it.id}::uuid, ${it.organisationId}::uuid, ${it.name}, ${it.at}, ${it.at})`,
  rename: (it: { id: string; name: string; at: string }) => sql`
    UPDATE groups SET name = ${it.name}, changed_at = ${it.at} WHERE id = ${it.id}::uuid`,
  touch: (it: { id: string; at: string }) =>
    sql`UPDATE groups SET changed_at = ${it.at} WHERE id = ${it.id}::uuid`,
  remove: ({ id }: { id: string }) => sql`DELETE FROM groups WHERE id = ${id}::uuid`,

  membersOf: ({ id }: { id: string }) => sql<{ user_id: string }>`
    SELECT user_id FROM group_members WHERE group_id = ${id}::uuid`,
  groupsOf: ({ userId }: { userId: string }) => sql<{ group_id: string }>`
    SELECT group_id FROM group_members WHERE user_id = ${userId}::uuid`,
  /** How many of these there are in the organisation. */
  countGroups: (it: { organisationId: string; ids: string[] }) => sql<{ count: number }>`
    SELECT count(*)::int AS count FROM groups
    WHERE organisation_id = ${it.organisationId}::uuid AND id = any(${it.ids}::uuid[])`,
  whichOf: (it: { organisationId: string; ids: string[] }) => sql<{ id: string }>`
    SELECT id FROM groups WHERE organisation_id = ${it.organisationId}::uuid AND id = any(${it.ids}::uuid[])`,
  countPeople: (it: { organisationId: string; ids: string[] }) => sql<{ count: number }>`
    SELECT count(*)::int AS count FROM users
    WHERE organisation_id = ${it.organisationId}::uuid AND id = any(${it.ids}::uuid[])`,
  /** Both sides are looked up: a foreign key does not ask whose row it is. */
  join: (it: { organisationId: string; groupIds: string[]; userIds: string[] }) => sql<{
    group_id: string
    user_id: string
  }>`
    INSERT INTO group_members (organisation_id, group_id, user_id)
    SELECT ${it.organisationId}::uuid, g.id, u.id FROM groups g CROSS JOIN users u
    WHERE g.organisation_id = ${it.organisationId}::uuid AND g.id = any(${it.groupIds}::uuid[])
      AND u.organisation_id = ${it.organisationId}::uuid AND u.id = any(${it.userIds}::uuid[])
    ON CONFLICT DO NOTHING RETURNING group_id, user_id`,
  part: (it: { groupIds: string[]; userIds: string[] }) => sql<{ group_id: string; user_id: string }>`
    DELETE FROM group_members WHERE group_id = any(${it.groupIds}::uuid[]) AND user_id = any(${it.userIds}::uuid[])
    RETURNING group_id, user_id`,
}
