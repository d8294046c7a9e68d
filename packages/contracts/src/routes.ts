/** The whole API on one screen: what the server binds, the clients call and the matrix test walks. */
import { catalogRoutes } from './catalog.ts'
import { controllerRoutes } from './controller.ts'
import { identityRoutes } from './identity.ts'
import { localRoutes } from './local.ts'
import { sessionRoutes } from './session.ts'
import { streamRoutes } from './stream.ts'

export const ROUTES = {
  identity: identityRoutes,
  catalog: catalogRoutes,
  sessions: sessionRoutes,
  streams: streamRoutes,
  controllers: controllerRoutes,
  local: localRoutes,
}
