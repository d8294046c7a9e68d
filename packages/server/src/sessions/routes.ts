/** Sessions over HTTP. */
import { sessionRoutes } from '@kalnet/contracts/session'
import type { Hub } from '../controllers/hub.ts'
import { type Handler, handle } from '../core/http.ts'
import type { Sessions } from './sessions.ts'
import type { createThumbnails } from './thumbnails.ts'

const LOG_LINES = 500

export interface SessionRoutesOptions {
  sessions: Sessions
  logs: Hub['readLogs']
  thumbnail: ReturnType<typeof createThumbnails>
}

export const routesOfSessions = ({ sessions, logs, thumbnail }: SessionRoutesOptions): Handler[] => [
  handle(sessionRoutes.list, ({ actor, query }) => sessions.list(actor, query)),
  handle(sessionRoutes.read, ({ actor, params }) => sessions.show(actor, params.id)),
  handle(sessionRoutes.launch, async ({ actor, body, audit }) => {
    const launched = await sessions.launch(actor, body)
    audit({ templateId: launched.templateId, platform: launched.platform ?? '' }, launched.id)
    return launched
  }),
  handle(sessionRoutes.stop, ({ actor, params }) => sessions.stop(actor, params.id)),
  handle(sessionRoutes.restart, ({ actor, params }) => sessions.restart(actor, params.id)),
  handle(sessionRoutes.hibernate, ({ actor, params }) => sessions.hibernate(actor, params.id)),
  handle(sessionRoutes.wake, ({ actor, params }) => sessions.wake(actor, params.id)),
  handle(sessionRoutes.keepAwake, ({ actor, params }) => sessions.keepAwake(actor, params.id)),
  handle(sessionRoutes.remove, async ({ actor, params }) => {
    await sessions.remove(actor, params.id)
    return {}
  }),
  handle(sessionRoutes.logs, async ({ actor, params, signal }) => {
    const session = await sessions.read(actor, params.id)
    // An ended session's last lines are kept with it; a running one's are its controller's.
    if (['failed', 'hibernated'].includes(session.state) || !session.controllerId)
      return { lines: session.logTail }
    return { lines: await logs(session.controllerId, session.instanceId, LOG_LINES, signal) }
  }),
  handle(sessionRoutes.firstFrame, async ({ actor, params }) => {
    await sessions.read(actor, params.id, 'stream.open')
    await sessions.reached(params.id, 'firstFrame')
    return {}
  }),
  handle(sessionRoutes.thumbnail, async ({ actor, params }) =>
    thumbnail(await sessions.read(actor, params.id, 'stream.open')),
  ),
]
