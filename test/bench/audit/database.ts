/** A PostgreSQL of its own with a long audit in it, and everything that seals and checks. Synced as in earnest. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { createAnchor } from '@kalnet/server/audit/anchor'
import { headKey } from '@kalnet/server/audit/heads'
import { createSealer } from '@kalnet/server/audit/sealer'
import { createSearch } from '@kalnet/server/audit/search'
import { createVerifier } from '@kalnet/server/audit/verify'
import { createEvents } from '@kalnet/server/core/events'
import { migrate } from '@kalnet/server/core/migrate'
import { startPostgres } from '@kalnet/server/core/postgres/postgres'
import { createSecrets } from '@kalnet/server/core/secrets'
import { createStore, sql } from '@kalnet/server/core/store'

export const HOME = '01920000-0000-7000-8000-00000000000a'
const SOMEBODY = '01920000-0000-7000-8000-0000000000a'

/** Rows of a busy house: twenty people, a dozen actions, one refusal in fifty, over a year. In many transactions, as in life. */
const rows = (from: number, to: number) => sql`
  insert into audit (id, organisation_id, at, actor_kind, user_id, action, outcome, object, details, address, request_id)
  select gen_random_uuid(), ${HOME}, now() - interval '300 days' + at * interval '25 seconds', 'user',
    (${SOMEBODY} || to_hex(at % 15))::uuid,
    (array['session.launched','stream.opened','stream.closed','session.stopped','user.signed-in','user.signed-out',
      'session.logs-read','person.changed','group.changed','key.made','controller.changed','session.restarted'])[at % 12 + 1],
    case when at % 50 = 0 then 'permission.denied' else 'done' end,
    '01930000-0000-7000-8000-' || lpad(to_hex(at / 7), 12, '0'),
    jsonb_build_object('templateId', 'terminal', 'name', 'Desk ' || at / 7), '10.0.' || at % 200 || '.5',
    gen_random_uuid()::text
  from generate_series(${from}::int, ${to}::int) as at`

export async function longAudit(count: number) {
  const home = await mkdtemp('/tmp/kalnet-bench-')
  const log = createLog('bench', 'error')
  const postgres = await startPostgres({
    dataFolder: join(home, 'data'),
    runtimeFolder: join(home, 'run'),
    log,
  })
  await migrate({ url: postgres.url, log })
  const clock = systemClock
  const store = await createStore({ url: postgres.url, log })
  const events = createEvents({ store, log, clock })
  await store.system.transaction((tx) =>
    sql`insert into organisations values (${HOME}, 'Home', now())`.execute(tx),
  )
  for (let from = 1; from <= count; from += 1_000)
    await store.system.transaction((tx) => rows(from, Math.min(count, from + 999)).execute(tx))
  const key = await headKey(store, createSecrets({ masterKey: randomBytes(32), clock }))
  const anchor = createAnchor({ path: null, clock, log })
  return {
    store,
    search: createSearch({ store }),
    sealer: createSealer({ store, events, clock, log, key, sealed: anchor.note }),
    verifier: createVerifier({ store, clock, key, anchor }),
    /** What autovacuum does in life: the planner knows the tables. */
    analyse: () =>
      store.system.transaction(async (tx) => {
        await sql`reset role`.execute(tx)
        await sql`analyze audit, audit_seals`.execute(tx)
      }),
    async end() {
      events.close()
      await store.close()
      await postgres.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}
