/** Controllers over HTTP. */
import { controllerRoutes } from '@kalnet/contracts/controller'
import { type Handler, handle } from '../core/http.ts'
import type { Controllers } from './controllers.ts'

export interface ControllerRoutesOptions {
  controllers: Controllers
  /** Cuts the live link of a revoked controller. */
  revoke(controllerId: string): void
  /** The address controllers are told, and for HTTPS by our own authority its fingerprint. */
  address(): { url: string; fingerprint: string | null }
}

export const routesOfControllers = ({ controllers, revoke, address }: ControllerRoutesOptions): Handler[] => [
  handle(controllerRoutes.list, ({ actor, query }) =>
    controllers.list(actor.organisationId, query.after ?? null, query.limit),
  ),
  handle(controllerRoutes.token, async ({ actor, body }) => {
    const made = await controllers.makeToken(actor.organisationId, body.name)
    const { url, fingerprint } = address()
    const trust = fingerprint ? ` --ca-fingerprint ${fingerprint}` : ''
    return { ...made, command: `./kalnet controller --join ${url} --token ${made.token}${trust}` }
  }),
  handle(controllerRoutes.enrol, async ({ body, audit }) => {
    const controllerId = await controllers.enrol(body)
    audit({ name: body.name }, controllerId)
    return { controllerId }
  }),
  handle(controllerRoutes.revoke, async ({ actor, params }) => {
    await controllers.revoke(actor.organisationId, params.id)
    revoke(params.id)
    return {}
  }),
]
