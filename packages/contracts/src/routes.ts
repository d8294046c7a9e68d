/** The whole API on one screen: what the server binds, the clients call and the matrix test walks. */
import { appRoutes } from './app.ts'
import { auditRoutes, keeperRoutes } from './audit.ts'
import { catalogRoutes } from './catalog.ts'
import { certificateRoutes } from './certificate.ts'
import { controllerRoutes } from './controller.ts'
import { dashboardRoutes } from './dashboard.ts'
import { linkedRoutes, providerRoutes } from './federation-routes.ts'
import { forwardRoutes } from './forward.ts'
import { gatewayRoutes } from './gateway.ts'
import { joinedRoutes } from './gateway-joined.ts'
import { identityRoutes } from './identity.ts'
import { invitationRoutes, organisationRoutes } from './invitation.ts'
import { keyRoutes } from './key.ts'
import { localRoutes } from './local.ts'
import { groupRoutes, peopleRoutes } from './people.ts'
import { registryRoutes } from './registry.ts'
import { scimRoutes } from './scim.ts'
import { serviceRoutes } from './service.ts'
import { serviceSecretRoutes } from './service-secret.ts'
import { sessionRoutes } from './session.ts'
import { signInRoutes } from './sign-in.ts'
import { streamRoutes } from './stream.ts'
import { useRoutes } from './use.ts'
import { viewingRoutes } from './viewing.ts'

export const ROUTES = {
  identity: identityRoutes,
  signIn: signInRoutes,
  catalog: catalogRoutes,
  sessions: sessionRoutes,
  viewings: viewingRoutes,
  uses: useRoutes,
  streams: streamRoutes,
  services: serviceRoutes,
  serviceSecrets: serviceSecretRoutes,
  registry: registryRoutes,
  gateway: gatewayRoutes,
  joinedGateways: joinedRoutes,
  dashboard: dashboardRoutes,
  certificates: certificateRoutes,
  controllers: controllerRoutes,
  keys: keyRoutes,
  scim: scimRoutes,
  people: peopleRoutes,
  groups: groupRoutes,
  invitations: invitationRoutes,
  organisations: organisationRoutes,
  audit: auditRoutes,
  keepers: keeperRoutes,
  providers: providerRoutes,
  linkedAccounts: linkedRoutes,
  apps: appRoutes,
  forwards: forwardRoutes,
  local: localRoutes,
}
