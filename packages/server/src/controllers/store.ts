/** SQL of controllers and their enrolment tokens. */
import type { ClusterReport } from '@kalnet/contracts/cluster'
import type { Controller } from '@kalnet/contracts/controller'
import type { PlatformName } from '@kalnet/contracts/instance'
import { sql } from 'kysely'

export interface ControllerRow {
  id: string
  organisation_id: string | null
  name: string
  public_key: string
  hostname: string | null
  version: string | null
  online: boolean
  last_seen_at: string | null
  fingerprints: Controller['fingerprints']
  capacity: Controller['capacity']
  cordoned: boolean
  labels: Controller['labels']
  created_at: string
  instances: number
}

export interface StartingRow {
  controller_id: string
  /** On the machines of its cluster. */
  elsewhere: boolean
  instances: number
  memory_bytes: number
  cpus: number
}

const columns = sql`c.id, c.organisation_id, c.name, c.public_key, c.hostname, c.version, c.online, c.last_seen_at,
  c.fingerprints, c.capacity, c.cordoned, c.labels, c.created_at,
  (SELECT count(*)::int FROM instances i WHERE i.controller_id = c.id AND i.desired_state = 'running'
    AND coalesce(i.observed->>'state' NOT IN ('stopped', 'failed'), true)) AS instances`

export const statements = {
  list: ({ after, limit }: { after: string | null; limit: number }) => sql<ControllerRow>`
    SELECT ${columns} FROM controllers c
    WHERE (${after}::uuid IS NULL OR c.id > ${after}::uuid) ORDER BY c.id LIMIT ${limit}`,

  read: ({ id }: { id: string }) => sql<ControllerRow>`
    SELECT ${columns} FROM controllers c WHERE c.id = ${id}::uuid`,

  /** Those that may run something for the organisation: its own and the installation's. */
  serving: ({ organisationId }: { organisationId: string }) => sql<ControllerRow>`
    SELECT ${columns} FROM controllers c
    WHERE c.organisation_id IS NULL OR c.organisation_id = ${organisationId}::uuid ORDER BY c.id`,

  /** Servers that choose at once do so one after the other; false after half a second without. */
  placingTurn: () => sql<{ taken: boolean }>`SELECT kalnet_placing_turn() AS taken`,
  starting: ({ ids }: { ids: readonly string[] }) => sql<StartingRow>`
    SELECT controller_id, elsewhere, instances, memory_bytes, cpus FROM kalnet_starting(${ids}::uuid[])`,
  ran: ({ image }: { image: string }) => sql<{ controller_id: string; platform: PlatformName }>`
    SELECT controller_id, platform FROM kalnet_ran(${image})`,

  machines: () => sql<{ id: string; machine: string | null }>`SELECT id, machine FROM controllers`,

  addToken: (row: { hash: string; organisationId: string | null; name: string; expiresAt: Date }) => sql`
    INSERT INTO enrolment_tokens (hash, organisation_id, name, expires_at)
    VALUES (${row.hash}, ${row.organisationId}::uuid, ${row.name}, ${row.expiresAt})`,

  /** One use: two that come at once, one gets it. */
  useToken: ({ hash, now }: { hash: string; now: Date }) => sql<{
    organisation_id: string | null
    name: string
  }>`
    DELETE FROM enrolment_tokens WHERE hash = ${hash} AND expires_at > ${now} RETURNING organisation_id, name`,

  dropExpiredTokens: ({ now }: { now: Date }) => sql`DELETE FROM enrolment_tokens WHERE expires_at <= ${now}`,

  add: (row: {
    id: string
    organisationId: string | null
    name: string
    publicKey: string
    now: Date
  }) => sql`
    INSERT INTO controllers (id, organisation_id, name, public_key, created_at)
    VALUES (${row.id}::uuid, ${row.organisationId}::uuid, ${row.name}, ${row.publicKey}, ${row.now})`,

  connected: (row: {
    id: string
    hostname: string
    version: string
    machine: string | null
    now: Date
  }) => sql<{ id: string }>`
    UPDATE controllers SET hostname = ${row.hostname}, version = ${row.version}, machine = ${row.machine},
      last_seen_at = ${row.now}
    WHERE id = ${row.id}::uuid RETURNING id`,

  /** Online with what it has: nothing is placed on one of whom nothing is known yet. */
  inventory: (row: { id: string; fingerprints: object; capacity: object; now: Date }) => sql`
    UPDATE controllers SET online = true, fingerprints = ${JSON.stringify(row.fingerprints)}::jsonb,
      capacity = ${JSON.stringify(row.capacity)}::jsonb, capacity_at = ${row.now}, last_seen_at = ${row.now}
    WHERE id = ${row.id}::uuid`,

  heartbeat: (row: { id: string; capacity: object; now: Date }) => sql`
    UPDATE controllers SET capacity = ${JSON.stringify(row.capacity)}::jsonb, capacity_at = ${row.now},
      last_seen_at = ${row.now}
    WHERE id = ${row.id}::uuid`,

  /** Answers only where it is news. */
  noteCluster: (row: { id: string; cluster: object; now: Date }) => sql<{ organisation_id: string | null }>`
    UPDATE controllers SET cluster = ${JSON.stringify(row.cluster)}::jsonb, cluster_at = ${row.now}
    WHERE id = ${row.id}::uuid AND cluster IS DISTINCT FROM ${JSON.stringify(row.cluster)}::jsonb
    RETURNING organisation_id`,

  readCluster: ({ id }: { id: string }) => sql<{ cluster: ClusterReport | null; cluster_at: string | null }>`
    SELECT cluster, cluster_at FROM controllers WHERE id = ${id}::uuid`,

  /** Whose instances these are, as far as the asker may see. */
  instanceNames: ({ ids }: { ids: string[] }) => sql<{
    instance_id: string
    kind: 'session' | 'service'
    id: string
    name: string
  }>`
    SELECT instance_id, 'session' AS kind, id, name FROM sessions WHERE instance_id = ANY(${ids}::uuid[])
    UNION ALL
    SELECT i.id, 'service', s.id, s.title FROM service_instances i JOIN services s ON s.id = i.service_id
    WHERE i.id = ANY(${ids}::uuid[])`,

  disconnected: ({ id }: { id: string }) => sql`UPDATE controllers SET online = false WHERE id = ${id}::uuid`,

  /** At start nobody is connected yet, whatever a killed control plane left. */
  allDisconnected: () => sql<{ id: string }>`UPDATE controllers SET online = false WHERE online RETURNING id`,

  /** An organisation locks only what is its own. */
  lock: ({ id }: { id: string }) => sql<{ id: string }>`
    SELECT id FROM controllers WHERE id = ${id}::uuid FOR UPDATE`,

  /** Null leaves a thing as it is. */
  change: (row: {
    id: string
    name: string | null
    cordoned: boolean | null
    labels: Controller['labels'] | null
  }) => sql<{ id: string }>`
    UPDATE controllers SET name = coalesce(${row.name}, name), cordoned = coalesce(${row.cordoned}::boolean, cordoned),
      labels = coalesce(${row.labels ? JSON.stringify(row.labels) : null}::jsonb, labels)
    WHERE id = ${row.id}::uuid RETURNING id`,

  /** Whoever puts something on it holds this shared, whoever closes it holds it alone: a start is before or after, never between. */
  lockOpening: ({ id }: { id: string }) =>
    sql`SELECT pg_advisory_xact_lock_shared(hashtextextended(${id}::text, 4))`,
  lockClosing: ({ id }: { id: string }) =>
    sql`SELECT pg_advisory_xact_lock(hashtextextended(${id}::text, 4))`,

  /** One key is valid at a time. */
  renewKey: ({ id, publicKey }: { id: string; publicKey: string }) => sql<{ id: string }>`
    UPDATE controllers SET public_key = ${publicKey} WHERE id = ${id}::uuid RETURNING id`,

  remove: ({ id }: { id: string }) => sql<{ id: string }>`
    DELETE FROM controllers WHERE id = ${id}::uuid RETURNING id`,
}
