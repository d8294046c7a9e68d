/** The statements of the outbox. */
import { sql } from './store.ts'

export interface EventRow {
  xid: string
  seq: string
  type: string
  organisation_id: string | null
  user_id: string | null
  at: string
  data: unknown
}

export const statements = {
  publish: (it: {
    type: string
    organisationId: string | null
    userId: string | null
    at: string
    data: string
  }) => sql`
    with event as (
      insert into events (type, organisation_id, user_id, at, data)
      values (${it.type}, ${it.organisationId}, ${it.userId}, ${it.at}, ${it.data}::jsonb)
    )
    select pg_notify('kalnet_events', '')`,

  /**
   * Committed for good and nothing older can still appear: below the oldest running transaction. Ordered by the table's xid,
   * named in full: `order by xid` would mean the text that is selected, where 999 comes after 1000.
   */
  readAfter: (it: { xid: string; seq: string; limit: number }) => sql<EventRow>`
    select xid::text, seq, type, organisation_id, user_id, at, data
    from events
    where (xid, seq) > (${it.xid}::xid8, ${it.seq}::bigint)
      and xid < pg_snapshot_xmin(pg_current_snapshot())
    order by events.xid, events.seq
    limit ${it.limit}::int`,

  /** Where "now" is, what is gone, and whether committed events wait for an older transaction to end. */
  state: () => sql<{ epoch: string; xmin: string; pruned_xid: string; pruned_seq: string; waiting: boolean }>`
    select epoch, pg_snapshot_xmin(pg_current_snapshot())::text as xmin, pruned_xid::text, pruned_seq,
      exists (select from events where xid >= pg_snapshot_xmin(pg_current_snapshot())) as waiting
    from event_log`,

  /** Removes what is older than the moment, and remembers how far. */
  prune: (it: { before: string }) => sql`
    with gone as (
      delete from events
      where at < ${it.before}::timestamptz and xid < pg_snapshot_xmin(pg_current_snapshot())
      returning xid, seq
    ), furthest as (select xid, seq from gone order by xid desc, seq desc limit 1)
    update event_log set pruned_xid = furthest.xid, pruned_seq = furthest.seq
    from furthest
    where (furthest.xid, furthest.seq) > (event_log.pruned_xid, event_log.pruned_seq)`,

  /** After a restore every cursor handed out before means nothing: readers get a gap. The outbox starts empty. */
  replaceEpoch: (it: { epoch: string }) => sql`
    with emptied as (delete from events)
    update event_log set epoch = ${it.epoch}, pruned_xid = '0', pruned_seq = 0`,
}
