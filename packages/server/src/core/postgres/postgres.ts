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
const ATTEMPTS = 8

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
  const logPath = join(folder, 'postgres.log')
  const admin = socketUrl(sockets, 'postgres')
  for (let attempt = 1; ; attempt++) {
    const running = await launch(command, args, logPath)
    try {
      await untilReady(admin, running.over, logPath, signal)
      await ensureDatabase(admin)
      const { pid, exited } = running
      log.info({ pid, version: programs.version, user: owner.name }, 'database ready')
      const stop = async () => {
        await running.stop()
        await letGo(folder)
      }
      return { url: socketUrl(sockets), pid, version: programs.version, exited, stop }
    } catch (error) {
      const endedItself = running.over()
      await running.stop()
      // After a kill, children of the old one may still hold its shared memory for a moment.
      if (!endedItself || attempt === ATTEMPTS || signal?.aborted) {
        await letGo(folder)
        throw error
      }
      await systemClock.sleep(300, signal)
    }
  }
}

async function launch(command: string, args: string[], logPath: string) {
  const output = await logFile(logPath)
  const child = start(command, args, {
    cwd: '/',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stdio: ['ignore', output.fd, output.fd],
  })
  let over = false
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      over = true
      resolve({ code, signal })
    }
    child.once('exit', end)
    child.once('error', () => end(null, null))
  })
  await output.close()
  return {
    pid: child.pid ?? 0,
    exited,
    over: () => over,
    async stop() {
      if (!over) child.kill('SIGINT')
      const late = setTimeout(() => child.kill('SIGQUIT'), 20_000)
      await exited
      clearTimeout(late)
    },
  }
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
  // A line that breaks makes the query below fail; the event itself tells nothing more.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE])
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(DATABASE)}`)
  } finally {
    await client.end()
  }
}
