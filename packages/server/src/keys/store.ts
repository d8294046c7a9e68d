/** SQL of service keys and service accounts. */
import { sql } from '../core/store.ts'

export interface KeyRow {
  id: string
  organisation_id: string
  user_id: string
  user_name: string
  user_kind: 'person' | 'service'
  user_role: string
  user_state: string
  name: string
  public_id: string
  scopes: string[]
  created_at: string
  days: number | null
  expires_at: string | null
  last_used_at: string | null
  last_used_address: string | null
  secret_id: string
  secret_hash: string
  old_secret_id: string | null
  old_secret_hash: string | null
  old_until: string | null
}
export interface AccountRow {
  id: string
  organisation_id: string
  name: string
  role: string
  state: string
  created_at: string
}

const keys = sql`
  select service_keys.*, users.name as user_name, users.kind as user_kind, users.role as user_role, users.state as user_state
  from service_keys join users on users.id = service_keys.user_id`
const accountColumns = sql`id, organisation_id, name, role, state, created_at`

export const statements = {
  byPublicId: (it: { publicId: string }) =>
    sql<KeyRow>`${keys} where service_keys.public_id = ${it.publicId}`,
  byId: (it: { id: string }) => sql<KeyRow>`${keys} where service_keys.id = ${it.id}`,
  /** Two changes of the same key: one after the other. */
  lock: (it: { id: string }) => sql`select from service_keys where id = ${it.id} for update`,
  ofUsers: (it: { userIds: string[] }) => sql<KeyRow>`
    ${keys} where service_keys.user_id = any(${it.userIds}::uuid[]) order by service_keys.id desc`,
  all: (it: { after: string | null; limit: number }) => sql<KeyRow>`
    ${keys} where ${it.after}::uuid is null or service_keys.id < ${it.after}::uuid
    order by service_keys.id desc limit ${it.limit}`,
  count: (it: { userId: string }) => sql<{ count: number }>`
    select count(*)::int as count from service_keys where user_id = ${it.userId}`,
  add: (it: {
    id: string
    organisationId: string
    userId: string
    name: string
    publicId: string
    scopes: string[]
    at: string
    days: number | null
    expiresAt: string | null
    secretId: string
    secretHash: string
  }) => sql`
    insert into service_keys (id, organisation_id, user_id, name, public_id, scopes, created_at, days, expires_at,
      secret_id, secret_hash)
    values (${it.id}, ${it.organisationId}, ${it.userId}, ${it.name}, ${it.publicId}, ${it.scopes}::text[], ${it.at},
      ${it.days}, ${it.expiresAt}, ${it.secretId}, ${it.secretHash})`,
  /** The secret before becomes the old one; one older still is gone. */
  rotate: (it: {
    id: string
    secretId: string
    secretHash: string
    days: number | null
    expiresAt: string | null
    oldUntil: string | null
  }) => sql`
    update service_keys set
      old_secret_id = case when ${it.oldUntil}::timestamptz is null then null else secret_id end,
      old_secret_hash = case when ${it.oldUntil}::timestamptz is null then null else secret_hash end,
      old_until = case when ${it.oldUntil}::timestamptz is null then null else least(${it.oldUntil}::timestamptz, expires_at) end,
      secret_id = ${it.secretId}, secret_hash = ${it.secretHash}, days = ${it.days}, expires_at = ${it.expiresAt}
    where id = ${it.id}`,
  remove: (it: { id: string }) => sql`delete from service_keys where id = ${it.id}`,
  touch: (it: { id: string; now: string; before: string; address: string }) => sql`
    update service_keys set last_used_at = ${it.now}, last_used_address = ${it.address}
    where id = ${it.id} and (last_used_at is null or last_used_at < ${it.before})`,
  /** Of the secrets that hold connections: the ones still good, with whom they act for. */
  alive: (it: { ids: string[]; now: string }) => sql<{ secret_id: string; role: string }>`
    select held.secret_id, users.role from unnest(${it.ids}::uuid[]) as held (secret_id)
      join service_keys on service_keys.secret_id = held.secret_id
        or (service_keys.old_secret_id = held.secret_id and service_keys.old_until > ${it.now})
      join users on users.id = service_keys.user_id
    where users.state = 'active' and (service_keys.expires_at is null or service_keys.expires_at > ${it.now})`,
  secretsOf: (it: { userId: string }) => sql<{ organisation_id: string; id: string }>`
    select organisation_id, unnest(array_remove(array[secret_id, old_secret_id], null)) as id
    from service_keys where user_id = ${it.userId}`,
  /** Expired ones stay in the lists for a while, so that people see what became of them. */
  dropExpired: (it: { before: string }) => sql`delete from service_keys where expires_at < ${it.before}`,

  accounts: (it: { after: string | null; limit: number }) => sql<AccountRow>`
    select ${accountColumns} from users
    where kind = 'service' and (${it.after}::uuid is null or id < ${it.after}::uuid) order by id desc limit ${it.limit}`,
  account: (it: { id: string }) => sql<AccountRow>`
    select ${accountColumns} from users where kind = 'service' and id = ${it.id}`,
  addAccount: (it: { id: string; organisationId: string; name: string; role: string; at: string }) => sql`
    insert into users (id, organisation_id, name, role, kind, created_at, changed_at)
    values (${it.id}, ${it.organisationId}, ${it.name}, ${it.role}, 'service', ${it.at}, ${it.at})`,
  changeAccount: (it: { id: string; name: string; role: string; state: string; at: string }) => sql`
    update users set name = ${it.name}, role = ${it.role}, state = ${it.state}, changed_at = ${it.at}
    where kind = 'service' and id = ${it.id}`,
  removeAccount: (it: { id: string }) => sql`delete from users where kind = 'service' and id = ${it.id}`,
  hasSessions: (it: { userId: string }) => sql<{ some: boolean }>`
    select exists (select from sessions where user_id = ${it.userId}
      and state not in ('stopped', 'failed')) as some`,
}
