/** The statements of idempotency keys. */
import { sql } from './store.ts'

export interface KeyOf {
  organisationId: string
  userId: string
  keyHash: string
}
export const statements = {
  find: (it: KeyOf) => sql<{ request_hash: string; answer: unknown }>`
    select request_hash, answer from idempotency_keys
    where organisation_id = ${it.organisationId} and user_id = ${it.userId} and key_hash = ${it.keyHash}`,
  add: (it: KeyOf & { requestHash: string; at: string }) => sql`
    insert into idempotency_keys (organisation_id, user_id, key_hash, request_hash, created_at)
    values (${it.organisationId}, ${it.userId}, ${it.keyHash}, ${it.requestHash}, ${it.at})`,
  answer: (it: KeyOf & { answer: string }) => sql`
    update idempotency_keys set answer = ${it.answer}::jsonb
    where organisation_id = ${it.organisationId} and user_id = ${it.userId} and key_hash = ${it.keyHash}`,
  dropOld: (it: { before: string }) => sql`delete from idempotency_keys where created_at < ${it.before}`,
}
