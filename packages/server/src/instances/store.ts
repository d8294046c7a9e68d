/** SQL of instances: what is wanted and what was last seen. */
import type { InstanceSpec, ObservedInstance, PlatformName } from '@kalnet/contracts/instance'
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
  }) => sql`
    INSERT INTO instances (id, organisation_id, controller_id, platform, generation, desired_state, spec)
    VALUES (${row.id}::uuid, ${row.organisationId}::uuid, ${row.controllerId}::uuid, ${row.platform}, 1, 'running',
      ${JSON.stringify(row.spec)}::jsonb)`,

  read: ({ id }: { id: string }) => sql<InstanceRow>`SELECT ${columns} FROM instances WHERE id = ${id}::uuid`,

  /** Reports of one instance come one after the other; the row lock keeps it so with several replicas. */
  lock: ({ id }: { id: string }) => sql<InstanceRow>`
    SELECT ${columns} FROM instances WHERE id = ${id}::uuid FOR UPDATE`,

  /** Stopped ones that were seen to have ended need no word any more. */
  desiredFor: ({ controllerId }: { controllerId: string }) => sql<InstanceRow>`
    SELECT ${columns} FROM instances WHERE controller_id = ${controllerId}::uuid
      AND NOT (desired_state = 'stopped' AND observed IS NOT NULL
        AND (observed->>'generation')::int = generation AND observed->>'state' IN ('stopped', 'failed'))
    ORDER BY id`,

  observe: ({ id, observed }: { id: string; observed: object }) => sql`
    UPDATE instances SET observed = ${JSON.stringify(observed)}::jsonb WHERE id = ${id}::uuid`,

  stop: ({ id }: { id: string }) =>
    sql`UPDATE instances SET desired_state = 'stopped' WHERE id = ${id}::uuid`,

  /** A new generation starts afresh: nothing of it was seen yet. */
  renew: ({ id, spec }: { id: string; spec: object | null }) => sql<{ generation: number }>`
    UPDATE instances SET generation = generation + 1, desired_state = 'running', observed = NULL,
      spec = coalesce(${spec ? JSON.stringify(spec) : null}::jsonb, spec)
    WHERE id = ${id}::uuid RETURNING generation`,

  remove: ({ id }: { id: string }) => sql`DELETE FROM instances WHERE id = ${id}::uuid`,
}
