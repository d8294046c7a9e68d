/** Services over HTTP. */

import { id } from '@kalnet/contracts/basics'
import { serviceRoutes } from '@kalnet/contracts/service'
import { serviceSecretRoutes } from '@kalnet/contracts/service-secret'
import { type Handler, handle } from '../core/http.ts'
import { parseInput } from '../core/parse.ts'
import type { Services } from './services.ts'

const place = id.optional()
const idAfter = (query: { after?: string; limit: number }) => ({
  after: parseInput(place, query.after, 'query'),
  limit: query.limit,
})

export const routesOfServices = ({ services }: { services: Services }): Handler[] => [
  handle(serviceRoutes.list, ({ actor, query }) => services.list(actor, query)),
  handle(serviceRoutes.read, ({ actor, params }) => services.read(actor, params.id)),
  handle(serviceRoutes.install, async ({ actor, body, audit }) => {
    audit({ templateId: body.templateId })
    const installed = await services.install(actor, body)
    audit({ name: installed.name }, installed.id)
    return installed
  }),
  handle(serviceRoutes.change, ({ actor, params, body, audit }) => {
    if (body.title !== undefined) audit({ title: body.title })
    if (body.replicas !== undefined) audit({ replicas: body.replicas })
    return services.change(actor, params.id, body)
  }),
  handle(serviceRoutes.start, ({ actor, params }) => services.start(actor, params.id)),
  handle(serviceRoutes.stop, ({ actor, params }) => services.stop(actor, params.id)),
  handle(serviceRoutes.finish, ({ actor, params }) => services.finish(actor, params.id)),
  handle(serviceRoutes.restart, ({ actor, params }) => services.restart(actor, params.id)),
  handle(serviceRoutes.update, async ({ actor, params, body, audit }) => {
    if (body.release !== undefined) audit({ back: body.release })
    const { service, release } = await services.update(actor, params.id, body)
    audit({ release })
    return service
  }),
  handle(serviceRoutes.remove, async ({ actor, params, query, audit }) => {
    audit({ data: query.data })
    const { name } = await services.remove(actor, params.id, query.data)
    audit({ name })
    return {}
  }),
  handle(serviceRoutes.logs, async ({ actor, params, query, signal }) => ({
    lines: await services.logs(actor, params.id, query, signal),
  })),
  handle(serviceSecretRoutes.list, async ({ actor, params }) => ({
    items: await services.secretsOf(actor, params.id),
  })),
  handle(serviceSecretRoutes.show, async ({ actor, params, audit }) => {
    audit({ name: params.name })
    return { secret: await services.showSecret(actor, params.id, params.name) }
  }),
  handle(serviceRoutes.history, ({ actor, params, query }) =>
    services.history(actor, params.id, idAfter(query)),
  ),
  handle(serviceRoutes.releases, ({ actor, params, query }) =>
    services.releases(actor, params.id, idAfter(query)),
  ),
  handle(serviceRoutes.deployments, ({ actor, query }) => services.releases(actor, null, idAfter(query))),
]
