/** For tests: a fresh migrated database per file, on the run's one PostgreSQL (testing.setup.ts). */
import { randomBytes } from 'node:crypto'
import { createLog } from '@kalnet/io/log'
import pg from 'pg'
import { createEvents, type Events } from './events.ts'
import { socketUrl } from './postgres/postgres.ts'
import { createStore, type Store } from './store.ts'

export interface TestStore {
  store: Store
  events: Events
  url: string
  /** Call it in afterAll: closes everything and drops the database. */
  end(): Promise<void>
}

async function asSuperuser(sockets: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: socketUrl(sockets, 'postgres') })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

/** `migrated: false`: an empty database, for tests of the migrations themselves. */
export async function testDatabase({
  migrated = true,
} = {}): Promise<{ url: string; drop(): Promise<void> }> {
  const sockets = process.env.KALNET_TEST_POSTGRES
  if (!sockets) throw new Error('Run by vitest with globalSetup packages/server/src/core/testing.setup.ts')
  const name = `test_${randomBytes(6).toString('hex')}`
  await asSuperuser(sockets, `create database ${name}${migrated ? ' template kalnet_template' : ''}`)
  return {
    url: socketUrl(sockets, name),
    drop: () => asSuperuser(sockets, `drop database if exists ${name} with (force)`),
  }
}

/** `beside`: another process on the database of an earlier one, which drops it. */
export async function testStore(beside?: { url: string }): Promise<TestStore> {
  const database = beside ? { url: beside.url, drop: async () => undefined } : await testDatabase()
  const log = createLog('test', 'silent')
  const store = await createStore({ url: database.url, log, connections: 6 })
  const events = createEvents({ store, log })
  return {
    store,
    events,
    url: database.url,
    async end() {
      events.close()
      await store.close()
      await database.drop()
    },
  }
}
