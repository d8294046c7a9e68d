/** SQL of the registry: everything that says where services are, read whole or for some services. */
import type { Address, Port } from '@kalnet/contracts/instance'
import type { Metadata } from '@kalnet/contracts/service'
import { sql } from '../core/store.ts'

export interface ServiceRow {
  id: string
  organisation_id: string
  name: string
  title: string
  kind: 'managed' | 'outside' | 'platform'
  desired: 'running' | 'stopped'
  metadata: Partial<Metadata>
  release_number: number | null
}
export interface InstanceRow {
  id: string
  service_id: string
  release_number: number
  controller_id: string
  /** Of the controller: whose network `addresses` belong to. */
  machine: string | null
  online: boolean
  ports: Port[] | null
  probed: boolean
  health: 'starting' | 'healthy' | 'unhealthy' | null
  addresses: Record<string, Address> | null
}
/** A port as it was registered. `machine`: only who shares that network reaches it. */
export interface RegisteredPort {
  name: string
  kind: 'http' | 'tcp' | 'udp'
  host: string
  port: number
  machine?: string
}
export interface RegistrationRow {
  id: string
  service_id: string
  instance: string
  ports: RegisteredPort[]
  weight: number
}

export const statements = {
  /** `ids` null: all there are. */
  services: (it: { ids: string[] | null }) => sql<ServiceRow>`
    select id, organisation_id, name, title, kind, desired, metadata, release_number from services
    where ${it.ids}::uuid[] is null or id = any(${it.ids}::uuid[]) order by id`,
  /**
   * Instances that run as they are wanted: one that is to stop, or that was seen in an older generation, is nowhere.
   * Of a service in several parts, those of the first: the others are its own affair, reached by links.
   */
  instances: (it: { ids: string[] | null }) => sql<InstanceRow>`
    select si.id, si.service_id, si.release_number, i.controller_id, c.machine, c.online,
      i.spec->'ports' as ports, coalesce(i.spec->'probe', 'null') <> 'null' as probed,
      i.observed #>> '{health,state}' as health, i.observed->'addresses' as addresses
    from service_instances si
      join instances i on i.id = si.id
      join controllers c on c.id = i.controller_id
      left join releases r on r.service_id = si.service_id and r.number = si.release_number
    where (${it.ids}::uuid[] is null or si.service_id = any(${it.ids}::uuid[]))
      and i.desired_state = 'running' and i.observed->>'state' = 'running'
      and (i.observed->>'generation')::int = i.generation
      and si.part = coalesce(r.content #>> '{template,parts,0,name}', si.part)
    order by si.id`,
  registrations: (it: { ids: string[] | null; now: string }) => sql<RegistrationRow>`
    select id, service_id, instance, ports, weight from registrations
    where (${it.ids}::uuid[] is null or service_id = any(${it.ids}::uuid[])) and expires_at > ${it.now} order by id`,
}
