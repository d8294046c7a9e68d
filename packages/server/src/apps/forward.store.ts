/** The statements of forward-auth: guarded addresses, one-use codes, passes, app passwords. */
import { sql } from '../core/store.ts'
import { alive } from './store.ts'

export interface ForwardRow {
  id: string
  organisation_id: string
  name: string
  host: string
  path_prefix: string
  who: 'public' | 'people'
  allowed_roles: string[]
  allowed_groups: string[]
  app_passwords: boolean
  /** It belongs to a route of our own gateway. */
  gateway_route_id: string | null
  created_at: string
  changed_at: string
}
export interface PasswordRow {
  id: string
  name: string
  route_id: string
  route_name: string
  host: string
  created_at: string
  last_used_at: string | null
}
export interface CodeRow {
  organisation_id: string
  user_id: string
  sign_in_id: string
  state: string
  path: string
}

export const statements = {
  listRoutes: (it: { organisationId: string; after: string | null; limit: number }) => sql<ForwardRow>`
    select * from forward_routes where organisation_id = ${it.organisationId}
      and (${it.after}::uuid is null or id > ${it.after}::uuid) order by id limit ${it.limit}`,
  findRoute: (it: { id: string }) => sql<ForwardRow>`select * from forward_routes where id = ${it.id}`,
  /** Of our own gateway whatever its port; `bare` is the host without one. */
  routesOfHost: (it: { host: string; bare: string }) => sql<ForwardRow>`
    select * from forward_routes where (host = ${it.host} and gateway_route_id is null)
      or (host = ${it.bare} and gateway_route_id is not null) order by length(path_prefix) desc`,
  /** Of our own gateway: those of many names at once, the longest first. */
  rulesOfHosts: (it: { hosts: string[] }) => sql<ForwardRow>`
    select * from forward_routes where host = any(${it.hosts}::text[]) and gateway_route_id is not null
    order by length(path_prefix) desc`,
  /** Traefik's dashboard, guarded without a row, so that nobody can open it to others: it shows all of this installation. */
  ruleOfTraefik: (it: { host: string }) => sql<ForwardRow>`
    select '00000000-0000-0000-0000-000000000000'::uuid as id, id as organisation_id, 'Traefik' as name, ${it.host}::text as host,
      '/' as path_prefix, 'people' as who, array['owner', 'admin'] as allowed_roles, '{}'::uuid[] as allowed_groups,
      false as app_passwords, null::uuid as gateway_route_id, created_at, created_at as changed_at
    from organisations order by created_at, id limit 1`,
  /** No row: the address is somebody else's. */
  putGatewayRule: (it: {
    id: string
    gatewayRouteId: string
    organisationId: string
    name: string
    host: string
    pathPrefix: string
    who: string
    roles: string[]
    groups: string[]
    appPasswords: boolean
    at: string
  }) => sql<{ id: string }>`
    insert into forward_routes (id, organisation_id, name, host, path_prefix, who, allowed_roles, allowed_groups, app_passwords,
      gateway_route_id, created_at, changed_at)
    values (${it.id}, ${it.organisationId}, ${it.name}, ${it.host}, ${it.pathPrefix}, ${it.who}, ${it.roles}::text[],
      ${it.groups}::uuid[], ${it.appPasswords}, ${it.gatewayRouteId}, ${it.at}, ${it.at})
    on conflict (host, path_prefix) do update set name = excluded.name, who = excluded.who, allowed_roles = excluded.allowed_roles,
      allowed_groups = excluded.allowed_groups, app_passwords = excluded.app_passwords, changed_at = excluded.changed_at
      where forward_routes.gateway_route_id = excluded.gateway_route_id
    returning id`,
  addRoute: (it: {
    id: string
    organisationId: string
    name: string
    host: string
    pathPrefix: string
    who: string
    roles: string[]
    groups: string[]
    appPasswords: boolean
    at: string
  }) => sql<ForwardRow>`
    insert into forward_routes (id, organisation_id, name, host, path_prefix, who, allowed_roles, allowed_groups, app_passwords, created_at, changed_at)
    values (${it.id}, ${it.organisationId}, ${it.name}, ${it.host}, ${it.pathPrefix}, ${it.who}, ${it.roles}::text[],
      ${it.groups}::uuid[], ${it.appPasswords}, ${it.at}, ${it.at}) returning *`,
  /** Whose host it is: of another organisation nobody may guard a part. */
  ownerOfHost: (it: { host: string }) => sql<{ organisation_id: string }>`
    select organisation_id from forward_routes where host = ${it.host} limit 1`,
  changeRoute: (it: {
    id: string
    name: string
    who: string
    roles: string[]
    groups: string[]
    appPasswords: boolean
    at: string
  }) => sql<ForwardRow>`
    update forward_routes set name = ${it.name}, who = ${it.who}, allowed_roles = ${it.roles}::text[],
      allowed_groups = ${it.groups}::uuid[], app_passwords = ${it.appPasswords}, changed_at = ${it.at}
    where id = ${it.id} returning *`,
  removeRoute: (it: { id: string }) => sql`delete from forward_routes where id = ${it.id}`,
  /** Where programs may come in with a password. */
  passwordRoutes: (it: { organisationId: string }) => sql<ForwardRow>`
    select * from forward_routes where organisation_id = ${it.organisationId} and app_passwords and who = 'people'
    order by lower(name), id limit 200`,

  addCode: (it: {
    hash: string
    organisationId: string
    userId: string
    signInId: string
    host: string
    state: string
    path: string
    expiresAt: string
  }) => sql`
    insert into forward_codes (hash, organisation_id, user_id, sign_in_id, host, state, path, expires_at)
    values (${it.hash}, ${it.organisationId}, ${it.userId}, ${it.signInId}, ${it.host}, ${it.state}, ${it.path}, ${it.expiresAt})`,
  useCode: (it: { hash: string; host: string; now: string }) => sql<CodeRow>`
    delete from forward_codes where hash = ${it.hash} and host = ${it.host} and expires_at > ${it.now}
    returning organisation_id, user_id, sign_in_id, state, path`,
  dropOldCodes: (it: { now: string }) => sql`delete from forward_codes where expires_at <= ${it.now}`,
  addPass: (it: {
    hash: string
    organisationId: string
    userId: string
    signInId: string
    host: string
    at: string
  }) => sql`
    insert into forward_passes (hash, organisation_id, user_id, sign_in_id, host, created_at)
    values (${it.hash}, ${it.organisationId}, ${it.userId}, ${it.signInId}, ${it.host}, ${it.at})`,
  findPass: (it: { hash: string; host: string; now: string }) => sql<{ user_id: string; sign_in_id: string }>`
    select p.user_id, p.sign_in_id from forward_passes p join sign_ins s on s.id = p.sign_in_id join users u on u.id = p.user_id
    where p.hash = ${it.hash} and p.host = ${it.host} and ${alive(it.now)}`,
  dropPass: (it: { hash: string; host: string }) => sql`
    delete from forward_passes where hash = ${it.hash} and host = ${it.host}`,

  addPassword: (it: {
    id: string
    organisationId: string
    userId: string
    routeId: string
    name: string
    hash: string
    at: string
  }) => sql`
    insert into app_passwords (id, organisation_id, user_id, route_id, name, hash, created_at)
    values (${it.id}, ${it.organisationId}, ${it.userId}, ${it.routeId}, ${it.name}, ${it.hash}, ${it.at})`,
  passwordsOf: (it: { userId: string; id: string | null }) => sql<PasswordRow>`
    select p.id, p.name, p.route_id, r.name as route_name, r.host, p.created_at, p.last_used_at
    from app_passwords p join forward_routes r on r.id = p.route_id
    where p.user_id = ${it.userId} and (${it.id}::uuid is null or p.id = ${it.id}::uuid) order by p.id desc limit 200`,
  findPassword: (it: { hash: string }) => sql<{
    id: string
    user_id: string
    route_id: string
    email: string | null
    username: string | null
    last_used_at: string | null
  }>`
    select p.id, p.user_id, p.route_id, u.email, n.username, p.last_used_at
    from app_passwords p join users u on u.id = p.user_id left join app_usernames n on n.user_id = u.id
    where p.hash = ${it.hash} and u.state = 'active'`,
  usedPassword: (it: { id: string; at: string }) =>
    sql`update app_passwords set last_used_at = ${it.at} where id = ${it.id}`,
  removePassword: (it: { id: string; userId: string }) => sql<{ id: string }>`
    delete from app_passwords where id = ${it.id} and user_id = ${it.userId} returning id`,
}
