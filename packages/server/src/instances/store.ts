/** SQL of instances: what is wanted and what was last seen. */
import type { InstanceSpec, ObservedInstance, PlatformName } from '@kalnet/contracts/instance'
import type { Placed } from '@kalnet/contracts/placing'
import { sql } from 'kysely'

export interface InstanceRow {
  id: string
  organisation_id: string
  controller_id: string
  platform: PlatformName
  generation: number
  desired_state: 'running' | 'stopped'
  spec: InstanceSpec
  observed: ObservedInstance | null
}

const columns = sql`id, organisation_id, controller_id, platform, generation, desired_state, spec, observed`

export const statements = {
  add: (row: {
    id: string
    organisationId: string
    controllerId: string
    platform: PlatformName
    spec: object
    image: string
    placed: object
  }) => sql`
    INSERT INTO instances (id, organisation_id, controller_id, platform, generation, desired_state, spec, image, placed, counts_until)
    VALUES (${row.id}::uuid, ${row.organisationId}::uuid, ${row.controllerId}::uuid, ${row.platform}, 1, 'running',
      ${JSON.stringify(row.spec)}::jsonb, ${row.image}, ${JSON.stringify(row.placed)}::jsonb, 'infinity')`,

  /** Why each is where it is; null: it was begun by an older release. */
  placed: ({ ids }: { ids: readonly string[] }) => sql<{ id: string; placed: Placed | null }>`
    SELECT id, placed FROM instances WHERE id = any(${ids}::uuid[])`,

  /** Whether the service of this instance uses that one, asks for its secret, and that one shares it. */
  lent: (row: { id: string; service: string; secret: string }) => sql<{ lent: number }>`
    SELECT 1 AS lent FROM service_instances m
    JOIN services s ON s.id = m.service_id
    JOIN releases own ON own.service_id = s.id AND own.number = m.release_number
    JOIN service_dependencies d ON d.service_id = s.id
    JOIN services o ON o.id = d.needs_id AND o.organisation_id = s.organisation_id
    JOIN releases theirs ON theirs.service_id = o.id AND theirs.number = o.release_number
    WHERE m.id = ${row.id}::uuid AND o.name = ${row.service}
      AND own.content->'template'->'dependencies' @>
        jsonb_build_array(jsonb_build_object('name', d.name, 'secrets', jsonb_build_array(${row.secret}::text)))
      AND theirs.content->'template'->'secrets' @>
        jsonb_build_array(jsonb_build_object('name', ${row.secret}::text, 'shared', true))`,

  read: ({ id }: { id: string }) => sql<InstanceRow>`SELECT ${columns} FROM instances WHERE id = ${id}::uuid`,

  most: ({ ids }: { ids: readonly string[] }) => sql<{ id: string; resources: InstanceSpec['resources'] }>`
    SELECT id, spec->'resources' AS resources FROM instances WHERE id = ANY(${ids}::uuid[])`,

  /** Reports of one instance come one after the other; the row lock keeps it so with several replicas. */
  lock: ({ id }: { id: string }) => sql<InstanceRow>`
    SELECT ${columns} FROM instances WHERE id = ${id}::uuid FOR UPDATE`,

  /** Stopped ones that were seen to have ended need no word any more. */
  desiredFor: ({ controllerId }: { controllerId: string }) => sql<InstanceRow>`
    SELECT ${columns} FROM instances WHERE controller_id = ${controllerId}::uuid
      AND NOT (desired_state = 'stopped' AND observed IS NOT NULL
        AND (observed->>'generation')::int = generation AND observed->>'state' IN ('stopped', 'failed'))
    ORDER BY id`,

  /** `ranAt`: it began running just now; null: as it was. Over, it uses nothing any more. */
  observe: (row: { id: string; observed: object; ranAt: Date | null; isOver: boolean }) => sql`
    UPDATE instances SET observed = ${JSON.stringify(row.observed)}::jsonb, ran_at = coalesce(${row.ranAt}, ran_at),
      counts_until = CASE WHEN ${row.isOver}::boolean THEN '-infinity' ELSE coalesce(${row.ranAt}, counts_until) END
    WHERE id = ${row.id}::uuid`,

  stop: ({ id }: { id: string }) =>
    sql`UPDATE instances SET desired_state = 'stopped', counts_until = '-infinity' WHERE id = ${id}::uuid`,

  /** A new generation starts afresh: nothing of it was seen yet. */
  renew: ({ id, spec, image }: { id: string; spec: object | null; image: string | null }) => sql<{
    generation: number
  }>`
    UPDATE instances SET generation = generation + 1, desired_state = 'running', observed = NULL, counts_until = 'infinity',
      spec = coalesce(${spec ? JSON.stringify(spec) : null}::jsonb, spec), image = coalesce(${image}, image)
    WHERE id = ${id}::uuid RETURNING generation`,

  remove: ({ id }: { id: string }) => sql`DELETE FROM instances WHERE id = ${id}::uuid`,
}
