/** The statements of second factors, attempts and links for a new password. */
import { sql } from '../core/store.ts'

export interface TotpRow {
  confirmed_at: string | null
  last_step: string
  new_until: string | null
}
export interface PasskeyRow {
  id: string
  organisation_id: string
  user_id: string
  credential_id: string
  public_key: string
  counter: string
  transports: string[]
  rp_id: string
  synced: boolean
  name: string
  created_at: string
  last_used_at: string | null
}
export interface ChallengeRow {
  rp_id: string
  origin: string
}
export interface AttemptRow {
  user_id: string
  organisation_id: string
  method: string
  provider_id: string | null
  provider_session: string | null
  /** With this one. */
  tries: number
}

export const statements = {
  /** What a person has, in one look. */
  summary: (it: { userId: string }) => sql<{ totp: boolean; passkeys: number; codes: number }>`
    select exists (select from totp_factors where user_id = ${it.userId} and confirmed_at is not null) as totp,
      (select count(*)::int from passkeys where user_id = ${it.userId}) as passkeys,
      (select count(*)::int from recovery_codes where user_id = ${it.userId}) as codes`,
  /** One change of a person's factors after the other. */
  lockUser: (it: { id: string }) => sql`select id from users where id = ${it.id} for update`,

  totp: (it: { userId: string }) => sql<TotpRow>`
    select confirmed_at, last_step, new_until from totp_factors where user_id = ${it.userId}`,
  beginTotp: (it: { userId: string; organisationId: string; until: string }) => sql`
    insert into totp_factors (user_id, organisation_id, new_until) values (${it.userId}, ${it.organisationId}, ${it.until})
    on conflict (user_id) do update set new_until = excluded.new_until`,
  confirmTotp: (it: { userId: string; at: string; step: number }) => sql`
    update totp_factors set confirmed_at = ${it.at}, last_step = ${it.step}, new_until = null where user_id = ${it.userId}`,
  /** The one place where a code is used up: of many at once, one row count is 1. */
  useStep: (it: { userId: string; step: number }) => sql<{ user_id: string }>`
    update totp_factors set last_step = ${it.step}
    where user_id = ${it.userId} and confirmed_at is not null and last_step < ${it.step} returning user_id`,
  dropTotp: (it: { userId: string }) => sql<{ user_id: string }>`
    delete from totp_factors where user_id = ${it.userId} returning user_id`,

  dropCodes: (it: { userId: string }) => sql`delete from recovery_codes where user_id = ${it.userId}`,
  addCodes: (it: { organisationId: string; userId: string; hashes: string[] }) => sql`
    insert into recovery_codes (organisation_id, user_id, hash)
    select ${it.organisationId}::uuid, ${it.userId}::uuid, unnest(${it.hashes}::text[])`,
  useCode: (it: { userId: string; hash: string }) => sql<{ hash: string }>`
    delete from recovery_codes where user_id = ${it.userId} and hash = ${it.hash} returning hash`,

  passkeysOf: (it: { userId: string }) => sql<PasskeyRow>`
    select * from passkeys where user_id = ${it.userId} order by created_at, id`,
  passkeyById: (it: { id: string }) => sql<PasskeyRow>`select * from passkeys where id = ${it.id}`,
  passkeyByCredential: (it: { credentialId: string }) => sql<PasskeyRow>`
    select * from passkeys where credential_id = ${it.credentialId}`,
  addPasskey: (it: {
    id: string
    organisationId: string
    userId: string
    credentialId: string
    publicKey: string
    counter: number
    transports: string[]
    rpId: string
    synced: boolean
    name: string
    at: string
  }) => sql`
    insert into passkeys (id, organisation_id, user_id, credential_id, public_key, counter, transports, rp_id, synced, name, created_at)
    values (${it.id}, ${it.organisationId}, ${it.userId}, ${it.credentialId}, ${it.publicKey}, ${it.counter},
      ${it.transports}::text[], ${it.rpId}, ${it.synced}, ${it.name}, ${it.at})`,
  /** A counter that stands still or goes back is a copied authenticator; those that do not count stay at 0. */
  usePasskey: (it: { id: string; counter: number; synced: boolean; at: string }) => sql<{ id: string }>`
    update passkeys set counter = ${it.counter}, synced = ${it.synced}, last_used_at = ${it.at}
    where id = ${it.id} and (counter < ${it.counter} or (counter = 0 and ${it.counter} = 0)) returning id`,
  renamePasskey: (it: { id: string; name: string }) =>
    sql`update passkeys set name = ${it.name} where id = ${it.id}`,
  dropPasskey: (it: { id: string }) => sql`delete from passkeys where id = ${it.id}`,
  dropPasskeysOf: (it: { userId: string }) => sql`delete from passkeys where user_id = ${it.userId}`,

  addChallenge: (it: {
    hash: string
    purpose: string
    organisationId: string | null
    userId: string | null
    rpId: string
    origin: string
    expiresAt: string
  }) => sql`
    insert into passkey_challenges (hash, purpose, organisation_id, user_id, rp_id, origin, expires_at)
    values (${it.hash}, ${it.purpose}, ${it.organisationId}, ${it.userId}, ${it.rpId}, ${it.origin}, ${it.expiresAt})`,
  useChallenge: (it: {
    hash: string
    purpose: string
    userId: string | null
    now: string
  }) => sql<ChallengeRow>`
    delete from passkey_challenges
    where hash = ${it.hash} and purpose = ${it.purpose} and user_id is not distinct from ${it.userId}::uuid and expires_at > ${it.now}
    returning rp_id, origin`,

  addAttempt: (it: {
    hash: string
    organisationId: string
    userId: string
    method: string
    providerId: string | null
    providerSession: string | null
    expiresAt: string
  }) => sql`
    insert into sign_in_attempts (hash, organisation_id, user_id, method, provider_id, provider_session, expires_at)
    values (${it.hash}, ${it.organisationId}, ${it.userId}, ${it.method}, ${it.providerId}, ${it.providerSession}, ${it.expiresAt})`,
  attempt: (it: { hash: string; now: string; most: number }) => sql<AttemptRow>`
    select user_id, organisation_id, method, provider_id, provider_session, tries from sign_in_attempts
    where hash = ${it.hash} and expires_at > ${it.now} and tries < ${it.most}`,
  /** Counted before the code is looked at, so that many at once count too. */
  countAttempt: (it: { hash: string; now: string; most: number }) => sql<AttemptRow>`
    update sign_in_attempts set tries = tries + 1
    where hash = ${it.hash} and expires_at > ${it.now} and tries < ${it.most}
    returning user_id, organisation_id, method, provider_id, provider_session, tries`,
  useAttempt: (it: { hash: string }) => sql<{ hash: string }>`
    delete from sign_in_attempts where hash = ${it.hash} returning hash`,
  dropAttemptsOf: (it: { userId: string }) => sql`delete from sign_in_attempts where user_id = ${it.userId}`,

  addReset: (it: { hash: string; organisationId: string; userId: string; expiresAt: string }) => sql`
    insert into password_resets (hash, organisation_id, user_id, expires_at)
    values (${it.hash}, ${it.organisationId}, ${it.userId}, ${it.expiresAt})`,
  findReset: (it: { hash: string; now: string }) => sql<{ user_id: string; organisation_id: string }>`
    select user_id, organisation_id from password_resets where hash = ${it.hash} and expires_at > ${it.now}`,
  useReset: (it: { hash: string; now: string }) => sql<{ user_id: string; organisation_id: string }>`
    delete from password_resets where hash = ${it.hash} and expires_at > ${it.now} returning user_id, organisation_id`,
  dropResetsOf: (it: { userId: string }) => sql`delete from password_resets where user_id = ${it.userId}`,

  /** Seeds of people who are no more: a sealed secret does not go with its row. */
  dropLostSeeds: () => sql`
    delete from secrets where secrets.name ~ '^totp(-new)? '
      and not exists (select from users where users.id::text = split_part(secrets.name, ' ', 2))`,
  dropOldChallenges: (it: { now: string }) =>
    sql`delete from passkey_challenges where expires_at <= ${it.now}`,
  dropOldAttempts: (it: { now: string }) => sql`delete from sign_in_attempts where expires_at <= ${it.now}`,
  dropOldResets: (it: { now: string }) => sql`delete from password_resets where expires_at <= ${it.now}`,
}
