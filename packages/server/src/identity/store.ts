/** The statements of people, sign-ins, claim links and throttling. */
import { sql } from '../core/store.ts'

export interface SignInRow {
  id: string
  hash: string
  user_id: string
  organisation_id: string
  role: string
  assurance: number
  proved_at: string
  last_seen_at: string
  /** Of the role's policy; null: the default. */
  policy_assurance: number | null
}
/** A sign-in that is no more. */
export interface EndedRow {
  id: string
  organisation_id: string
  user_id: string
}
export interface UserRow {
  id: string
  organisation_id: string
  name: string
  /** null: a service account, which cannot sign in. */
  email: string
  role: string
  kind: string
  state: string
  password_hash: string | null
  organisation_name: string
}
export interface ClaimRow {
  kind: 'claim' | 'reset'
  organisation_id: string | null
  user_id: string | null
  clear_factors: boolean
}

export interface PolicyRow {
  assurance: number
  idle_ms: string
  absolute_ms: string
}
export interface DeviceRow {
  id: string
  address: string | null
  user_agent: string | null
  method: string
  assurance: number
  created_at: string
  last_seen_at: string
  expires_at: string
}

export const statements = {
  claimed: () => sql<{ claimed: boolean }>`select exists (select from organisations) as claimed`,
  /** Two claims at the same moment: one after the other. */
  lockClaims: () => sql`select pg_advisory_xact_lock(728364502)`,
  addClaim: (it: {
    hash: string
    kind: string
    organisationId: string | null
    userId: string | null
    clearFactors: boolean
    expiresAt: string
    at: string
  }) => sql`
    insert into claims (hash, kind, organisation_id, user_id, clear_factors, expires_at, created_at)
    values (${it.hash}, ${it.kind}, ${it.organisationId}, ${it.userId}, ${it.clearFactors}, ${it.expiresAt}, ${it.at})`,
  findClaim: (it: { hash: string; now: string }) => sql<ClaimRow>`
    select kind, organisation_id, user_id, clear_factors from claims where hash = ${it.hash} and expires_at > ${it.now}`,
  useClaim: (it: { hash: string; now: string }) => sql<ClaimRow>`
    delete from claims where hash = ${it.hash} and expires_at > ${it.now} returning kind, organisation_id, user_id, clear_factors`,
  dropClaims: (it: { kind: string }) => sql`delete from claims where kind = ${it.kind}`,
  dropOldClaims: (it: { now: string }) => sql`delete from claims where expires_at <= ${it.now}`,

  addOrganisation: (it: { id: string; name: string; at: string }) => sql`
    insert into organisations (id, name, created_at) values (${it.id}, ${it.name}, ${it.at})`,
  addUser: (it: {
    id: string
    organisationId: string
    name: string
    email: string
    role: string
    passwordHash: string | null
    at: string
  }) => sql`
    insert into users (id, organisation_id, name, email, role, password_hash, created_at)
    values (${it.id}, ${it.organisationId}, ${it.name}, ${it.email}, ${it.role}, ${it.passwordHash}, ${it.at})`,
  userById: (it: { id: string }) => sql<UserRow>`
    select users.*, organisations.name as organisation_name
    from users join organisations on organisations.id = users.organisation_id where users.id = ${it.id}`,
  me: (it: { id: string; signInId: string | null }) => sql<UserRow & { signed_in_at: string | null }>`
    select users.*, organisations.name as organisation_name, sign_ins.created_at as signed_in_at
    from users join organisations on organisations.id = users.organisation_id
      left join sign_ins on sign_ins.id = ${it.signInId}::uuid and sign_ins.user_id = users.id
    where users.id = ${it.id}`,
  userByEmail: (it: { email: string }) => sql<UserRow>`
    select users.*, organisations.name as organisation_name
    from users join organisations on organisations.id = users.organisation_id where users.email = ${it.email}`,
  /** Whom the local CLI acts as: the first owner of the first organisation. */
  firstOwner: () => sql<UserRow>`
    select users.*, organisations.name as organisation_name
    from users join organisations on organisations.id = users.organisation_id
    where users.role = 'owner' and users.state = 'active' order by users.created_at, users.id limit 1`,
  renameUser: (it: { id: string; name: string }) =>
    sql`update users set name = ${it.name} where id = ${it.id}`,
  setPassword: (it: { id: string; passwordHash: string }) => sql`
    update users set password_hash = ${it.passwordHash} where id = ${it.id}`,
  setEmail: (it: { id: string; email: string }) =>
    sql`update users set email = ${it.email} where id = ${it.id}`,

  addSignIn: (it: {
    id: string
    hash: string
    organisationId: string
    userId: string
    at: string
    idleUntil: string
    expiresAt: string
    address: string
    userAgent: string
    method: string
    assurance: number
    providerId: string | null
    providerSession: string | null
  }) => sql`
    insert into sign_ins (id, hash, organisation_id, user_id, created_at, last_seen_at, proved_at, idle_until, expires_at,
      address, user_agent, method, assurance, provider_id, provider_session)
    values (${it.id}, ${it.hash}, ${it.organisationId}, ${it.userId}, ${it.at}, ${it.at}, ${it.at}, ${it.idleUntil}, ${it.expiresAt},
      ${it.address}, ${it.userAgent}, ${it.method}, ${it.assurance}, ${it.providerId}, ${it.providerSession})`,
  findSignIn: (it: { hash: string; now: string }) => sql<SignInRow>`
    select sign_ins.id, sign_ins.hash, sign_ins.user_id, sign_ins.organisation_id, users.role,
      sign_ins.assurance, sign_ins.proved_at, sign_ins.last_seen_at, sign_in_policies.assurance as policy_assurance
    from sign_ins join users on users.id = sign_ins.user_id
      left join sign_in_policies on sign_in_policies.organisation_id = users.organisation_id and sign_in_policies.role = users.role
    where sign_ins.hash = ${it.hash} and sign_ins.expires_at > ${it.now} and sign_ins.idle_until > ${it.now} and users.state = 'active'`,
  policy: (it: { organisationId: string; role: string }) => sql<PolicyRow>`
    select assurance, idle_ms, absolute_ms from sign_in_policies
    where organisation_id = ${it.organisationId} and role = ${it.role}`,
  /** Which of these have not ended, and still prove what their role's policy demands (one factor, where there is none). */
  stillSignedIn: (it: { ids: string[]; now: string }) => sql<{ id: string }>`
    select sign_ins.id from sign_ins join users on users.id = sign_ins.user_id
      left join sign_in_policies on sign_in_policies.organisation_id = users.organisation_id and sign_in_policies.role = users.role
    where sign_ins.id = any(${it.ids}::uuid[]) and expires_at > ${it.now} and idle_until > ${it.now} and users.state = 'active'
      and sign_ins.assurance >= coalesce(sign_in_policies.assurance, 1)`,
  /** The idle limit moves on by as much as it was given at the beginning. */
  touchSignIn: (it: { id: string; now: string }) => sql`
    update sign_ins set idle_until = idle_until + (${it.now}::timestamptz - last_seen_at), last_seen_at = ${it.now} where id = ${it.id}`,
  renewSignIn: (it: { id: string; hash: string; assurance: number; now: string }) => sql<{
    expires_at: string
  }>`
    update sign_ins set hash = ${it.hash}, assurance = greatest(assurance, ${it.assurance}), proved_at = ${it.now}
    where id = ${it.id} returning expires_at`,
  refitSignIns: (it: {
    organisationId: string
    role: string
    userId: string | null
    idleMs: number
    absoluteMs: number
  }) => sql`
    update sign_ins set
      idle_until = sign_ins.last_seen_at + ${it.idleMs}::float8 * interval '1 millisecond',
      expires_at = sign_ins.created_at + ${it.absoluteMs}::float8 * interval '1 millisecond'
    from users where users.id = sign_ins.user_id and users.organisation_id = ${it.organisationId} and users.role = ${it.role}
      and (${it.userId}::uuid is null or users.id = ${it.userId}::uuid)`,
  signInsOf: (it: { userId: string; now: string }) => sql<DeviceRow>`
    select id, address, user_agent, method, assurance, created_at, last_seen_at, least(expires_at, idle_until) as expires_at
    from sign_ins where user_id = ${it.userId} and expires_at > ${it.now} and idle_until > ${it.now}
    order by last_seen_at desc, id`,
  signInOwner: (it: { id: string }) => sql<{ organisation_id: string; user_id: string }>`
    select organisation_id, user_id from sign_ins where id = ${it.id}`,
  policies: (it: { organisationId: string }) => sql<PolicyRow & { role: string }>`
    select role, assurance, idle_ms, absolute_ms from sign_in_policies where organisation_id = ${it.organisationId}`,
  setPolicy: (it: {
    organisationId: string
    role: string
    assurance: number
    idleMs: number
    absoluteMs: number
  }) => sql`
    insert into sign_in_policies (organisation_id, role, assurance, idle_ms, absolute_ms)
    values (${it.organisationId}, ${it.role}, ${it.assurance}, ${it.idleMs}, ${it.absoluteMs})
    on conflict (organisation_id, role) do update set
      assurance = excluded.assurance, idle_ms = excluded.idle_ms, absolute_ms = excluded.absolute_ms`,
  endSignIn: (it: { id: string }) => sql<EndedRow>`
    delete from sign_ins where id = ${it.id} returning id, organisation_id, user_id`,
  endSignInOfHash: (it: { hash: string }) => sql<EndedRow>`
    delete from sign_ins where hash = ${it.hash} returning id, organisation_id, user_id`,
  endSignInsOf: (it: { userId: string; except: string | null }) => sql<EndedRow>`
    delete from sign_ins where user_id = ${it.userId} and id is distinct from ${it.except}::uuid
    returning id, organisation_id, user_id`,
  endOldSignIns: (it: { now: string }) => sql<EndedRow>`
    delete from sign_ins where expires_at <= ${it.now} or idle_until <= ${it.now}
    returning id, organisation_id, user_id`,

  /**
   * Counts a try by all its keys before anything is looked at, so that many at once count too; nothing when one of them is closed.
   * What is counted may be lost with the power: nobody waits for the disk here, as a flood would.
   */
  countTry: (it: { keys: string[]; forgetBefore: string[]; now: string }) => sql<{
    key: string
    failures: number
    blocked_until: string | null
  }>`
    with given as materialized (
      select key, forget_before from unnest(${it.keys}::text[], ${it.forgetBefore}::timestamptz[]) as given (key, forget_before)
      where set_config('synchronous_commit', 'off', true) is not null and not exists (
        select from throttles where throttles.key = any(${it.keys}::text[]) and throttles.blocked_until > ${it.now}::timestamptz)
    )
    insert into throttles (key, failures, first_at) select key, 1, ${it.now}::timestamptz from given
    on conflict (key) do update set
      failures = case when throttles.first_at < (select forget_before from given where given.key = excluded.key) then 1 else throttles.failures + 1 end,
      first_at = case when throttles.first_at < (select forget_before from given where given.key = excluded.key) then excluded.first_at else throttles.first_at end,
      blocked_until = case when throttles.first_at < (select forget_before from given where given.key = excluded.key) then null else throttles.blocked_until end
    returning key, failures, blocked_until`,
  block: (it: { keys: string[]; until: string[] }) => sql`
    update throttles set blocked_until = given.until
    from unnest(${it.keys}::text[], ${it.until}::timestamptz[]) as given (key, until) where throttles.key = given.key`,
  blocked: (it: { keys: string[]; now: string }) => sql<{ blocked_until: string }>`
    select blocked_until from throttles where key = any(${it.keys}::text[]) and blocked_until > ${it.now}
    order by blocked_until desc limit 1`,
  forgive: (it: { key: string }) => sql`
    update throttles set failures = greatest(failures - 1, 0) where key = ${it.key}`,
  clear: (it: { key: string }) => sql`delete from throttles where key = ${it.key}`,
  dropOldThrottles: (it: { before: string }) => sql`delete from throttles where first_at < ${it.before}`,
}
