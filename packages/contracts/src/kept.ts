/** What is kept of sessions that do not run: how large a volume is and where, and the sums of a machine. */
import { z } from 'zod'
import { id } from './basics.ts'

const bytes = z.number().int().nonnegative().nullable()
/** Null: not known there. */
export const measuredVolume = { bytes, reservedBytes: bytes, place: z.string().max(500).nullable() }

/** Homes of sessions that sleep or have failed, on one controller. */
export const homesThere = z.strictObject({
  controllerId: id,
  homes: z.number().int(),
  /** Of those that were measured. */
  bytes: z.number().int(),
  /** Set aside for those whose files nobody can measure. */
  reservedBytes: z.number().int(),
  /** How many of them nothing is known of. */
  unknown: z.number().int(),
})
export type HomesThere = z.infer<typeof homesThere>
