/** The sealer: of all servers one at a time chains the rows of the audit, in (xid, seq) order, and signs the heads. */
import { backoff, type Clock, stamp } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import type { Events } from '../core/events.ts'
import type { Store, Tx } from '../core/store.ts'
import {
  type Head,
  hashOfHead,
  hashOfRow,
  headOf,
  isSigned,
  lastPosition,
  type StoredRow,
  signHead,
  ZEROS,
} from './canonical.ts'
import { shapeSegment } from './heads.ts'
import { type ReadRow, statements } from './store.ts'

/** Rows in one transaction: well under a second. */
const BATCH = 500
/** A segment is closed with this many rows, or with its day (UTC). */
export const SEGMENT_ROWS = 10_000
const LEASE_MS = 3_000
/** How often rows of other servers are looked for; our own wake the sealer. */
const LOOK_MS = 500
/** Rows that come together are sealed together. */
const GATHER_MS = 100

export const storedRow = (row: ReadRow): StoredRow => ({
  organisationId: row.organisation_id,
  xid: row.xid,
  seq: row.seq,
  id: row.id,
  at: row.at,
  actorKind: row.actor_kind,
  userId: row.user_id,
  action: row.action,
  outcome: row.outcome,
  object: row.object,
  details: row.details,
  address: row.address,
  requestId: row.request_id,
})

export const dayOf = (time: string) => time.slice(0, 10)

export interface SealerOptions {
  store: Store
  events: Events
  clock: Clock
  log: Log
  key: Buffer
  segmentRows?: number
  /** Of each chain that grew: where its end is now. After the commit. */
  sealed?: (ends: { organisationId: string | null; position: string; hash: string }[]) => void
}
export interface Sealer {
  /** Seals what there is to seal; the number of rows. 0 too when another server has the lease. */
  once(): Promise<number>
  /** Closes what belongs to a day that is over. */
  closeDays(): Promise<number>
  wake(): void
  /** Until the signal; then the lease is given back. */
  run(signal: AbortSignal): Promise<void>
}

export function createSealer(options: SealerOptions): Sealer {
  const { store, events, clock, log, key, segmentRows = SEGMENT_ROWS } = options
  const holder = newId()

  const put = (tx: Tx, head: Head) =>
    statements.putSegment({ ...head, signature: signHead(key, head) }).execute(tx)

  /** The segment that goes on, or null where a chain begins; one whose signature is not ours is left as it was found, for the check to show. */
  async function openSegment(tx: Tx, organisationId: string | null): Promise<Head | null> {
    const row = (await statements.lastSegment({ organisationId }).execute(tx)).rows[0]
    if (!row) return null
    const head = headOf(shapeSegment(row))
    if (isSigned(key, head, row.signature)) return head
    log.error(
      { organisationId, segment: head.number },
      'a head of the audit was not signed by us: see kalnet audit verify',
    )
    const end = row.last_position === null ? 0n : BigInt(row.last_position)
    const next = end > lastPosition(head) ? end + 1n : lastPosition(head) + 1n
    return { ...head, ...blank(head, next), count: 0 }
  }
  const blank = (before: Head, firstPosition: bigint) => ({
    number: before.number + 1,
    firstPosition: String(firstPosition),
    previous: before.lastHash,
    previousHead: hashOfHead(before),
    closedAt: null,
  })

  async function chain(tx: Tx, organisationId: string | null, rows: ReadRow[]) {
    let head = await openSegment(tx, organisationId)
    let place = head ? BigInt(head.firstPosition) + BigInt(head.count) : 1n
    let last = head?.lastHash ?? ZEROS
    const first = place
    const previous: string[] = []
    const hashes: string[] = []
    for (const row of rows) {
      const stored = storedRow(row)
      const hash = hashOfRow(stored, String(place), last)
      previous.push(last)
      hashes.push(hash)
      const full = head && (head.count >= segmentRows || dayOf(row.at) > dayOf(head.firstAt))
      if (head && head.count > 0 && (full || head.closedAt !== null)) {
        const closed: Head = { ...head, closedAt: head.closedAt ?? stamp(clock) }
        if (head.closedAt === null) await put(tx, closed)
        head = { ...closed, ...blank(closed, place), count: 0 }
      }
      head ??= {
        organisationId,
        number: 1,
        firstPosition: '1',
        count: 0,
        previous: ZEROS,
        lastHash: ZEROS,
        previousHead: ZEROS,
        firstAt: row.at,
        lastAt: row.at,
        closedAt: null,
      }
      const begins = head.count === 0
      head = {
        ...head,
        count: head.count + 1,
        lastHash: hash,
        firstAt: begins ? row.at : head.firstAt,
        lastAt: begins || row.at > head.lastAt ? row.at : head.lastAt,
      }
      last = hash
      place += 1n
    }
    await statements
      .seal({
        organisationId,
        firstPosition: String(first),
        xids: rows.map(({ xid }) => xid),
        seqs: rows.map(({ seq }) => seq),
        previous,
        hashes,
      })
      .execute(tx)
    if (head) await put(tx, head)
    const position = String(place - 1n)
    await events.publish(tx, 'audit.sealed', { organisationId, userId: null }, { position })
    return { organisationId, position, hash: last }
  }

  async function batch(): Promise<number> {
    let ends: Awaited<ReturnType<typeof chain>>[] = []
    const count = await store.system.transaction(async (tx) => {
      const lease = (await statements.lease({ holder, leaseMs: LEASE_MS }).execute(tx)).rows[0]
      if (!lease) return 0
      const { rows } = await statements
        .unsealed({ xid: lease.sealed_xid, seq: lease.sealed_seq, limit: BATCH })
        .execute(tx)
      const last = rows.at(-1)
      if (!last) return 0
      const chains = Map.groupBy(rows, (row) => row.organisation_id)
      ends = []
      for (const [organisationId, theirs] of chains) ends.push(await chain(tx, organisationId, theirs))
      await statements.sealedUpTo({ xid: last.xid, seq: last.seq }).execute(tx)
      return rows.length
    })
    if (ends.length > 0) options.sealed?.(ends)
    return count
  }

  async function once(): Promise<number> {
    let total = 0
    for (;;) {
      const { rows } = await store.system.read((tx) => statements.waiting().execute(tx))
      if (!rows[0]?.waiting) return total
      const count = await batch()
      total += count
      if (count === 0) return total
    }
  }

  let awaken: (() => void) | null = null
  /** Looked for at the latest then; sooner when woken. */
  async function rest(signal: AbortSignal): Promise<void> {
    const woken = new AbortController()
    awaken = () => woken.abort()
    try {
      await clock.sleep(LOOK_MS, AbortSignal.any([signal, woken.signal]))
    } catch (error) {
      if (signal.aborted) throw error
      await clock.sleep(GATHER_MS, signal)
    } finally {
      awaken = null
    }
  }

  return {
    once,
    wake: () => awaken?.(),
    async closeDays() {
      return store.system.transaction(async (tx) => {
        if (!(await statements.lease({ holder, leaseMs: LEASE_MS }).execute(tx)).rows[0]) return 0
        const before = `${dayOf(stamp(clock))}T00:00:00.000Z`
        const { rows } = await statements.openSegments({ before }).execute(tx)
        let closed = 0
        for (const row of rows) {
          const head = headOf(shapeSegment(row))
          if (!isSigned(key, head, row.signature)) continue
          await put(tx, { ...head, closedAt: stamp(clock) })
          closed += 1
        }
        return closed
      })
    },
    async run(signal) {
      for (let failures = 0; !signal.aborted; ) {
        try {
          await once()
          failures = 0
          await rest(signal)
        } catch (error) {
          if (signal.aborted) break
          log.warn(
            { problem: error instanceof Error ? error.message : String(error) },
            'could not seal the audit yet; tried again',
          )
          await clock.sleep(backoff(failures++, 200, 10_000), signal).catch(() => undefined)
        }
      }
      // Given back, so that the next server need not wait for it to run out.
      await store.system
        .transaction((tx) => statements.release({ holder }).execute(tx))
        .catch(() => log.debug({}, 'the lease of the sealer runs out by itself'))
    },
  }
}
