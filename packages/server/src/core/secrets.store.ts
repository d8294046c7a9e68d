/** The statements of secrets. */
import { sql } from './store.ts'

export const statements = {
  put: (it: { id: string; organisationId: string | null; name: string; envelope: string; at: string }) => sql`
    insert into secrets (id, organisation_id, name, envelope, created_at, changed_at)
    values (${it.id}, ${it.organisationId}, ${it.name}, ${it.envelope}, ${it.at}, ${it.at})
    on conflict (organisation_id, name) do update set envelope = excluded.envelope, changed_at = excluded.changed_at`,
  get: (it: { organisationId: string | null; name: string }) => sql<{ envelope: string }>`
    select envelope from secrets where organisation_id is not distinct from ${it.organisationId}::uuid and name = ${it.name}`,
  drop: (it: { organisationId: string | null; name: string }) => sql`
    delete from secrets where organisation_id is not distinct from ${it.organisationId}::uuid and name = ${it.name}`,
  lockForWriting: () => sql`select pg_advisory_xact_lock_shared(728364504)`,
  /** Nobody stores a secret until the transaction ends; reading goes on. */
  lockAll: () => sql`select pg_advisory_xact_lock(728364504)`,
  all: () => sql<{ id: string; organisation_id: string | null; name: string; envelope: string }>`
    select id, organisation_id, name, envelope from secrets order by id`,
  reseal: (it: { ids: string[]; envelopes: string[] }) => sql`
    update secrets set envelope = given.envelope
    from unnest(${it.ids}::uuid[], ${it.envelopes}::text[]) as given (id, envelope) where secrets.id = given.id`,
  any: () => sql<{ envelope: string }>`select envelope from secrets order by id limit 1`,
}
