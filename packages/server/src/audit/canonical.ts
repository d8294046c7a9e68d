/** The one form of a row and of a segment's head that is hashed and signed. It never changes; a new one gets a new first word. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { AuditSegment } from '@kalnet/contracts/audit'

/** A row as stored: every field of it. Hashes are hex, 64-bit numbers text, times RFC 3339 UTC with milliseconds. */
export interface StoredRow {
  organisationId: string | null
  xid: string
  seq: string
  id: string
  at: string
  actorKind: string
  userId: string | null
  action: string
  outcome: string
  object: string | null
  details: Record<string, string | number | boolean>
  address: string
  requestId: string
}
export interface Seal {
  position: string
  previous: string
  hash: string
}
/** A segment's head, without its signature and without whether its rows were dropped. */
export interface Head {
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
}

/** What the first row and the first head link to. */
export const ZEROS = '0'.repeat(64)

const sorted = (details: StoredRow['details']) =>
  Object.entries(details).sort(([one], [other]) => (one < other ? -1 : 1))

/** SHA-256, hex, over a JSON array: the form's name, the place, the link, then every field in this order, details sorted by name. */
export const hashOfRow = (row: StoredRow, position: string, previous: string): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        'kalnet.audit.1',
        row.organisationId,
        position,
        previous,
        row.xid,
        row.seq,
        row.id,
        row.at,
        row.actorKind,
        row.userId,
        row.action,
        row.outcome,
        row.object,
        sorted(row.details),
        row.address,
        row.requestId,
      ]),
    )
    .digest('hex')

const headText = (head: Head): string =>
  JSON.stringify([
    'kalnet.audit.head.1',
    head.organisationId,
    head.number,
    head.firstPosition,
    head.count,
    head.previous,
    head.lastHash,
    head.previousHead,
    head.firstAt,
    head.lastAt,
    head.closedAt,
  ])

/** SHA-256, hex: what the next segment's `previousHead` is. */
export const hashOfHead = (head: Head): string => createHash('sha256').update(headText(head)).digest('hex')

/** HMAC-SHA256, hex, by a key that the database alone does not hold. */
export const signHead = (key: Buffer, head: Head): string =>
  createHmac('sha256', key).update(headText(head)).digest('hex')

export const isSigned = (key: Buffer, head: Head, signature: string): boolean => {
  const [given, right] = [Buffer.from(signature, 'hex'), Buffer.from(signHead(key, head), 'hex')]
  return given.length === right.length && timingSafeEqual(given, right)
}

export const headOf = ({ droppedAt: _, signature: __, ...head }: AuditSegment): Head => head
export const lastPosition = (head: Head): bigint => BigInt(head.firstPosition) + BigInt(head.count) - 1n
