/** For tests of the audit: a database, rows in it, and everything that seals and checks, with nothing that runs by itself. */
import { randomBytes } from 'node:crypto'
import { type Clock, systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import { createAnchor, type End } from '../audit/anchor.ts'
import { createFlood } from '../audit/flood.ts'
import { headKey } from '../audit/heads.ts'
import { createRecord } from '../audit/record.ts'
import { createSealer } from '../audit/sealer.ts'
import { createVerifier } from '../audit/verify.ts'
import type { AuditEntry } from '../core/call.ts'
import { createSecrets } from '../core/secrets.ts'
import { sql } from '../core/store.ts'
import { type TestStore, testStore } from '../core/testing.ts'

export const HOME = '01920000-0000-7000-8000-00000000000a'
export const ADA = '01920000-0000-7000-8000-0000000000a1'
export const log = createLog('test', 'silent')
export const never = () => new AbortController().signal

/** Other tests of the run share the server, and its oldest transaction holds the sealer back: asked until it holds. */
export async function eventually(
  holds: () => Promise<boolean>,
  what: string,
  limitMs = 30_000,
): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export const entryOf = (more: Partial<AuditEntry> = {}): AuditEntry => ({
  id: newId(),
  organisationId: HOME,
  at: new Date().toISOString(),
  actorKind: 'user',
  userId: ADA,
  action: 'session.launched',
  outcome: 'done',
  object: newId(),
  details: { templateId: 'terminal' },
  address: '10.0.0.5',
  requestId: newId(),
  ...more,
})

export async function auditBench({
  clock = systemClock,
  segmentRows = 10_000,
}: {
  clock?: Clock
  segmentRows?: number
} = {}) {
  const test: TestStore = await testStore()
  const { store, events } = test
  const secrets = createSecrets({ masterKey: randomBytes(32), clock })
  const key = await headKey(store, secrets)
  await store.system.transaction(async (tx) => {
    await sql`insert into organisations values (${HOME}, 'Home', now())`.execute(tx)
    await sql`insert into users (id, organisation_id, name, email, role, created_at)
      values (${ADA}, ${HOME}, 'Ada', 'ada@example.org', 'owner', now())`.execute(tx)
  })
  const flood = createFlood({ clock })
  const record = createRecord({ store, flood, wake: () => undefined })
  const anchor = createAnchor({ path: null, clock, log })
  let noted: End[] = []
  const sealer = () =>
    createSealer({ store, events, clock, log, key, segmentRows, sealed: (ends) => (noted = ends) })
  return {
    ...test,
    secrets,
    key,
    flood,
    record,
    anchor,
    sealer,
    verifier: createVerifier({ store, clock, key, anchor }),
    noted: () => noted,
    /** Rows in one transaction each, as calls write them. */
    async add(count: number, more: Partial<AuditEntry> = {}) {
      for (let at = 0; at < count; at++)
        await store.system.transaction((tx) => record(tx, entryOf(more), false))
    },
    /** Past every guard, as whoever owns the whole database could. */
    async tamper(...texts: string[]) {
      await store.system.transaction(async (tx) => {
        await sql`reset role`.execute(tx)
        await sql`set local session_replication_role = replica`.execute(tx)
        for (const text of texts) await sql.raw(text).execute(tx)
      })
    },
  }
}
export type AuditBench = Awaited<ReturnType<typeof auditBench>>
