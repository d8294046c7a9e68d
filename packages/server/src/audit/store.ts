/** The statements of the audit: rows are added; only details that came after the change are completed. */
import { sql } from '../core/store.ts'

export interface AuditRow {
  id: string
  organisationId: string | null
  at: string
  actorKind: string
  userId: string | null
  action: string
  outcome: string
  object: string | null
  details: string
  address: string
  requestId: string
}
export const statements = {
  add: (it: AuditRow) => sql`
    insert into audit (id, organisation_id, at, actor_kind, user_id, action, outcome, object, details, address, request_id)
    values (${it.id}, ${it.organisationId}, ${it.at}, ${it.actorKind}, ${it.userId}, ${it.action}, ${it.outcome},
      ${it.object}, ${it.details}::jsonb, ${it.address}, ${it.requestId})`,
  complete: (it: { id: string; object: string | null; details: string }) => sql`
    update audit set object = ${it.object}, details = ${it.details}::jsonb where id = ${it.id}`,
}
