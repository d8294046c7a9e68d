/** PostgreSQL as a supervised child: unix socket only, ended cleanly with us, started again over whatever a kill left. */
import { mkdir, open, stat, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { start } from '@kalnet/io/spawn'
import pg from 'pg'
import { DATABASE, ensureCluster, ownFolder, SUPERUSER } from './cluster.ts'
import { letGo, stopOrphan, takeOver } from './orphan.ts'
import { databaseOwner, openWay, runAs } from './owner.ts'
import { findPrograms, type Programs } from './programs.ts'

export interface PostgresOptions {
  /** Kalnet's data folder; the cluster lies in `postgres/` inside. */
  dataFolder: string
  /** Kalnet's runtime folder; the socket lies in `postgres/` inside. Its path must be short. */
  runtimeFolder: string
  log: Log
  /** Use the system's programs instead of the pinned ones. */
  system?: boolean
  /** Further settings, for tests. */
  settings?: Record<string, string>
  signal?: AbortSignal
}
export interface Postgres {
  url: string
  pid: number
  version: string
  /** Fulfilled when the process has ended, asked or not: the supervisor starts it again by calling startPostgres anew. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Fast shutdown: clients are cut, everything acknowledged is on disk. Twice does no harm. */
  stop(): Promise<void>
}

const SOCKET = '.s.PGSQL.5432'
/** sockaddr_un holds 107 bytes and a zero (unix(7)). */
const SOCKET_BYTES = 107
const LOG_BYTES = 5 * 2 ** 20
const STARTUP_MS = 600_000

/** Small-box settings, measured; minimal WAL refuses backups, io_method exists since 18. Nothing a user typed reaches its log. */
const settingsFor = (programs: Programs, sockets: string): Record<string, string> => ({
  listen_addresses: '',
  unix_socket_directories: sockets,
  unix_socket_permissions: '0700',
  shared_buffers: '32MB',
  max_connections: '40',
  jit: 'off',
  wal_level: 'replica',
  max_wal_senders: '0',
  ...(programs.major >= 18 ? { io_method: 'sync' } : {}),
  huge_pages: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_statement: 'none',
})

export const socketUrl = (sockets: string, database = DATABASE) =>
  `postgres://${SUPERUSER}@localhost/${database}?host=${encodeURIComponent(sockets)}`

async function logFile(path: string) {
  const size = await stat(path).then(
    (it) => it.size,
    () => 0,
  )
  if (size > LOG_BYTES) await truncate(path, 0)
  return open(path, 'a', 0o600)
}

/** Starts it, or starts it again: idempotent per data folder. Ready when it returns, with the database made. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { dataFolder, runtimeFolder, log, signal } = options
  const folder = join(dataFolder, 'postgres')
  const sockets = join(runtimeFolder, 'postgres')
  if (Buffer.byteLength(join(sockets, SOCKET)) > SOCKET_BYTES)
    throw new Error(
      `The path ${sockets} is too long for a socket. Choose a shorter runtime folder (KALNET_HOME).`,
    )
  const owner = await databaseOwner()
  await mkdir(folder, { recursive: true })
  await mkdir(runtimeFolder, { recursive: true })
  await takeOver(folder)
  const ours = [dataFolder, dirname(dataFolder), runtimeFolder, dirname(runtimeFolder), folder]
  await openWay(dataFolder, ours, owner)
  await openWay(runtimeFolder, ours, owner)
  const programs = await findPrograms({ dataFolder, owner, system: options.system })
  await ownFolder(folder, owner)
  await ownFolder(sockets, owner)
  const cluster = await ensureCluster(folder, owner, programs, signal)
  await stopOrphan(cluster, log)

  const settings = { ...settingsFor(programs, sockets), ...options.settings }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const [command, args] = runAs(owner, programs.postgres, ['-D', cluster, ...flags], true)
  const output = await logFile(join(folder, 'postgres.log'))
  const child = start(command, args, {
    cwd: '/',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stdio: ['ignore', output.fd, output.fd],
  })
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, ended) => resolve({ code, signal: ended }))
    child.once('error', () => resolve({ code: null, signal: null }))
  })
  await output.close()
  let over = false
  void exited.then(() => {
    over = true
  })
  const stop = async () => {
    if (!over) child.kill('SIGINT')
    const late = setTimeout(() => child.kill('SIGQUIT'), 20_000)
    await exited
    clearTimeout(late)
    await letGo(folder)
  }
  try {
    await untilReady(socketUrl(sockets, 'postgres'), () => over, join(folder, 'postgres.log'), signal)
    await ensureDatabase(socketUrl(sockets, 'postgres'))
  } catch (error) {
    await stop()
    throw error
  }
  log.info({ pid: child.pid, version: programs.version, user: owner.name }, 'database ready')
  return { url: socketUrl(sockets), pid: child.pid ?? 0, version: programs.version, exited, stop }
}

/** Recovery after a kill may take its time: waits while the process lives, up to ten minutes. */
async function untilReady(
  url: string,
  over: () => boolean,
  logPath: string,
  signal?: AbortSignal,
): Promise<void> {
  const until = Date.now() + STARTUP_MS
  while (true) {
    signal?.throwIfAborted()
    if (over()) throw new Error(`The database ended while starting. What it said is in ${logPath}`)
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return
    } catch (error) {
      if (Date.now() > until)
        throw new Error(`The database does not answer; see ${logPath}`, { cause: error })
      await systemClock.sleep(25, signal)
    } finally {
      await client.end().catch(() => undefined)
    }
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE])
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(DATABASE)}`)
  } finally {
    await client.end()
  }
}
