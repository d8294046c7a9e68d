/** Viewings: what each look at a screen was like, as the viewer that drew it measured. */
import { z } from 'zod'
import { byId, id, nothing, time } from './basics.ts'
import { route } from './route.ts'

/** A viewer says how it was this often, and once more when it leaves. */
export const VIEWING_EVERY_MS = 30_000
/** Of one session; older ones go. */
export const VIEWINGS_KEPT = 20

/** Counted since the viewing began; a later word of the same viewing replaces the earlier one. */
const measured = {
  elapsedMs: z
    .number()
    .int()
    .min(1)
    .max(31 * 86_400_000),
  /** Whole pictures drawn. */
  frames: z.number().int().min(0).max(1_000_000_000),
  /** Received by the viewer. */
  bytes: z
    .number()
    .int()
    .min(0)
    .max(2 ** 50),
  /** Median time from a key to the next picture; null: no key was answered by one. */
  keyToPictureMs: z.number().min(0).max(60_000).nullable(),
}
export const viewingBody = z.strictObject({ id, ...measured })

export const viewing = z.strictObject({
  id,
  userId: id,
  userName: z.string(),
  beganAt: time,
  /** When it was last heard of. */
  heardAt: time,
  ...measured,
})
export type Viewing = z.infer<typeof viewing>

export const viewingRoutes = {
  list: route({
    method: 'GET',
    path: '/api/sessions/:id/viewings',
    permission: 'session.read',
    summary: 'How its screen was for those who looked, latest first: pictures, bytes, key to picture',
    params: byId,
    query: nothing,
    body: nothing,
    answer: z.strictObject({ items: z.array(viewing) }),
    audit: null,
  }),
  tell: route({
    method: 'POST',
    path: '/api/sessions/:id/viewings',
    permission: 'stream.open',
    summary: 'A viewer says how it was so far',
    params: byId,
    query: nothing,
    body: viewingBody,
    answer: nothing,
    audit: null,
  }),
}
