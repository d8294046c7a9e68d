/** Controllers over HTTP. */
import { id } from '@kalnet/contracts/basics'
import { controllerRoutes } from '@kalnet/contracts/controller'
import { type Handler, handle } from '../core/http.ts'
import { parseInput } from '../core/parse.ts'
import type { Controllers } from './controllers.ts'

export interface ControllerRoutesOptions {
  controllers: Controllers
  /** Takes its rows away and cuts its live link. */
  revoke(organisationId: string, controllerId: string): Promise<void>
  /** The address controllers are told, and for HTTPS by our own authority its fingerprint. */
  address(): { url: string; fingerprint: string | null }
}

export const routesOfControllers = ({ controllers, revoke, address }: ControllerRoutesOptions): Handler[] => [
  handle(controllerRoutes.list, ({ actor, query }) =>
    controllers.list(
      actor.organisationId,
      parseInput(id.optional(), query.after, 'query') ?? null,
      query.limit,
    ),
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
    await revoke(actor.organisationId, params.id)
    return {}
  }),
]
