/** The one door to PostgreSQL: every read and write stands in a transaction that has taken a role, and a tenant where there is one. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Log } from '@kalnet/io/log'
import { type Dialect, Kysely, PostgresDialect, sql, type Transaction } from 'kysely'
import pg from 'pg'
import { storeError } from './store-errors.ts'

export { sql } from 'kysely'

/**
 * Statements are plain SQL: sql`...`.execute(tx). They stand in a file called `store.ts` (or `x.store.ts`), each as a function of
 * one flat object, gathered in an exported `statements`; core/statements.test.ts compiles each with samples and prepares
 * it against the migrated schema. Lists go in as one value: `= any(${ids}::uuid[])`.
 */
export type Tx = Transaction<Record<string, never>>
type Work<T> = (tx: Tx) => Promise<T>

export interface Scope {
  /** Read-only; sees one state of the data throughout. */
  read<T>(work: Work<T>): Promise<T>
  /** All or nothing. Keep it under a second: a long transaction holds back every reader of the outbox. */
  transaction<T>(work: Work<T>): Promise<T>
}
export interface Store {
  /** As kalnet_app, for one organisation: row-level security hides everything else, from reads too. */
  as(organisationId: string): Scope
  /** As kalnet_system: outbox, hub, sign-in look-up. */
  system: Scope
  /** A line of its own that LISTENs, comes back by itself, and calls `wake` after every (re)connect and notification. */
  listen(channel: string, wake: () => void, signal: AbortSignal): void
  /** Called once when this transaction is committed, however often it is said; it must not fail. */
  afterCommit(tx: Tx, work: () => void): void
  close(): Promise<void>
}

/**
 * What the current request wants written in the same transaction as its change (its audit row); what it returns is called
 * when that is committed. Set by the pipeline; null inside `aside`, for book-keeping that is not the change itself.
 */
export const beforeCommit = new AsyncLocalStorage<((tx: Tx) => Promise<() => void>) | null>()
export const aside = <T>(work: () => Promise<T>): Promise<T> => beforeCommit.run(null, work)

const TIMESTAMPTZ = 1184
/** Times leave the store as the API shows them: RFC 3339 UTC with milliseconds. int8 stays a string. */
const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === TIMESTAMPTZ && format !== 'binary') return (text: string) => new Date(text).toISOString()
    return pg.types.getTypeParser(oid, format ?? 'text')
  }) as typeof pg.types.getTypeParser,
}

export interface StoreOptions {
  url: string
  log: Log
  /** Connections at most. Default 16: the embedded server admits 40. */
  connections?: number
  /** Whether `listen` does; not behind a pooler (`database.listen`). Default true. */
  listens?: boolean
}

const settings = (url: string) => ({
  connectionString: url,
  application_name: 'kalnet',
  options:
    '-c timezone=UTC -c idle_in_transaction_session_timeout=5000 -c statement_timeout=30000 -c lock_timeout=10000',
  types,
})

const ID = /^[0-9a-f-]{36}$/

export async function createStore({
  url,
  log,
  connections = 16,
  listens = true,
}: StoreOptions): Promise<Store> {
  const closing = new AbortController()
  const pool = new pg.Pool({
    ...settings(url),
    max: connections,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
  })
  // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
  pool.on('error', (error) => {
    if (!closing.signal.aborted) log.warn({ problem: error.message }, 'a database connection broke')
  })
  // The same for one that breaks between two statements of a transaction: the next statement says so.
  pool.on('connect', (client) => client.on('error', () => undefined))
  const dialect: Dialect = new PostgresDialect({ pool })
  const db = new Kysely<Record<string, never>>({ dialect })

  const afterCommit = new WeakMap<Tx, Set<() => void>>()
  async function within<T>(role: string, organisation: string, reading: boolean, work: Work<T>): Promise<T> {
    const extra = beforeCommit.getStore()
    let committed: (() => void) | undefined
    let after: Set<() => void> | undefined
    try {
      const begin = reading
        ? db.transaction().setAccessMode('read only').setIsolationLevel('repeatable read')
        : db.transaction()
      const result = await begin.execute(async (tx) => {
        await sql`select set_config('role', ${role}, true), set_config('kalnet.organisation', ${organisation}, true)`.execute(
          tx,
        )
        const done = await work(tx)
        if (!reading) committed = await extra?.(tx)
        after = afterCommit.get(tx)
        return done
      })
      committed?.()
      for (const told of after ?? []) told()
      return result
    } catch (error) {
      throw storeError(error)
    }
  }
  const scope = (role: string, organisation: string): Scope => ({
    read: (work) => within(role, organisation, true, work),
    transaction: (work) => within(role, organisation, false, work),
  })
  const lines = new Set<Promise<void>>()
  return {
    as(organisationId) {
      if (!ID.test(organisationId)) throw new Error('store.as needs the id of an organisation')
      return scope('kalnet_app', organisationId)
    },
    system: scope('kalnet_system', ''),
    afterCommit(tx, work) {
      const all = afterCommit.get(tx) ?? new Set()
      afterCommit.set(tx, all.add(work))
    },
    listen(channel, wake, signal) {
      if (!listens) return
      const line = keepListening(url, channel, wake, AbortSignal.any([signal, closing.signal]), log)
      lines.add(line)
      void line.finally(() => lines.delete(line))
    },
    async close() {
      closing.abort()
      await Promise.all(lines)
      await db.destroy()
    },
  }
}

/** Holds one connection on LISTEN until the signal; a missed notification costs latency only, so every failure is just tried again. */
async function keepListening(url: string, channel: string, wake: () => void, signal: AbortSignal, log: Log) {
  while (!signal.aborted) {
    const client = new pg.Client({ ...settings(url), connectionTimeoutMillis: 5_000, keepAlive: true })
    const ended = new Promise<void>((resolve) => {
      client.once('end', resolve)
      client.on('error', () => resolve())
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    client.on('notification', wake)
    try {
      await client.connect()
      await client.query(`listen ${pg.escapeIdentifier(channel)}`)
      wake()
      await ended
    } catch (error) {
      log.debug(
        { problem: error instanceof Error ? error.message : String(error) },
        'cannot listen for events yet',
      )
    }
    // Ending a connection that is already broken has nothing to report.
    await client.end().catch(() => undefined)
    if (!signal.aborted)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500)
        signal.addEventListener(
          'abort',
          () => {
            clearTimeout(timer)
            resolve()
          },
          { once: true },
        )
      })
  }
}
