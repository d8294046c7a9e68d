/** Where every service is, in memory: an index by id, name, tag and capability that is replaced service by service. Pure. */
import type { Endpoint } from '@kalnet/contracts/gateway'
import type { InstanceRow, RegistrationRow, ServiceRow } from './store.ts'

export interface RegisteredService {
  id: string
  organisationId: string
  name: string
  title: string
  kind: 'managed' | 'outside' | 'platform'
  desired: 'running' | 'stopped'
  /** The release that has the traffic. */
  release: number | null
  version: string | null
  tags: readonly string[]
  capabilities: readonly string[]
  /** Healthy ones first, then those that start, then those that do not answer. */
  endpoints: readonly Endpoint[]
}
export interface Rows {
  services: ServiceRow[]
  instances: InstanceRow[]
  registrations: RegistrationRow[]
}

/** What may be given to somebody who wants to use it. */
export const isUsable = (endpoint: Endpoint) =>
  (endpoint.health === null || endpoint.health === 'healthy') &&
  (endpoint.direct !== null || endpoint.tunnel !== null)

const rank = (endpoint: Endpoint) => (isUsable(endpoint) ? 0 : endpoint.health === 'starting' ? 1 : 2)

function ofInstance(row: InstanceRow): Endpoint[] {
  return (row.ports ?? []).flatMap((port) => {
    if (port.kind === 'display') return []
    const address = row.addresses?.[port.name]
    // Without a word on whose network it is, an address of a machine's own network leads anywhere.
    const direct = address && row.machine !== null ? { ...address, machine: row.machine } : null
    const tunnel = row.online ? { controllerId: row.controller_id, instanceId: row.id } : null
    return [
      {
        id: row.id,
        serviceId: row.service_id,
        port: port.name,
        kind: port.kind,
        release: row.release_number,
        weight: 1,
        health: row.probed ? (row.health ?? 'starting') : null,
        direct,
        tunnel,
      },
    ]
  })
}

/** An outsider says for itself that it is there, as long as it says so. */
const ofRegistration = (row: RegistrationRow, release: number): Endpoint[] =>
  row.ports.map(({ name, kind, host, port, machine = null }) => ({
    id: row.id,
    serviceId: row.service_id,
    port: name,
    kind,
    release,
    weight: row.weight,
    health: null,
    direct: { host, port, machine },
    tunnel: null,
  }))

const shape = (row: ServiceRow, endpoints: Endpoint[]): RegisteredService => ({
  id: row.id,
  organisationId: row.organisation_id,
  name: row.name,
  title: row.title,
  kind: row.kind,
  desired: row.desired,
  release: row.release_number,
  version: row.metadata.version ?? null,
  tags: row.metadata.tags ?? [],
  capabilities: row.metadata.capabilities ?? [],
  endpoints: endpoints.toSorted((one, other) => rank(one) - rank(other)),
})

/** Key → services, kept without a scan when one changes. */
function createIndex() {
  const found = new Map<string, Map<string, RegisteredService>>()
  return {
    of: (key: string): Iterable<RegisteredService> => found.get(key)?.values() ?? [],
    first: (key: string): RegisteredService | undefined => {
      let oldest: RegisteredService | undefined
      for (const one of found.get(key)?.values() ?? [])
        if (!oldest || one.organisationId < oldest.organisationId) oldest = one
      return oldest
    },
    add(key: string, service: RegisteredService) {
      const known = found.get(key)
      if (known) known.set(service.id, service)
      else found.set(key, new Map([[service.id, service]]))
    },
    drop(key: string, id: string) {
      const known = found.get(key)
      known?.delete(id)
      if (known?.size === 0) found.delete(key)
    },
    clear: () => found.clear(),
  }
}

export function createMemory() {
  const byId = new Map<string, RegisteredService>()
  const byKey = createIndex()
  const onController = createIndex()
  const controllersOf = new Map<string, Set<string>>()

  const keysOf = (it: RegisteredService) => [
    `name ${it.name}`,
    `name ${it.organisationId} ${it.name}`,
    ...it.tags.map((tag) => `tag ${it.organisationId} ${tag}`),
    ...it.capabilities.map((capability) => `capability ${it.organisationId} ${capability}`),
  ]
  function remove(id: string) {
    const known = byId.get(id)
    if (!known) return
    byId.delete(id)
    for (const key of keysOf(known)) byKey.drop(key, id)
    for (const controllerId of controllersOf.get(id) ?? []) onController.drop(controllerId, id)
    controllersOf.delete(id)
  }
  function put(row: ServiceRow, instances: InstanceRow[], registrations: RegistrationRow[]) {
    remove(row.id)
    const service = shape(row, [
      ...instances.flatMap(ofInstance),
      ...registrations.flatMap((one) => ofRegistration(one, row.release_number ?? 1)),
    ])
    byId.set(service.id, service)
    for (const key of keysOf(service)) byKey.add(key, service)
    const controllers = new Set(instances.map((one) => one.controller_id))
    for (const controllerId of controllers) onController.add(controllerId, service)
    controllersOf.set(service.id, controllers)
  }

  return {
    get: (id: string) => byId.get(id),
    named: (organisationId: string, name: string) => byKey.first(`name ${organisationId} ${name}`),
    /** Whoever's it is; where several organisations use the name, the one that was there first. */
    namedAnywhere: (name: string) => byKey.first(`name ${name}`),
    tagged: (organisationId: string, tag: string) => [...byKey.of(`tag ${organisationId} ${tag}`)],
    capable: (organisationId: string, capability: string) => [
      ...byKey.of(`capability ${organisationId} ${capability}`),
    ],
    all: (): Iterable<RegisteredService> => byId.values(),
    /** Services that have, or had when they were last read, an instance there. */
    on: (controllerId: string) => [...onController.of(controllerId)].map((it) => it.id),
    /** `ids`: what was asked for; those that are not among the rows are gone. null: the rows are everything. */
    apply({ services, instances, registrations }: Rows, ids: readonly string[] | null) {
      const instancesOf = Map.groupBy(instances, (one) => one.service_id)
      const registrationsOf = Map.groupBy(registrations, (one) => one.service_id)
      const there = new Set(services.map((one) => one.id))
      for (const id of ids ?? [...byId.keys()]) if (!there.has(id)) remove(id)
      for (const row of services) put(row, instancesOf.get(row.id) ?? [], registrationsOf.get(row.id) ?? [])
    },
    remove,
  }
}
export type Memory = ReturnType<typeof createMemory>
