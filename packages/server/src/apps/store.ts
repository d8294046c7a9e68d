/** The statements of apps: their register, consents, user names, and whatever the provider keeps. */
import { sql } from '../core/store.ts'

export interface AppRow {
  id: string
  organisation_id: string
  client_id: string
  name: string
  kind: 'confidential' | 'public'
  secret_hash: string | null
  redirect_uris: string[]
  leave_uris: string[]
  logout_uri: string | null
  allowed_roles: string[]
  allowed_groups: string[]
  trusted: boolean
  created_at: string
  changed_at: string
}
export interface RecordRow {
  payload: Record<string, unknown>
  consumed_at: string | null
  sign_in_id: string | null
}
/** A person as an app may see them. */
export interface PersonRow {
  id: string
  organisation_id: string
  name: string
  email: string | null
  role: string
  username: string | null
  group_ids: string[]
  group_names: string[]
}
export interface SignInRow {
  id: string
  user_id: string
  method: string
  assurance: number
  proved_at: string
}
export interface LogoutRow {
  id: string
  app_id: string
  client_id: string
  user_id: string
  sid: string
  tries: number
  created_at: string
}

/** Of a sign-in `s` of a user `u`: it lasts, nobody switched the person off, and it has proved what the role must prove. */
export const alive = (
  now: string,
) => sql`s.expires_at > ${now} and s.idle_until > ${now} and u.state = 'active'
  and not exists (select from sign_in_policies p where p.organisation_id = u.organisation_id and p.role = u.role and p.assurance > s.assurance)`

const person = sql`u.id, u.organisation_id, u.name, u.email, u.role, n.username,
  coalesce((select array_agg(g.id order by lower(g.name)) from group_members m join groups g on g.id = m.group_id
    where m.user_id = u.id), '{}') as group_ids,
  coalesce((select array_agg(g.name order by lower(g.name)) from group_members m join groups g on g.id = m.group_id
    where m.user_id = u.id), '{}') as group_names`

export const statements = {
  // The register
  listApps: (it: { organisationId: string; after: string | null; limit: number }) => sql<AppRow>`
    select * from apps where organisation_id = ${it.organisationId} and (${it.after}::uuid is null or id > ${it.after}::uuid)
    order by id limit ${it.limit}`,
  findApp: (it: { id: string }) => sql<AppRow>`select * from apps where id = ${it.id}`,
  appOfClient: (it: { clientId: string }) => sql<AppRow>`select * from apps where client_id = ${it.clientId}`,
  addApp: (it: {
    id: string
    organisationId: string
    clientId: string
    name: string
    kind: string
    secretHash: string | null
    redirectUris: string[]
    leaveUris: string[]
    logoutUri: string | null
    roles: string[]
    groups: string[]
    trusted: boolean
    at: string
  }) => sql<AppRow>`
    insert into apps (id, organisation_id, client_id, name, kind, secret_hash, redirect_uris, leave_uris, logout_uri,
      allowed_roles, allowed_groups, trusted, created_at, changed_at)
    values (${it.id}, ${it.organisationId}, ${it.clientId}, ${it.name}, ${it.kind}, ${it.secretHash},
      ${it.redirectUris}::text[], ${it.leaveUris}::text[], ${it.logoutUri}, ${it.roles}::text[], ${it.groups}::uuid[],
      ${it.trusted}, ${it.at}, ${it.at})
    returning *`,
  changeApp: (it: {
    id: string
    name: string
    redirectUris: string[]
    leaveUris: string[]
    logoutUri: string | null
    roles: string[]
    groups: string[]
    trusted: boolean
    at: string
  }) => sql<AppRow>`
    update apps set name = ${it.name}, redirect_uris = ${it.redirectUris}::text[], leave_uris = ${it.leaveUris}::text[],
      logout_uri = ${it.logoutUri}, allowed_roles = ${it.roles}::text[], allowed_groups = ${it.groups}::uuid[],
      trusted = ${it.trusted}, changed_at = ${it.at}
    where id = ${it.id} returning *`,
  setSecret: (it: { id: string; secretHash: string; at: string }) => sql`
    update apps set secret_hash = ${it.secretHash}, changed_at = ${it.at} where id = ${it.id}`,
  setLogout: (it: { id: string; logoutUri: string | null; at: string }) => sql`
    update apps set logout_uri = ${it.logoutUri}, changed_at = ${it.at} where id = ${it.id}`,
  removeApp: (it: { id: string }) => sql`delete from apps where id = ${it.id}`,
  /** Of these, how many are groups of that organisation. */
  countGroups: (it: { organisationId: string; groups: string[] }) => sql<{ count: number }>`
    select count(*)::int as count from groups where organisation_id = ${it.organisationId} and id = any(${it.groups}::uuid[])`,

  // People, as apps see them
  findPerson: (it: { id: string }) => sql<PersonRow>`
    select ${person} from users u left join app_usernames n on n.user_id = u.id
    where u.id = ${it.id} and u.state = 'active' and u.kind = 'person'`,
  takeUsername: (it: { organisationId: string; userId: string; username: string }) => sql<{
    username: string
  }>`
    insert into app_usernames (organisation_id, user_id, username) values (${it.organisationId}, ${it.userId}, ${it.username})
    on conflict do nothing returning username`,
  usernameOf: (it: { userId: string }) => sql<{ username: string }>`
    select username from app_usernames where user_id = ${it.userId}`,
  liveSignIn: (it: { id: string; now: string }) => sql<SignInRow>`
    select s.id, s.user_id, s.method, s.assurance, s.proved_at from sign_ins s join users u on u.id = s.user_id
    where s.id = ${it.id} and ${alive(it.now)}`,

  // Consent
  consent: (it: { userId: string; appId: string }) => sql<{ scopes: string[] }>`
    select scopes from app_consents where user_id = ${it.userId} and app_id = ${it.appId}`,
  allow: (it: { organisationId: string; userId: string; appId: string; scopes: string[]; at: string }) => sql`
    insert into app_consents (organisation_id, user_id, app_id, scopes, created_at, last_used_at)
    values (${it.organisationId}, ${it.userId}, ${it.appId}, ${it.scopes}::text[], ${it.at}, ${it.at})
    on conflict (user_id, app_id) do update set last_used_at = excluded.last_used_at,
      scopes = array(select distinct unnest(app_consents.scopes || excluded.scopes) order by 1)`,
  consentsOf: (it: { userId: string }) => sql<{
    id: string
    name: string
    scopes: string[]
    created_at: string
    last_used_at: string | null
  }>`
    select a.id, a.name, c.scopes, c.created_at, c.last_used_at from app_consents c join apps a on a.id = c.app_id
    where c.user_id = ${it.userId} order by lower(a.name), a.id limit 200`,
  withdraw: (it: { userId: string; appId: string }) => sql<{ app_id: string }>`
    delete from app_consents where user_id = ${it.userId} and app_id = ${it.appId} returning app_id`,

  // What the provider keeps. Alive: nobody is known yet, or the sign-in behind it is alive.
  findRecord: (it: { kind: string; id: string; now: string }) => sql<RecordRow>`
    select r.payload, r.consumed_at, r.sign_in_id from app_records r
    where r.kind = ${it.kind} and r.id = ${it.id} and r.expires_at > ${it.now} and ((r.user_id is null and r.sign_in_id is null)
      or exists (select from sign_ins s join users u on u.id = s.user_id where s.id = r.sign_in_id and u.id = r.user_id
        and ${alive(it.now)}))`,
  findRecordByUid: (it: { kind: string; uid: string; now: string }) => sql<RecordRow>`
    select r.payload, r.consumed_at, r.sign_in_id from app_records r
    where r.kind = ${it.kind} and r.uid = ${it.uid} and r.expires_at > ${it.now} and ((r.user_id is null and r.sign_in_id is null)
      or exists (select from sign_ins s join users u on u.id = s.user_id where s.id = r.sign_in_id and u.id = r.user_id
        and ${alive(it.now)}))`,
  /** A token's sign-in is its grant's, a session's that of any grant in it. */
  putRecord: (it: {
    kind: string
    id: string
    payload: string
    userId: string | null
    clientId: string | null
    grantId: string | null
    grants: string[]
    uid: string | null
    expiresAt: string
  }) => sql`
    insert into app_records (kind, id, payload, organisation_id, user_id, app_id, sign_in_id, grant_id, uid, expires_at)
    values (${it.kind}, ${it.id}, ${it.payload}::jsonb,
      coalesce((select organisation_id from users where id = ${it.userId}::uuid), (select organisation_id from apps where client_id = ${it.clientId})),
      ${it.userId}::uuid, (select id from apps where client_id = ${it.clientId}),
      (select sign_in_id from app_records where kind = 'Grant' and id = any(${it.grants}::text[]) and sign_in_id is not null limit 1),
      ${it.grantId}, ${it.uid}, ${it.expiresAt})
    on conflict (kind, id) do update set payload = excluded.payload, organisation_id = excluded.organisation_id,
      user_id = excluded.user_id, app_id = excluded.app_id, sign_in_id = coalesce(excluded.sign_in_id, app_records.sign_in_id),
      grant_id = excluded.grant_id, uid = excluded.uid, expires_at = excluded.expires_at`,
  bindGrant: (it: { id: string; signInId: string }) => sql`
    update app_records set sign_in_id = ${it.signInId} where kind = 'Grant' and id = ${it.id}`,
  /** Once: of two at the same moment, one row comes back. */
  consumeRecord: (it: { kind: string; id: string; at: string }) => sql<{ id: string }>`
    update app_records set consumed_at = ${it.at} where kind = ${it.kind} and id = ${it.id} and consumed_at is null returning id`,
  /** The grant of this one, with all that stands on it. */
  dropGrantOf: (it: { kind: string; id: string }) => sql`
    delete from app_records r using app_records used where used.kind = ${it.kind} and used.id = ${it.id}
      and (r.grant_id = used.grant_id or (r.kind = 'Grant' and r.id = used.grant_id))`,
  dropRecord: (it: { kind: string; id: string }) => sql`
    delete from app_records where kind = ${it.kind} and id = ${it.id}`,
  dropGrant: (it: { grantId: string; kind: string }) => sql`
    delete from app_records where grant_id = ${it.grantId} and kind = ${it.kind}`,
  dropWholeGrant: (it: { grantId: string }) => sql`
    delete from app_records where grant_id = ${it.grantId} or (kind = 'Grant' and id = ${it.grantId})`,
  dropRecordsOf: (it: { userId: string; appId: string }) => sql`
    delete from app_records where user_id = ${it.userId} and app_id = ${it.appId}`,
  dropOldRecords: (it: { now: string }) => sql`delete from app_records where expires_at <= ${it.now}`,

  // Endings
  /** Records whose sign-in is over, or of which it cannot be told; sessions come back, for telling the apps. */
  endOf: (it: { signInId: string }) => sql<{
    kind: string
    payload: Record<string, unknown>
    organisation_id: string | null
  }>`
    delete from app_records where sign_in_id = ${it.signInId} returning kind, payload, organisation_id`,
  endedSignIns: (it: { now: string }) => sql<{ sign_in_id: string }>`
    select distinct r.sign_in_id from app_records r where r.sign_in_id is not null and not exists (
      select from sign_ins s join users u on u.id = s.user_id where s.id = r.sign_in_id and u.state = 'active'
        and s.expires_at > ${it.now} and s.idle_until > ${it.now}) limit 200`,
  tellLogout: (it: { id: string; clientId: string; userId: string; sid: string; at: string }) => sql`
    insert into app_logouts (id, organisation_id, app_id, user_id, sid, next_at, created_at)
    select ${it.id}, organisation_id, id, ${it.userId}, ${it.sid}, ${it.at}, ${it.at} from apps
    where client_id = ${it.clientId} and logout_uri is not null`,
  /** Taken for a minute: whoever dies over it leaves it to the next. */
  takeLogouts: (it: { now: string; until: string }) => sql<LogoutRow>`
    update app_logouts l set next_at = ${it.until}, tries = tries + 1 from apps a
    where a.id = l.app_id and l.id in (
      select id from app_logouts where next_at <= ${it.now} order by next_at limit 20 for update skip locked)
    returning l.id, l.app_id, a.client_id, l.user_id, l.sid, l.tries, l.created_at`,
  laterLogout: (it: { id: string; at: string }) =>
    sql`update app_logouts set next_at = ${it.at} where id = ${it.id}`,
  dropLogout: (it: { id: string }) => sql`delete from app_logouts where id = ${it.id}`,
}
