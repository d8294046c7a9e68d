/** SQL of a service's instances and of how their health changed. */
import type { HealthState } from '@kalnet/contracts/health'
import type { ObservedInstance, PlatformName } from '@kalnet/contracts/instance'
import { sql } from 'kysely'

export interface MemberRow {
  id: string
  service_id: string
  release_number: number
  part: string
  number: number
  restarts: number
  next_start_at: string | null
  started_at: string | null
  unhealthy_at: string | null
  busy_at: string | null
  generation: number
  desired_state: 'running' | 'stopped'
  observed: ObservedInstance | null
  platform: PlatformName
  controller_id: string
  controller_name: string
  online: boolean
  last_seen_at: string | null
}
export interface HealthRow {
  id: string
  instance_id: string
  part: string
  number: number
  state: HealthState
  detail: string
  took_ms: number | null
  at: string
}

const members = sql`
  SELECT m.id, m.service_id, m.release_number, m.part, m.number, m.restarts, m.next_start_at, m.started_at, m.unhealthy_at, m.busy_at,
    i.generation, i.desired_state, i.observed, i.platform, i.controller_id, c.name AS controller_name, c.online, c.last_seen_at
  FROM service_instances m JOIN instances i ON i.id = m.id JOIN controllers c ON c.id = i.controller_id`

export const statements = {
  add: (row: {
    id: string
    organisationId: string
    serviceId: string
    release: number
    part: string
    number: number
  }) => sql`
    INSERT INTO service_instances (id, organisation_id, service_id, release_number, part, number)
    VALUES (${row.id}::uuid, ${row.organisationId}::uuid, ${row.serviceId}::uuid, ${row.release}, ${row.part}, ${row.number})`,
  /** In the order in which people read them: by part, number, age. */
  of: ({ ids }: { ids: readonly string[] }) => sql<MemberRow>`
    ${members} WHERE m.service_id = any(${ids}::uuid[]) ORDER BY m.service_id, m.part, m.number, m.id`,
  read: ({ id }: { id: string }) => sql<MemberRow>`${members} WHERE m.id = ${id}::uuid`,

  /** A new generation begins; what is counted of its restarts stays or begins anew. */
  begun: ({ id, restarts }: { id: string; restarts: number }) => sql`
    UPDATE service_instances SET restarts = ${restarts}, next_start_at = NULL, started_at = NULL, unhealthy_at = NULL
    WHERE id = ${id}::uuid`,
  startLater: (row: { id: string; at: Date; restarts: number }) => sql`
    UPDATE service_instances SET next_start_at = ${row.at}, restarts = ${row.restarts} WHERE id = ${row.id}::uuid`,
  /** Stopped by a wish: nothing of it is to be started any more. */
  rest: ({ id }: { id: string }) => sql`
    UPDATE service_instances SET next_start_at = NULL, unhealthy_at = NULL, restarts = 0 WHERE id = ${id}::uuid`,
  seen: (row: { id: string; startedAt: Date | string | null; unhealthyAt: Date | string | null }) => sql`
    UPDATE service_instances SET started_at = ${row.startedAt}, unhealthy_at = ${row.unhealthyAt}
    WHERE id = ${row.id}::uuid`,
  /** Something is open there. Of a household, where it is its gateway that says so. */
  busy: (row: { ids: readonly string[]; organisationId: string | null; now: Date }) => sql`
    UPDATE service_instances SET busy_at = ${row.now} WHERE id = any(${row.ids}::uuid[])
      AND (${row.organisationId}::uuid IS NULL OR organisation_id = ${row.organisationId}::uuid)`,
  forgetRestarts: ({ serviceId }: { serviceId: string }) => sql`
    UPDATE service_instances SET restarts = 0, next_start_at = NULL WHERE service_id = ${serviceId}::uuid`,

  addHealth: (row: {
    id: string
    organisationId: string
    serviceId: string
    instanceId: string
    part: string
    number: number
    state: HealthState
    detail: string
    tookMs: number | null
    at: Date
  }) => sql`
    INSERT INTO health_changes (id, organisation_id, service_id, instance_id, part, number, state, detail, took_ms, at)
    VALUES (${row.id}::uuid, ${row.organisationId}::uuid, ${row.serviceId}::uuid, ${row.instanceId}::uuid, ${row.part},
      ${row.number}, ${row.state}, ${row.detail}, ${row.tookMs}, ${row.at})`,
  listHealth: (row: { serviceId: string; after: string | null; limit: number }) => sql<HealthRow>`
    SELECT id, instance_id, part, number, state, detail, took_ms, at FROM health_changes
    WHERE service_id = ${row.serviceId}::uuid AND (${row.after}::uuid IS NULL OR id < ${row.after}::uuid)
    ORDER BY id DESC LIMIT ${row.limit}`,
  /** The newest of a service stay. */
  tidyHealth: ({ serviceId, keep }: { serviceId: string; keep: number }) => sql`
    DELETE FROM health_changes WHERE service_id = ${serviceId}::uuid AND id <= (
      SELECT id FROM health_changes WHERE service_id = ${serviceId}::uuid ORDER BY id DESC OFFSET ${keep} LIMIT 1)`,
}
