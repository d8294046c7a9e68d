/** SQL of registrations: outsiders, and the parts of Kalnet itself, that say where they are. */
import type { Metadata } from '@kalnet/contracts/service'
import { sql } from '../core/store.ts'
import type { RegisteredPort } from './store.ts'

/** What it says of its service. */
export interface Said {
  title: string
  metadata: Metadata
}
const json = (value: unknown) => sql`${JSON.stringify(value)}::jsonb`

export const statements = {
  addService: (it: {
    id: string
    organisationId: string
    name: string
    title: string
    kind: 'outside' | 'platform'
    metadata: Metadata
    at: string
  }) => sql`
    insert into services (id, organisation_id, name, title, kind, desired, metadata, created_at, changed_at)
    values (${it.id}::uuid, ${it.organisationId}::uuid, ${it.name}, ${it.title}, ${it.kind}, 'running',
      ${json(it.metadata)}, ${it.at}, ${it.at})
    on conflict (organisation_id, name) do nothing`,
  /** Registrations of one service come one after the other. */
  lockService: (it: { organisationId: string; name: string }) => sql<{ id: string; kind: string }>`
    select id, kind from services where organisation_id = ${it.organisationId}::uuid and name = ${it.name} for update`,
  lockServiceById: (it: { id: string }) => sql<{ id: string; kind: string; organisation_id: string }>`
    select id, kind, organisation_id from services where id = ${it.id}::uuid for update`,
  changeService: (it: { id: string; title: string; metadata: Metadata; at: string }) => sql`
    update services set title = ${it.title}, metadata = ${json(it.metadata)}, changed_at = ${it.at}
    where id = ${it.id}::uuid`,
  before: (it: { serviceId: string; instance: string }) => sql<{
    id: string
    ports: RegisteredPort[]
    weight: number
    said: Said | Record<string, never>
    expires_at: string
  }>`
    select id, ports, weight, said, expires_at from registrations
    where service_id = ${it.serviceId}::uuid and instance = ${it.instance}`,
  put: (it: {
    id: string
    organisationId: string
    serviceId: string
    instance: string
    ports: RegisteredPort[]
    weight: number
    ttlMs: number
    expiresAt: string
    said: Said
  }) => sql`
    insert into registrations (id, organisation_id, service_id, instance, ports, weight, ttl_ms, expires_at, said)
    values (${it.id}::uuid, ${it.organisationId}::uuid, ${it.serviceId}::uuid, ${it.instance}, ${json(it.ports)},
      ${it.weight}, ${it.ttlMs}, ${it.expiresAt}, ${json(it.said)})
    on conflict (service_id, instance) do update set ports = excluded.ports, weight = excluded.weight,
      ttl_ms = excluded.ttl_ms, expires_at = excluded.expires_at, said = excluded.said`,
  find: (it: { id: string }) => sql<{ id: string; service_id: string; organisation_id: string }>`
    select id, service_id, organisation_id from registrations where id = ${it.id}::uuid`,
  remove: (it: { id: string }) => sql<{ id: string }>`
    delete from registrations where id = ${it.id}::uuid returning id`,
  /** Of an ended service first its row, as everywhere: whoever registers at this moment is before or after. */
  servicesDue: (it: { now: string }) => sql<{ id: string }>`
    select s.id from services s
    where exists (select from registrations r where r.service_id = s.id and r.expires_at <= ${it.now})
    order by s.id limit 100 for update skip locked`,
  removeDue: (it: { serviceId: string; now: string }) => sql<{ id: string }>`
    delete from registrations where service_id = ${it.serviceId}::uuid and expires_at <= ${it.now} returning id`,
  /** Nobody says that it is there, and nothing hangs on it. */
  removeUnused: (it: { id: string }) => sql<{ id: string }>`
    delete from services s where id = ${it.id}::uuid and kind in ('outside', 'platform')
      and not exists (select from registrations where service_id = s.id)
      and not exists (select from gateway_routes where service_id = s.id)
      and not exists (select from service_dependencies where needs_id = s.id)
    returning id`,
  organisations: (_: object) => sql<{ id: string }>`select id from organisations order by id`,
}
