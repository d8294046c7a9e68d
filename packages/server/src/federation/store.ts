/** The statements of identity providers, linked accounts, ways to a provider and back, and sessions there. */
import type {
  CountsAsSecondFactor,
  MappingRule,
  ProviderIcon,
  ProviderKind,
} from '@kalnet/contracts/federation'
import type { Role } from '@kalnet/contracts/permission'
import { sql } from '../core/store.ts'
import type { Gate } from '../identity/gate.ts'

type UserRow = Parameters<Gate['enter']>[1]

export interface OpenIdSettings {
  issuer: string
  clientId: string
  scopes: string[]
  groupsClaim: string
}
export interface SamlSettings {
  entityId: string
  signInUrl: string
  /** DER in base64. */
  certificates: string[]
  metadataUrl: string | null
  groupsAttribute: string
  emailAttribute: string
}
interface ProviderRowOf<K extends ProviderKind, S> {
  id: string
  organisation_id: string
  kind: K
  name: string
  icon: ProviderIcon
  enabled: boolean
  settings: S
  rules: MappingRule[]
  default_role: Exclude<Role, 'owner'>
  creates_people: boolean
  second_factor: CountsAsSecondFactor
  created_at: string
  changed_at: string
}
export type OpenIdRow = ProviderRowOf<'openid', OpenIdSettings>
export type SamlRow = ProviderRowOf<'saml', SamlSettings>
export type ProviderRow = OpenIdRow | SamlRow
type Counted = ProviderRow & { people: number }

export interface IdentityRow {
  id: string
  organisation_id: string
  user_id: string
  provider_id: string
  issuer: string
  subject: string
  account: string
  managed: boolean
  created_at: string
  last_used_at: string | null
}
export interface FlowRow {
  hash: string
  organisation_id: string
  provider_id: string
  purpose: 'sign-in' | 'link' | 'prove'
  user_id: string | null
  sign_in_id: string | null
  back: string
  answer: unknown
}
export interface SessionRow {
  id: string
  organisation_id: string
  provider_id: string
  identity_id: string
  sid: string | null
  refreshes: boolean
}
interface Fields {
  name: string
  icon: string
  enabled: boolean
  settings: string
  rules: string
  defaultRole: string
  createsPeople: boolean
  secondFactor: string
  at: string
}

export const statements = {
  buttons: () => sql<{ id: string; name: string; icon: ProviderIcon }>`
    select id, name, icon from identity_providers where enabled order by name, id limit 100`,
  providers: (it: { after: string | null; limit: number }) => sql<Counted>`
    select identity_providers.*, (select count(*)::int from identities where provider_id = identity_providers.id) as people
    from identity_providers where ${it.after}::uuid is null or id > ${it.after}::uuid order by id limit ${it.limit}`,
  provider: (it: { id: string }) => sql<Counted>`
    select identity_providers.*, (select count(*)::int from identities where provider_id = identity_providers.id) as people
    from identity_providers where id = ${it.id}`,
  addProvider: (it: Fields & { id: string; organisationId: string; kind: string }) => sql`
    insert into identity_providers (id, organisation_id, kind, name, icon, enabled, settings, rules, default_role, creates_people,
      second_factor, created_at, changed_at)
    values (${it.id}, ${it.organisationId}, ${it.kind}, ${it.name}, ${it.icon}, ${it.enabled}, ${it.settings}::jsonb, ${it.rules}::jsonb,
      ${it.defaultRole}, ${it.createsPeople}, ${it.secondFactor}::jsonb, ${it.at}, ${it.at})`,
  changeProvider: (it: Fields & { id: string }) => sql`
    update identity_providers set name = ${it.name}, icon = ${it.icon}, enabled = ${it.enabled}, settings = ${it.settings}::jsonb,
      rules = ${it.rules}::jsonb, default_role = ${it.defaultRole}, creates_people = ${it.createsPeople},
      second_factor = ${it.secondFactor}::jsonb, changed_at = ${it.at} where id = ${it.id}`,
  removeProvider: (it: { id: string }) => sql`delete from identity_providers where id = ${it.id}`,
  /** Whether an owner's account is linked by it: whoever changes its keys could come in as that owner. */
  holdsOwner: (it: { id: string }) => sql<{ holds: boolean }>`
    select exists (select from identities join users on users.id = identities.user_id
      where identities.provider_id = ${it.id} and users.role = 'owner') as holds`,
  assuranceOf: (it: { signInId: string }) => sql<{ assurance: number }>`
    select assurance from sign_ins where id = ${it.signInId}`,
  /** Which of these groups there are: a rule may name only its own organisation's. */
  groups: (it: { ids: string[]; organisationId: string }) => sql<{ id: string }>`
    select id from groups where id = any(${it.ids}::uuid[]) and organisation_id = ${it.organisationId}`,

  /** Two first sign-ins of one account at the same moment: one after the other. */
  lockSubject: (it: { key: string }) => sql`select pg_advisory_xact_lock(hashtextextended(${it.key}, 7))`,
  identity: (it: { providerId: string; issuer: string; subject: string }) => sql<IdentityRow>`
    select * from identities where provider_id = ${it.providerId} and issuer = ${it.issuer} and subject = ${it.subject}`,
  identityById: (it: { id: string; userId: string }) => sql<IdentityRow>`
    select * from identities where id = ${it.id} and user_id = ${it.userId}`,
  identitiesOf: (it: { userId: string }) => sql<
    IdentityRow & { name: string; icon: ProviderIcon; enabled: boolean }
  >`
    select identities.*, identity_providers.name, identity_providers.icon, identity_providers.enabled
    from identities join identity_providers on identity_providers.id = identities.provider_id
    where identities.user_id = ${it.userId} order by identities.created_at, identities.id limit 100`,
  addIdentity: (it: {
    id: string
    organisationId: string
    userId: string
    providerId: string
    issuer: string
    subject: string
    account: string
    managed: boolean
    at: string
  }) => sql`
    insert into identities (id, organisation_id, user_id, provider_id, issuer, subject, account, managed, created_at)
    values (${it.id}, ${it.organisationId}, ${it.userId}, ${it.providerId}, ${it.issuer}, ${it.subject}, ${it.account}, ${it.managed}, ${it.at})`,
  useIdentity: (it: { id: string; account: string; at: string }) => sql`
    update identities set last_used_at = ${it.at}, account = ${it.account} where id = ${it.id}`,
  removeIdentity: (it: { id: string }) => sql`delete from identities where id = ${it.id}`,
  /** A password or a passkey of one's own. */
  otherWays: (it: { userId: string }) => sql<{ ways: number }>`
    select ((select count(*) from users where id = ${it.userId} and password_hash is not null)
      + (select count(*) from passkeys where user_id = ${it.userId}))::int as ways`,

  addPerson: (it: {
    id: string
    organisationId: string
    name: string
    email: string
    role: string
    at: string
  }) => sql<{
    id: string
  }>`
    insert into users (id, organisation_id, name, email, role, created_at)
    values (${it.id}, ${it.organisationId}, ${it.name}, ${it.email}, ${it.role}, ${it.at})
    on conflict (email) do nothing returning id`,
  person: (it: { id: string }) => sql<UserRow>`
    select users.*, organisations.name as organisation_name
    from users join organisations on organisations.id = users.organisation_id where users.id = ${it.id}`,
  joinGroups: (it: { userId: string; organisationId: string; ids: string[] }) => sql<{ group_id: string }>`
    insert into group_members (organisation_id, group_id, user_id)
    select organisation_id, id, ${it.userId} from groups
    where id = any(${it.ids}::uuid[]) and organisation_id = ${it.organisationId}
    on conflict do nothing returning group_id`,
  leaveGroups: (it: { userId: string; ids: string[] }) => sql<{ group_id: string }>`
    delete from group_members where user_id = ${it.userId} and group_id = any(${it.ids}::uuid[]) returning group_id`,

  addFlow: (it: {
    hash: string
    organisationId: string
    providerId: string
    purpose: string
    userId: string | null
    signInId: string | null
    back: string
    requestHash: string
    expiresAt: string
  }) => sql`
    insert into provider_flows (hash, organisation_id, provider_id, purpose, user_id, sign_in_id, back, request_hash, expires_at)
    values (${it.hash}, ${it.organisationId}, ${it.providerId}, ${it.purpose}, ${it.userId}, ${it.signInId}, ${it.back},
      ${it.requestHash}, ${it.expiresAt})`,
  /** Once: whoever comes second finds nothing. */
  takeFlow: (it: { hash: string; providerId: string; now: string }) => sql<FlowRow>`
    delete from provider_flows where hash = ${it.hash} and provider_id = ${it.providerId} and expires_at > ${it.now} returning *`,
  flowOfRequest: (it: { requestHash: string; providerId: string; now: string }) => sql<FlowRow>`
    select * from provider_flows where request_hash = ${it.requestHash} and provider_id = ${it.providerId}
      and handle_hash is null and expires_at > ${it.now}`,
  /** One answer for one request. */
  answerFlow: (it: { hash: string; handleHash: string; answer: string }) => sql<{ hash: string }>`
    update provider_flows set handle_hash = ${it.handleHash}, answer = ${it.answer}::jsonb
    where hash = ${it.hash} and handle_hash is null returning hash`,
  takeAnswered: (it: { hash: string; handleHash: string; providerId: string; now: string }) => sql<FlowRow>`
    delete from provider_flows where hash = ${it.hash} and handle_hash = ${it.handleHash} and provider_id = ${it.providerId}
      and expires_at > ${it.now} returning *`,
  /** No row: it was shown before. */
  once: (it: { providerId: string; organisationId: string; hash: string; expiresAt: string }) => sql<{
    hash: string
  }>`
    insert into provider_onces (provider_id, organisation_id, hash, expires_at)
    values (${it.providerId}, ${it.organisationId}, ${it.hash}, ${it.expiresAt}) on conflict do nothing returning hash`,

  addSession: (it: {
    id: string
    organisationId: string
    providerId: string
    identityId: string
    sid: string | null
    refreshes: boolean
    at: string
  }) => sql`
    insert into provider_sessions (id, organisation_id, provider_id, identity_id, sid, refreshes, begun_at, checked_at)
    values (${it.id}, ${it.organisationId}, ${it.providerId}, ${it.identityId}, ${it.sid}, ${it.refreshes}, ${it.at}, ${it.at})`,
  /** Used since the provider was last asked, and that is long ago. Taking them keeps other replicas from asking too. */
  takeDue: (it: { before: string; now: string; limit: number }) => sql<SessionRow>`
    update provider_sessions set checked_at = ${it.now} where id in (
      select provider_sessions.id from provider_sessions where refreshes and checked_at <= ${it.before}
        and exists (select from sign_ins where provider_session = provider_sessions.id::text and last_seen_at > provider_sessions.checked_at)
      order by checked_at limit ${it.limit} for update skip locked) returning *`,
  sessionsOf: (it: {
    providerId: string
    sid: string | null
    issuer: string
    subject: string | null
  }) => sql<SessionRow>`
    select provider_sessions.* from provider_sessions join identities on identities.id = provider_sessions.identity_id
    where provider_sessions.provider_id = ${it.providerId}
      and (${it.sid}::text is null or provider_sessions.sid = ${it.sid})
      and (${it.subject}::text is null or (identities.subject = ${it.subject} and identities.issuer = ${it.issuer}))`,
  sessionsOfIdentity: (it: { identityId: string }) => sql<SessionRow>`
    select * from provider_sessions where identity_id = ${it.identityId}`,
  identityOfSession: (it: { id: string }) => sql<IdentityRow>`
    select identities.* from identities join provider_sessions on provider_sessions.identity_id = identities.id
    where provider_sessions.id = ${it.id}`,
  sessionOfSignIn: (it: { signInId: string }) => sql<SessionRow>`
    select provider_sessions.* from provider_sessions join sign_ins on sign_ins.provider_session = provider_sessions.id::text
    where sign_ins.id = ${it.signInId}`,
  removeSessions: (it: { ids: string[] }) =>
    sql`delete from provider_sessions where id = any(${it.ids}::uuid[])`,
  signInsOf: (it: { sessions: string[] }) => sql<{ id: string }>`
    select id from sign_ins where provider_session = any(${it.sessions}::text[])`,
  signInsOfProvider: (it: { providerId: string }) => sql<{ id: string }>`
    select id from sign_ins where provider_id = ${it.providerId}`,
  /** It goes on without the provider. */
  detachSignIn: (it: { id: string; sessions: string[] }) => sql`
    update sign_ins set provider_id = null, provider_session = null
    where id = ${it.id} and provider_session = any(${it.sessions}::text[])`,
  /** Their session there is no more: a second factor was shown after it had ended. */
  dangling: () => sql<{ id: string }>`
    select id from sign_ins where provider_session is not null
      and not exists (select from provider_sessions where id::text = sign_ins.provider_session)`,
  dropOldFlows: (it: { now: string }) => sql`delete from provider_flows where expires_at <= ${it.now}`,
  dropOldOnces: (it: { now: string }) => sql`delete from provider_onces where expires_at <= ${it.now}`,
  dropIdleSessions: (it: { before: string }) => sql`
    delete from provider_sessions where begun_at <= ${it.before}
      and not exists (select from sign_ins where provider_session = provider_sessions.id::text)`,
  /** Sealed things whose owner is gone. */
  dropOrphans: () => sql`
    delete from secrets where (name like 'provider-session.%' and not exists (select from provider_sessions where 'provider-session.' || id = secrets.name))
      or (name like 'provider.%' and not exists (select from identity_providers where 'provider.' || id = secrets.name))`,
}
