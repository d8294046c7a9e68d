/** SQL of SCIM: people and groups as the other directory sees them. */
import { sql } from '../core/store.ts'

export interface PersonRow {
  id: string
  organisation_id: string
  name: string
  email: string
  role: string
  state: 'active' | 'off'
  created_at: string
  changed_at: string
  /** Null in all of these: made here, and never touched from outside. */
  user_name: string | null
  external_id: string | null
  attributes: Record<string, unknown> | null
  scim_changed_at: string | null
  removed_at: string | null
  groups: { value: string; display: string }[]
}
export interface GroupRow {
  id: string
  organisation_id: string
  name: string
  created_at: string
  changed_at: string
  external_id: string | null
  members: { value: string; display: string }[]
}

const people = sql`
  select users.id, users.organisation_id, users.name, users.email, users.role, users.state, users.created_at, users.changed_at,
    scim_users.user_name, scim_users.external_id, scim_users.attributes, scim_users.changed_at as scim_changed_at,
    scim_users.removed_at,
    (select coalesce(json_agg(json_build_object('value', groups.id, 'display', groups.name) order by groups.name), '[]')
      from group_members join groups on groups.id = group_members.group_id
      where group_members.user_id = users.id) as groups
  from users left join scim_users on scim_users.user_id = users.id`
const groups = sql`
  select groups.id, groups.organisation_id, groups.name, groups.created_at, groups.changed_at, scim_groups.external_id,
    (select coalesce(json_agg(json_build_object('value', users.id, 'display', users.name) order by users.name), '[]')
      from group_members join users on users.id = group_members.user_id
      where group_members.group_id = groups.id) as members
  from groups left join scim_groups on scim_groups.group_id = groups.id`

export const statements = {
  /** Two changes from outside at the same moment: one after the other. */
  lock: (it: { organisationId: string }) =>
    sql`select pg_advisory_xact_lock(hashtextextended('scim ' || ${it.organisationId}::text, 0))`,
  people: () => sql<PersonRow>`
    ${people} where users.kind = 'person' and scim_users.removed_at is null order by users.created_at, users.id`,
  person: (it: { id: string }) => sql<PersonRow>`
    ${people} where users.kind = 'person' and users.id = ${it.id} and scim_users.removed_at is null`,
  /** Also who was taken away: the same person may come back. */
  personByName: (it: { userName: string }) => sql<PersonRow>`
    ${people} where users.kind = 'person' and lower(coalesce(scim_users.user_name, users.email)) = lower(${it.userName})`,
  addUser: (it: {
    id: string
    organisationId: string
    name: string
    email: string
    role: string
    state: string
    at: string
  }) => sql`
    insert into users (id, organisation_id, name, email, role, state, created_at, changed_at)
    values (${it.id}, ${it.organisationId}, ${it.name}, ${it.email}, ${it.role}, ${it.state}, ${it.at}, ${it.at})`,
  changeUser: (it: {
    id: string
    name: string
    email: string
    role: string
    state: string
    at: string
  }) => sql`
    update users set name = ${it.name}, email = ${it.email}, role = ${it.role}, state = ${it.state}, changed_at = ${it.at}
    where id = ${it.id}`,
  keep: (it: {
    id: string
    organisationId: string
    userName: string
    externalId: string | null
    attributes: string
    removedAt: string | null
    at: string
  }) => sql`
    insert into scim_users (user_id, organisation_id, user_name, external_id, attributes, removed_at, changed_at)
    values (${it.id}, ${it.organisationId}, ${it.userName}, ${it.externalId}, ${it.attributes}::jsonb, ${it.removedAt}, ${it.at})
    on conflict (user_id) do update set user_name = excluded.user_name, external_id = excluded.external_id,
      attributes = excluded.attributes, removed_at = excluded.removed_at, changed_at = excluded.changed_at`,

  groups: () => sql<GroupRow>`${groups} order by groups.created_at, groups.id`,
  group: (it: { id: string }) => sql<GroupRow>`${groups} where groups.id = ${it.id}`,
  addGroup: (it: { id: string; organisationId: string; name: string; at: string }) => sql`
    insert into groups (id, organisation_id, name, created_at, changed_at)
    values (${it.id}, ${it.organisationId}, ${it.name}, ${it.at}, ${it.at})`,
  changeGroup: (it: { id: string; name: string; at: string }) => sql`
    update groups set name = ${it.name}, changed_at = ${it.at} where id = ${it.id}`,
  nameGroup: (it: { id: string; organisationId: string; externalId: string }) => sql`
    insert into scim_groups (group_id, organisation_id, external_id) values (${it.id}, ${it.organisationId}, ${it.externalId})
    on conflict (group_id) do update set external_id = excluded.external_id`,
  unnameGroup: (it: { id: string }) => sql`delete from scim_groups where group_id = ${it.id}`,
  removeGroup: (it: { id: string }) => sql`delete from groups where id = ${it.id}`,
  knownPeople: (it: { ids: string[] }) => sql<{ id: string }>`
    select id from users where kind = 'person' and id = any(${it.ids}::uuid[])`,
  join: (it: { organisationId: string; groupId: string; userIds: string[] }) => sql`
    insert into group_members (organisation_id, group_id, user_id)
    select ${it.organisationId}, ${it.groupId}, unnest(${it.userIds}::uuid[]) on conflict do nothing`,
  part: (it: { groupId: string; userIds: string[] }) => sql`
    delete from group_members where group_id = ${it.groupId} and user_id = any(${it.userIds}::uuid[])`,
}
