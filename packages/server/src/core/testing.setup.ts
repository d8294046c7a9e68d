/** vitest's global set-up: one PostgreSQL for the whole run, with a migrated template that every test file copies. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createLog } from '@kalnet/io/log'
import pg from 'pg'
import { migrate } from './migrate.ts'
import { socketUrl, startPostgres } from './postgres/postgres.ts'

const TEMPLATE = 'kalnet_template'

/** `KALNET_TEST_SYSTEM_POSTGRES=yes` runs everything on the system's PostgreSQL instead of the pinned one. */
export default async function setUp(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.KALNET_TEST_POSTGRES) return undefined
  const log = createLog('test database', 'warn')
  // Directly under /tmp: a socket's path must be short.
  const home = await mkdtemp('/tmp/kalnet-test-')
  const postgres = await startPostgres({
    dataFolder: join(home, 'data'),
    runtimeFolder: join(home, 'run'),
    log,
    system: process.env.KALNET_TEST_SYSTEM_POSTGRES === 'yes',
    // Nothing in a test outlives the run.
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
  })
  const sockets = join(home, 'run/postgres')
  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  await client.query(`create database ${TEMPLATE}`)
  await client.end()
  await migrate({ url: socketUrl(sockets, TEMPLATE), log })
  process.env.KALNET_TEST_POSTGRES = sockets
  return async () => {
    delete process.env.KALNET_TEST_POSTGRES
    await postgres.stop()
    await rm(home, { recursive: true, force: true })
  }
}
