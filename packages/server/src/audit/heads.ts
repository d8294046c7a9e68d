/** The key that signs heads, and how segments are read. The key is a secret of the installation, sealed under the master key. */
import { randomBytes } from 'node:crypto'
import type { AuditSegment } from '@kalnet/contracts/audit'
import type { Secrets } from '../core/secrets.ts'
import type { Store } from '../core/store.ts'
import { type SegmentRow, statements } from './store.ts'

const NAME = 'audit.head-key'

/** Made once for the installation; two servers that start together end with one key. */
export async function headKey(store: Store, secrets: Secrets): Promise<Buffer> {
  return store.system.transaction(async (tx) => {
    await statements.onlyOneKey().execute(tx)
    const known = await secrets.get(tx, null, NAME)
    if (known !== null) return Buffer.from(known, 'base64')
    const key = randomBytes(32)
    await secrets.put(tx, null, NAME, key.toString('base64'))
    return key
  })
}

export const shapeSegment = (row: SegmentRow): AuditSegment => ({
  organisationId: row.organisation_id,
  number: row.number,
  firstPosition: row.first_position,
  count: row.count,
  previous: row.previous,
  lastHash: row.last_hash,
  previousHead: row.previous_head,
  firstAt: row.first_at,
  lastAt: row.last_at,
  closedAt: row.closed_at,
  droppedAt: row.dropped_at,
  signature: row.signature,
})
