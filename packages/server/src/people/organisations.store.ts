/** SQL of organisations: one's own, and for the CLI on the machine all of them. */
import type { Organisation } from '@kalnet/contracts/invitation'
import { sql } from '../core/store.ts'

export interface OrganisationRow {
  id: string
  name: string
  kind: Organisation['kind']
}
export const statements = {
  read: ({ id }: { id: string }) =>
    sql<OrganisationRow>`SELECT id, name, kind FROM organisations WHERE id = ${id}::uuid`,
  /** Null leaves a thing as it is. */
  change: (it: { id: string; name: string | null; kind: string | null }) => sql<OrganisationRow>`
    UPDATE organisations SET name = coalesce(${it.name}, name), kind = coalesce(${it.kind}, kind)
    WHERE id = ${it.id}::uuid RETURNING id, name, kind`,
  /** Two that ask for the same name at once: one after the other. */
  lockNames: () => sql`SELECT pg_advisory_xact_lock(728364503)`,
  byName: ({ name }: { name: string }) => sql<OrganisationRow & { people: number }>`
    SELECT id, name, kind, (SELECT count(*)::int FROM users WHERE organisation_id = o.id) AS people
    FROM organisations o WHERE lower(name) = lower(${name}) ORDER BY created_at LIMIT 1`,
  add: (it: { id: string; name: string; kind: string; at: string }) => sql`
    INSERT INTO organisations (id, name, kind, created_at) VALUES (${it.id}::uuid, ${it.name}, ${it.kind}, ${it.at})`,
  all: () => sql<OrganisationRow & { people: number; owners: string[]; created_at: string }>`
    SELECT o.id, o.name, o.kind, o.created_at,
      (SELECT count(*)::int FROM users WHERE organisation_id = o.id AND kind = 'person') AS people,
      coalesce((SELECT jsonb_agg(name ORDER BY created_at) FROM users
        WHERE organisation_id = o.id AND role = 'owner' AND kind = 'person'), '[]') AS owners
    FROM organisations o ORDER BY o.created_at, o.id`,
}
