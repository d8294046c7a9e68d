/** How the screen was for those who looked: told by their viewers, kept for the latest few. */
import { VIEWINGS_KEPT, type Viewing, viewingRoutes } from '@kalnet/contracts/viewing'
import type { Clock } from '@kalnet/io/clock'
import { type Handler, handle } from '../core/http.ts'
import type { Store } from '../core/store.ts'
import type { Sessions } from './sessions.ts'
import { statements, type ViewingRow } from './viewings.store.ts'

export interface ViewingsOptions {
  store: Store
  clock: Clock
  sessions: Pick<Sessions, 'read'>
}

const shape = (row: ViewingRow): Viewing => ({
  id: row.id,
  userId: row.user_id,
  userName: row.user_name,
  beganAt: row.began_at,
  heardAt: row.heard_at,
  elapsedMs: Number(row.elapsed_ms),
  frames: row.frames,
  bytes: Number(row.bytes),
  keyToPictureMs: row.key_to_picture_ms,
})

export const routesOfViewings = ({ store, clock, sessions }: ViewingsOptions): Handler[] => [
  handle(viewingRoutes.list, async ({ actor, params }) => {
    const session = await sessions.read(actor, params.id)
    const { rows } = await store
      .as(actor.organisationId)
      .read((tx) => statements.list({ sessionId: session.id }).execute(tx))
    return { items: rows.map(shape) }
  }),
  handle(viewingRoutes.tell, async ({ actor, params, body }) => {
    const session = await sessions.read(actor, params.id, 'stream.open')
    const now = clock.now()
    await store.as(actor.organisationId).transaction(async (tx) => {
      await statements
        .tell({
          ...body,
          organisationId: actor.organisationId,
          sessionId: session.id,
          userId: actor.userId,
          beganAt: new Date(now.getTime() - body.elapsedMs),
          now,
        })
        .execute(tx)
      await statements.keepLatest({ sessionId: session.id, count: VIEWINGS_KEPT }).execute(tx)
    })
    return {}
  }),
]
