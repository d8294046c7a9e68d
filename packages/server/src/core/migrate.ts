/** Brings a database to this release's schema: numbered plain SQL files, once each, safe with several starters at a time. */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Log } from '@kalnet/io/log'
import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import pg from 'pg'

export const MIGRATIONS = fileURLToPath(new URL('../../migrations/', import.meta.url))
const FILE = /^\d{4}-[a-z-]+\.sql$/

export async function migrationFiles(folder = MIGRATIONS): Promise<{ name: string; text: string }[]> {
  const names = (await readdir(folder)).filter((name) => FILE.test(name)).sort()
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(`${folder}/${name}`, 'utf8') })))
}

async function migrations(folder: string): Promise<Record<string, Migration>> {
  const found: Record<string, Migration> = {}
  for (const { name, text } of await migrationFiles(folder)) {
    found[name.replace(/\.sql$/, '')] = {
      async up(db) {
        await sql.raw(text).execute(db)
      },
    }
  }
  return found
}

/** Does it twice, gets it once. Starters that come together wait for each other at PostgreSQL's lock. */
export async function migrate({
  url,
  log,
  folder = MIGRATIONS,
}: {
  url: string
  log: Log
  folder?: string
}): Promise<void> {
  await prepareRoles(url)
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    application_name: 'kalnet migrations',
    options: '-c timezone=UTC',
  })
  pool.on('error', (error) => log.warn({ problem: error.message }, 'the connection of the migrations broke'))
  pool.on('connect', (client) => client.on('error', () => undefined))
  const db = new Kysely<Record<string, never>>({
    dialect: new PostgresDialect({
      pool,
      onCreateConnection: async (connection) => {
        await connection.executeQuery(CompiledQuery.raw('set role kalnet_owner'))
      },
    }),
  })
  try {
    const migrator = new Migrator({ db, provider: { getMigrations: () => migrations(folder) } })
    const { error, results } = await migrator.migrateToLatest()
    for (const one of results ?? []) {
      if (one.status === 'Success') log.info({ migration: one.migrationName }, 'schema changed')
    }
    if (error) throw explained(error)
  } finally {
    await db.destroy()
  }
}

function explained(error: unknown): unknown {
  if (error instanceof Error && /previously executed migration .* is missing/.test(error.message)) {
    return new Error(
      'This database was used by a newer release of Kalnet. Start that release, or restore a backup made by this one.',
      { cause: error },
    )
  }
  return error
}

async function prepareRoles(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'kalnet migrations',
    connectionTimeoutMillis: 10_000,
  })
  // A line that breaks makes the query below fail; the event itself tells nothing more.
  client.on('error', () => undefined)
  await client.connect()
  try {
    // Several statements in one query are one transaction.
    await client.query(await readFile(`${MIGRATIONS}/roles.sql`, 'utf8'))
  } finally {
    await client.end()
  }
}
