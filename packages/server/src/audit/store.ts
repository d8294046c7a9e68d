/** The statements of the audit: rows are added, sealed once, read; only a pending row's details are completed. */
import { sql } from '../core/store.ts'

export interface AuditRow {
  id: string
  organisationId: string | null
  at: string
  actorKind: string
  userId: string | null
  action: string
  outcome: string
  object: string | null
  details: string
  address: string
  requestId: string
}
/** A row as it is read: `position` null while it is pending. */
export interface ReadRow {
  xid: string
  seq: string
  id: string
  organisation_id: string | null
  at: string
  actor_kind: string
  user_id: string | null
  action: string
  outcome: string
  object: string | null
  details: Record<string, string | number | boolean>
  address: string
  request_id: string
}
export interface SealedRow extends ReadRow {
  user_name: string | null
  position: string | null
  previous: string | null
  hash: string | null
}
export interface SegmentRow {
  organisation_id: string | null
  number: number
  first_position: string
  count: number
  previous: string
  last_hash: string
  previous_head: string
  first_at: string
  last_at: string
  closed_at: string | null
  dropped_at: string | null
  signature: string
}
/** Of a chain, row by row in its order: the seal, and the row it belongs to where there is one. */
export interface ChainRow extends Omit<ReadRow, 'id'> {
  id: string | null
  position: string
  previous: string
  hash: string
}
export interface Segment {
  organisationId: string | null
  number: number
  firstPosition: string
  count: number
  previous: string
  lastHash: string
  previousHead: string
  firstAt: string
  lastAt: string
  closedAt: string | null
  signature: string
}
export interface Wanted {
  organisationId: string | null
  afterXid: string | null
  afterSeq: string | null
  actor: string | null
  action: string | null
  /** `session.` as the pattern `session.%`. */
  actionLike: string | null
  object: string | null
  outcome: string | null
  refused: true | null
  from: string | null
  to: string | null
  /** As tsquery. */
  words: string | null
  /** Nothing but times, close together: rows are found by time first. Else the planner walks the whole year back to them. */
  narrow: true | null
  limit: number
}

const ROW = sql.raw(
  'audit.xid::text as xid, audit.seq, audit.id, audit.organisation_id, audit.at, audit.actor_kind, audit.user_id, audit.action, audit.outcome, audit.object, audit.details, audit.address, audit.request_id',
)
const SEGMENT = sql.raw(
  "organisation_id, number, first_position, count, encode(previous, 'hex') as previous, encode(last_hash, 'hex') as last_hash, encode(previous_head, 'hex') as previous_head, first_at, last_at, closed_at, dropped_at, encode(signature, 'hex') as signature",
)
const inChain = (column: string, organisationId: string | null) =>
  organisationId === null ? sql.raw(`${column} is null`) : sql`${sql.raw(column)} = ${organisationId}::uuid`

const conditions = (it: Omit<Wanted, 'limit' | 'afterXid' | 'afterSeq'>) => sql`
    ${inChain('audit.organisation_id', it.organisationId)}
    ${it.actor === null ? sql`` : sql`and audit.user_id = ${it.actor}::uuid`}
    ${it.action === null ? sql`` : sql`and audit.action = ${it.action}`}
    ${it.actionLike === null ? sql`` : sql`and audit.action like ${it.actionLike}`}
    ${it.object === null ? sql`` : sql`and audit.object = ${it.object}`}
    ${it.outcome === null ? sql`` : sql`and audit.outcome = ${it.outcome}`}
    ${it.refused === null ? sql`` : sql`and audit.outcome <> 'done'`}
    ${it.from === null ? sql`` : sql`and audit.at >= ${it.from}::timestamptz`}
    ${it.to === null ? sql`` : sql`and audit.at <= ${it.to}::timestamptz`}
    ${
      it.words === null
        ? sql``
        : sql`and kalnet_audit_words(audit.action, audit.outcome, audit.object, audit.address, audit.details) @@ ${it.words}::tsquery`
    }`
const WITH_SEAL = sql.raw(
  "users.name as user_name, seal.position, encode(seal.previous, 'hex') as previous, encode(seal.hash, 'hex') as hash",
)

/** Always with an order and a limit: else the planner, who cannot know that there is next to nothing, looks at every row. */
const AFTER_THE_SEALED = sql.raw(
  '(audit.xid, audit.seq) > ((select sealed_xid from audit_sealer), (select sealed_seq from audit_sealer))',
)

export const statements = {
  add: (it: AuditRow) => sql`
    insert into audit (id, organisation_id, at, actor_kind, user_id, action, outcome, object, details, address, request_id)
    values (${it.id}, ${it.organisationId}, ${it.at}, ${it.actorKind}, ${it.userId}, ${it.action}, ${it.outcome},
      ${it.object}, ${it.details}::jsonb, ${it.address}, ${it.requestId})`,
  /** Waits while rows are being sealed, and keeps the sealer waiting until this transaction ends. */
  beforeSealing: () => sql`select from audit_sealer for share`,
  onlyOneKey: () => sql`select pg_advisory_xact_lock(728364505)`,
  /** Nothing when it is sealed already. */
  complete: (it: { id: string; object: string | null; details: string }) => sql<{ id: string }>`
    update audit set object = ${it.object}, details = ${it.details}::jsonb
    where id = ${it.id} and not exists (select from audit_seals as seal where seal.xid = audit.xid and seal.seq = audit.seq)
    returning id`,

  waiting: () => sql<{ waiting: boolean }>`
    select (
      select audit.xid from audit where ${AFTER_THE_SEALED} and audit.xid < pg_snapshot_xmin(pg_current_snapshot())
      order by audit.xid, audit.seq limit 1
    ) is not null as waiting`,
  /** The lease: ours, or nobody's, or run out by the database's own clock. Its row is locked until the transaction ends. */
  lease: (it: { holder: string; leaseMs: number }) => sql<{
    epoch: string
    sealed_xid: string
    sealed_seq: string
  }>`
    update audit_sealer set
      epoch = case when holder = ${it.holder}::uuid then epoch else epoch + 1 end, holder = ${it.holder}::uuid,
      until = clock_timestamp() + ${it.leaseMs}::int * interval '1 millisecond'
    where holder is null or holder = ${it.holder}::uuid or until < clock_timestamp()
    returning epoch, sealed_xid::text as sealed_xid, sealed_seq`,
  release: (it: { holder: string }) => sql`
    update audit_sealer set holder = null, until = '-infinity' where holder = ${it.holder}::uuid`,
  /** Nothing older can still appear: below the oldest running transaction. Ordered by the table's own xid, not by its text. */
  unsealed: (it: { xid: string; seq: string; limit: number }) => sql<ReadRow>`
    select ${ROW} from audit
    where (xid, seq) > (${it.xid}::xid8, ${it.seq}::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
    order by audit.xid, audit.seq limit ${it.limit}::int`,
  lastSegment: (it: { organisationId: string | null }) => sql<SegmentRow & { last_position: string | null }>`
    select ${SEGMENT}, (select max(position) from audit_seals where ${inChain('organisation_id', it.organisationId)}) as last_position
    from audit_segments where ${inChain('organisation_id', it.organisationId)} order by number desc limit 1`,
  seal: (it: {
    organisationId: string | null
    firstPosition: string
    xids: string[]
    seqs: string[]
    previous: string[]
    hashes: string[]
  }) => sql`
    insert into audit_seals (organisation_id, position, xid, seq, previous, hash)
    select ${it.organisationId}::uuid, ${it.firstPosition}::bigint + at - 1, xid::xid8, seq::bigint, decode(previous, 'hex'), decode(hash, 'hex')
    from unnest(${it.xids}::text[], ${it.seqs}::text[], ${it.previous}::text[], ${it.hashes}::text[])
      with ordinality as given (xid, seq, previous, hash, at)`,
  putSegment: (it: Segment) => sql`
    insert into audit_segments (organisation_id, number, first_position, count, previous, last_hash, previous_head,
      first_at, last_at, closed_at, signature)
    values (${it.organisationId}::uuid, ${it.number}::int, ${it.firstPosition}::bigint, ${it.count}::int, decode(${it.previous}, 'hex'),
      decode(${it.lastHash}, 'hex'), decode(${it.previousHead}, 'hex'), ${it.firstAt}::timestamptz, ${it.lastAt}::timestamptz,
      ${it.closedAt}::timestamptz, decode(${it.signature}, 'hex'))
    on conflict (organisation_id, number) do update set count = excluded.count, last_hash = excluded.last_hash,
      last_at = excluded.last_at, closed_at = excluded.closed_at, signature = excluded.signature`,
  sealedUpTo: (it: { xid: string; seq: string }) => sql`
    update audit_sealer set sealed_xid = ${it.xid}::xid8, sealed_seq = ${it.seq}::bigint`,
  openSegments: (it: { before: string }) => sql<SegmentRow>`
    select ${SEGMENT} from audit_segments as segment where closed_at is null and first_at < ${it.before}::timestamptz
      and not exists (select from audit_segments as later where later.number > segment.number
        and later.organisation_id is not distinct from segment.organisation_id)`,
  /** The oldest of each chain that is still there, when it is closed and old enough. */
  dueSegments: (it: { now: string; defaultDays: number }) => sql<{
    organisation_id: string | null
    number: number
  }>`
    select segment.organisation_id, segment.number from audit_segments as segment
      left join audit_settings as setting on setting.organisation_id = segment.organisation_id
    where segment.closed_at is not null and segment.dropped_at is null
      and segment.last_at < ${it.now}::timestamptz - coalesce(setting.retention_days, ${it.defaultDays}::int) * interval '1 day'
      and not exists (select from audit_segments as before where before.dropped_at is null and before.number < segment.number
        and before.organisation_id is not distinct from segment.organisation_id)`,
  dropSegment: (it: { organisationId: string | null; number: number }) => sql<{ gone: number }>`
    select kalnet_drop_audit_segment(${it.organisationId}::uuid, ${it.number}::int) as gone`,

  chains: () => sql<{ organisation_id: string | null }>`
    select distinct organisation_id from audit_segments
    union select id from organisations union select null::uuid`,
  segments: (it: { organisationId: string | null; newest: number }) => sql<SegmentRow>`
    select * from (select ${SEGMENT} from audit_segments where ${inChain('organisation_id', it.organisationId)}
      order by number desc limit ${it.newest}::int) as newest order by number`,
  /** In the chain's order; a seal whose row is gone comes without one. */
  chain: (it: { organisationId: string | null; after: string; limit: number }) => sql<ChainRow>`
    select ${ROW}, seal.xid::text as xid, seal.seq, seal.position, encode(seal.previous, 'hex') as previous, encode(seal.hash, 'hex') as hash
    from audit_seals as seal left join audit on audit.xid = seal.xid and audit.seq = seal.seq
    where ${inChain('seal.organisation_id', it.organisationId)} and seal.position > ${it.after}::bigint
    order by seal.position limit ${it.limit}::int`,
  /** A row that stands where everything is sealed, and is not: it was slipped in. */
  slippedIn: (it: { organisationId: string | null }) => sql<{ id: string }>`
    select audit.id from audit, audit_sealer where ${inChain('audit.organisation_id', it.organisationId)}
      and (audit.xid, audit.seq) <= (sealed_xid, sealed_seq)
      and not exists (select from audit_seals as seal where seal.xid = audit.xid and seal.seq = audit.seq)
    order by audit.xid, audit.seq limit 1`,
  pending: (it: { organisationId: string | null }) => sql<{ pending: number }>`
    select count(*)::int as pending from (
      select from audit where ${inChain('audit.organisation_id', it.organisationId)} and ${AFTER_THE_SEALED}
      order by audit.xid, audit.seq limit 10000
    ) as waiting`,

  /** Newest first. */
  search: (it: Wanted) => sql<SealedRow>`
    select ${ROW}, ${WITH_SEAL}
    from (
      ${
        it.narrow === null
          ? sql`select * from audit`
          : sql`with within as materialized (
              select xid, seq from audit where ${inChain('audit.organisation_id', it.organisationId)}
                and at >= ${it.from}::timestamptz and at <= coalesce(${it.to}::timestamptz, 'infinity')
            ), newest as (
              select xid, seq from within where ${it.afterXid}::xid8 is null or (xid, seq) < (${it.afterXid}::xid8, ${it.afterSeq}::bigint)
              order by xid desc, seq desc limit ${it.limit}::int
            ) select audit.* from newest join audit using (xid, seq)`
      }
      where ${conditions(it)}
        ${it.afterXid === null ? sql`` : sql`and (audit.xid, audit.seq) < (${it.afterXid}::xid8, ${it.afterSeq}::bigint)`}
      order by audit.xid desc, audit.seq desc limit ${it.limit}::int
    ) as audit
      left join users on users.id = audit.user_id
      left join audit_seals as seal on seal.xid = audit.xid and seal.seq = audit.seq
    order by audit.xid desc, audit.seq desc`,
  /** Oldest first, up to and with a place. */
  walk: (it: Wanted & { upToXid: string; upToSeq: string }) => sql<SealedRow>`
    select ${ROW}, ${WITH_SEAL}
    from (
      select * from audit where ${conditions(it)}
        ${it.afterXid === null ? sql`` : sql`and (audit.xid, audit.seq) > (${it.afterXid}::xid8, ${it.afterSeq}::bigint)`}
        and (audit.xid, audit.seq) <= (${it.upToXid}::xid8, ${it.upToSeq}::bigint)
      order by audit.xid, audit.seq limit ${it.limit}::int
    ) as audit
      left join users on users.id = audit.user_id
      left join audit_seals as seal on seal.xid = audit.xid and seal.seq = audit.seq
    order by audit.xid, audit.seq`,
  /** The newest row that nothing older can join any more. */
  newest: () => sql<{ xid: string; seq: string }>`
    select xid::text as xid, seq from audit where xid < pg_snapshot_xmin(pg_current_snapshot())
    order by audit.xid desc, audit.seq desc limit 1`,
  /** What things are called, of the kinds that rows are about. */
  names: (it: { ids: string[] }) => sql<{ id: string; name: string }>`
    select id::text, name from users where id = any(${it.ids}::uuid[])
    union all select id::text, name from sessions where id = any(${it.ids}::uuid[])
    union all select id::text, name from controllers where id = any(${it.ids}::uuid[])
    union all select id::text, title from services where id = any(${it.ids}::uuid[])
    union all select id::text, name from groups where id = any(${it.ids}::uuid[])`,
  firstOrganisation: () => sql<{ id: string }>`select id from organisations order by created_at, id limit 1`,

  retention: (it: { organisationId: string }) => sql<{ retention_days: number }>`
    select retention_days from audit_settings where organisation_id = ${it.organisationId}::uuid`,
  setRetention: (it: { organisationId: string; days: number }) => sql`
    insert into audit_settings (organisation_id, retention_days) values (${it.organisationId}::uuid, ${it.days}::int)
    on conflict (organisation_id) do update set retention_days = excluded.retention_days`,
}
