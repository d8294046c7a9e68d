/** The one statement of signing keys: whoever changes them does so alone. */
import { sql } from '../core/store.ts'

export const lockKeys = () => sql`select pg_advisory_xact_lock(728364503)`
export const statements = { lockKeys }
