/** SQL of certificates, their orders and what the authority asks to be shown. */
import type { ChallengeKind } from '@kalnet/contracts/certificate'
import { sql } from '../core/store.ts'

export interface CertificateRow {
  id: string
  organisation_id: string
  source: 'own' | 'acme'
  names: string[]
  state: 'ordering' | 'valid' | 'failed' | 'revoked'
  chain: string | null
  issuer: string | null
  serial: string | null
  fingerprint: string | null
  key_type: string | null
  not_before: string | null
  not_after: string | null
  challenge: ChallengeKind | null
  step: Step | null
  order_url: string | null
  failures: number
  problem: string | null
  next_at: string | null
  created_at: string
  changed_at: string
}
export type Step = 'order' | 'challenge' | 'finalize' | 'download'
export interface ChallengeRow {
  certificate_id: string
  kind: ChallengeKind
  name: string
  token: string
  answer: string
}
/** What a certificate that is there says about itself. */
export interface Facts {
  chain: string
  issuer: string
  serial: string
  fingerprint: string
  keyType: string
  notBefore: string
  notAfter: string
}

const columns = sql`id, organisation_id, source, names, state, chain, issuer, serial, fingerprint, key_type, not_before,
  not_after, challenge, step, order_url, failures, problem, next_at, created_at, changed_at`

export const statements = {
  list: (it: { after: string | null; limit: number }) => sql<CertificateRow>`
    select ${columns} from certificates where ${it.after}::uuid is null or id < ${it.after}::uuid
    order by id desc limit ${it.limit}`,
  byId: (it: { id: string }) => sql<CertificateRow>`select ${columns} from certificates where id = ${it.id}`,
  lock: (it: { id: string }) => sql<CertificateRow>`
    select ${columns} from certificates where id = ${it.id} for update`,
  /** All that may be served now. */
  served: (it: { now: string }) => sql<CertificateRow>`
    select ${columns} from certificates where state = 'valid' and chain is not null and not_after > ${it.now}`,
  count: () => sql<{ count: number }>`select count(*)::int as count from certificates`,
  add: (it: {
    id: string
    organisationId: string
    source: string
    names: string[]
    state: string
    challenge: string | null
    step: string | null
    nextAt: string | null
    at: string
  }) => sql`
    insert into certificates (id, organisation_id, source, names, state, challenge, step, next_at, created_at, changed_at)
    values (${it.id}, ${it.organisationId}, ${it.source}, ${it.names}::text[], ${it.state}, ${it.challenge}, ${it.step},
      ${it.nextAt}::timestamptz, ${it.at}, ${it.at})`,
  /** It is there, or there anew: what was said about the one before is over. */
  given: (it: Facts & { id: string; nextAt: string | null; at: string }) => sql`
    update certificates set state = 'valid', chain = ${it.chain}, issuer = ${it.issuer}, serial = ${it.serial},
      fingerprint = ${it.fingerprint}, key_type = ${it.keyType}, not_before = ${it.notBefore}, not_after = ${it.notAfter},
      step = null, order_url = null, failures = 0, problem = null, next_at = ${it.nextAt}::timestamptz, alerted_at = null,
      changed_at = ${it.at}
    where id = ${it.id}`,
  /** The next step of its order, when it is due. */
  move: (it: {
    id: string
    step: string
    orderUrl: string | null
    state: string
    failures: number
    nextAt: string
    at: string
  }) => sql`
    update certificates set step = ${it.step}, order_url = ${it.orderUrl}, state = ${it.state}, failures = ${it.failures},
      next_at = ${it.nextAt}, changed_at = ${it.at}
    where id = ${it.id}`,
  /** Nothing new: looked at again then. */
  rest: (it: { id: string; nextAt: string }) => sql`
    update certificates set next_at = ${it.nextAt}, leased_until = null where id = ${it.id}`,
  /** The step broke: the same one is done again then. */
  again: (it: { id: string; problem: string; nextAt: string }) => sql`
    update certificates set failures = failures + 1, problem = ${it.problem}, next_at = ${it.nextAt} where id = ${it.id}`,
  failed: (it: { id: string; state: string; problem: string; nextAt: string; at: string }) => sql`
    update certificates set state = ${it.state}, step = null, order_url = null, failures = failures + 1,
      problem = ${it.problem}, next_at = ${it.nextAt}, changed_at = ${it.at}
    where id = ${it.id}`,
  revoked: (it: { id: string; at: string }) => sql`
    update certificates set state = 'revoked', step = null, order_url = null, problem = null, next_at = null,
      changed_at = ${it.at}
    where id = ${it.id}`,
  remove: (it: { id: string }) => sql`delete from certificates where id = ${it.id}`,

  /** One that is due, for us alone until then. */
  lease: (it: { now: string; until: string }) => sql<CertificateRow>`
    update certificates set leased_until = ${it.until} where id = (
      select id from certificates
      where next_at <= ${it.now} and (leased_until is null or leased_until <= ${it.now})
      order by next_at limit 1 for update skip locked)
    returning ${columns}`,
  release: (it: { id: string }) => sql`update certificates set leased_until = null where id = ${it.id}`,
  /** When something is due next; null: nothing is. */
  nextDue: () => sql<{ at: string | null }>`
    select min(greatest(next_at, leased_until)) as at from certificates where next_at is not null`,

  /** Those about to end that nobody was told of, marked as told. */
  alert: (it: { before: string; now: string }) => sql<CertificateRow>`
    update certificates set alerted_at = ${it.now}, changed_at = ${it.now}
    where alerted_at is null and state = 'valid' and not_after < ${it.before}
    returning ${columns}`,
  stewards: (it: { organisationId: string }) => sql<{ name: string; email: string }>`
    select name, email from users
    where organisation_id = ${it.organisationId} and kind = 'person' and state = 'active' and role in ('owner', 'admin')
      and email is not null`,

  challenges: () => sql<ChallengeRow>`
    select certificate_id, kind, name, token, answer from certificate_challenges order by name, token`,
  addChallenge: (it: {
    certificateId: string
    organisationId: string
    kind: string
    name: string
    token: string
    answer: string
  }) => sql`
    insert into certificate_challenges (certificate_id, organisation_id, kind, name, token, answer)
    values (${it.certificateId}, ${it.organisationId}, ${it.kind}, ${it.name}, ${it.token}, ${it.answer})
    on conflict (certificate_id, name, token) do update set answer = excluded.answer`,
  dropChallenges: (it: { certificateId: string }) => sql`
    delete from certificate_challenges where certificate_id = ${it.certificateId}`,

  /** Which service an instance is, and by what names the links of others lead to it: of its other parts, and of services that need it. */
  subject: (it: { id: string }) => sql<{ name: string; part: string; called: string[] }>`
    select services.name, mine.part, array(
      select link ->> 'name' from releases,
          jsonb_path_query(releases.content, '$.template.parts[*].links[*]') as link
        where releases.service_id = services.id and releases.number = mine.release_number
          and link ->> 'part' = mine.part
      union
      select link ->> 'name' from service_dependencies as needing
          join services as other on other.id = needing.service_id
          join releases on releases.service_id = other.id and releases.state in ('live', 'rolling'),
          jsonb_path_query(releases.content, '$.template.parts[*].links[*]') as link
        where needing.needs_id = services.id and link ->> 'dependency' = needing.name
      union
      select needing.name from service_dependencies as needing where needing.needs_id = services.id
      order by 1) as called
    from service_instances as mine join services on services.id = mine.service_id
    where mine.id = ${it.id}`,

  firstOrganisation: () => sql<{ id: string }>`select id from organisations order by created_at, id limit 1`,
  lockAuthority: (it: { name: string }) => sql`select pg_advisory_xact_lock(hashtextextended(${it.name}, 0))`,
}
