/** Registering and looking up over HTTP. */
import { fail } from '@kalnet/contracts/errors'
import { type Found, registryRoutes } from '@kalnet/contracts/registry'
import { type Handler, handle } from '../core/http.ts'
import type { Registrations } from './registrations.ts'
import { isUsable, type RegisteredService, type Registry } from './registry.ts'

/** What is answered for a service is made once and kept while the service stays the same. */
const shown = new WeakMap<RegisteredService, Found>()
function shape(service: RegisteredService): Found {
  const known = shown.get(service)
  if (known) return known
  const { id, name, kind, version, tags, capabilities } = service
  const endpoints = service.endpoints.filter(isUsable).map(({ serviceId: _, ...endpoint }) => endpoint)
  const found = {
    serviceId: id,
    name,
    kind,
    version,
    tags: [...tags],
    capabilities: [...capabilities],
    endpoints,
  }
  shown.set(service, found)
  return found
}

export function routesOfRegistry({
  registry,
  registrations,
}: {
  registry: Pick<Registry, 'lookup' | 'tagged' | 'capable'>
  registrations: Registrations
}): Handler[] {
  return [
    handle(registryRoutes.register, async ({ actor, body, audit, unchanged }) => {
      const done = await registrations.register(actor, body, unchanged)
      audit({ name: body.name, instance: body.instance }, done.serviceId)
      return done
    }),
    handle(registryRoutes.deregister, async ({ actor, params }) => {
      await registrations.deregister(actor, params.id)
      return {}
    }),
    handle(registryRoutes.lookup, async ({ actor, query }) => {
      const { organisationId } = actor
      if (query.name !== undefined) {
        const service = registry.lookup(organisationId, query.name)
        if (!service) throw fail('thing.unknown', { kind: 'service' })
        return { services: [shape(service)] }
      }
      const services =
        query.tag !== undefined
          ? registry.tagged(organisationId, query.tag)
          : registry.capable(organisationId, query.capability ?? '')
      return { services: services.map(shape).filter((found) => found.endpoints.length > 0) }
    }),
  ]
}
