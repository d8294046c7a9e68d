/** Walking a chain: each row and each head must be the next, link to the one before, and be what its hash says. Reads nothing itself. */
import type { AuditBreak, AuditSegment } from '@kalnet/contracts/audit'
import {
  hashOfHead,
  hashOfRow,
  headOf,
  isSigned,
  lastPosition,
  type Seal,
  type StoredRow,
  ZEROS,
} from './canonical.ts'

export type Found = Omit<AuditBreak, 'segment'>
export const broken = (
  problem: Found['problem'],
  position: string | null,
  id: string | null,
  message: string,
): Found => ({
  problem,
  position,
  id,
  message,
})

/** A row with its seal; `stored` null: the seal is there, the row is gone. */
export interface WalkedRow extends Seal {
  stored: StoredRow | null
}

/** Walks rows in their order; each must be the next one, link to the one before, and be what its hash says. */
export function createWalk(start: { position: bigint; hash: string }) {
  let place = start.position
  let last = start.hash
  let before: { xid: bigint; seq: bigint } | null = null
  return {
    end: () => ({ position: place - 1n, hash: last }),
    step(row: WalkedRow): Found | null {
      const position = String(place)
      if (row.position !== position)
        return BigInt(row.position) > place
          ? broken('missing', position, null, `The row at place ${position} is gone.`)
          : broken(
              'inserted',
              row.position,
              row.stored?.id ?? null,
              `There is a second row at place ${row.position}.`,
            )
      const { stored } = row
      if (stored === null) return broken('missing', position, null, `The row at place ${position} is gone.`)
      const { id } = stored
      if (row.previous !== last)
        return broken(
          'order',
          position,
          id,
          `The row at place ${position} does not follow the one before it.`,
        )
      if (hashOfRow(stored, position, last) !== row.hash)
        return broken(
          'changed',
          position,
          id,
          `The row at place ${position} was changed after it was sealed.`,
        )
      const here = { xid: BigInt(stored.xid), seq: BigInt(stored.seq) }
      if (before && (here.xid < before.xid || (here.xid === before.xid && here.seq <= before.seq)))
        return broken('order', position, id, `The row at place ${position} is older than the one before it.`)
      before = here
      last = row.hash
      place += 1n
      return null
    },
  }
}

/** The heads among themselves: numbered through, linked, signed (not asked without the key). */
export function checkHead(
  head: AuditSegment,
  before: AuditSegment | null,
  key: Buffer | null,
): Omit<AuditBreak, 'id' | 'segment'> | null {
  const at = (problem: AuditBreak['problem'], message: string) => ({
    problem,
    position: head.firstPosition,
    message,
  })
  const number = (before?.number ?? 0) + 1
  if (head.number !== number) return at('missing', `The head of segment ${number} is gone.`)
  if (key && !isSigned(key, headOf(head), head.signature))
    return at('signature', `The head of segment ${head.number} was not signed by this installation.`)
  const fits =
    head.firstPosition === String(before ? lastPosition(before) + 1n : 1n) &&
    head.previous === (before?.lastHash ?? ZEROS) &&
    head.previousHead === (before ? hashOfHead(headOf(before)) : ZEROS)
  return fits ? null : at('head', `Segment ${head.number} does not follow segment ${number - 1}.`)
}
