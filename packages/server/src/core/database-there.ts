/**
 * The first words with the database: where it is started at the same time, or its name is told later than ours, its turn is waited for.
 * What it says itself (a wrong password, no such database) is no reason to wait.
 */
import { type Clock, systemClock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import pg from 'pg'

/** Less than who looks after us gives us for a start: five minutes on a cluster. */
const LIMIT_MS = 240_000
const PAUSE_MS = 500
const ANSWER_MS = 5_000
/** Nobody listens there, or the name leads nowhere (getaddrinfo(3), connect(2)). */
const NOBODY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
])
/** It starts, or is in recovery: cannot_connect_now of PostgreSQL. */
const STARTING = '57P03'
const SILENT = /timeout expired|Connection terminated/

export function isNotThereYet(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code = '' } = error as { code?: string }
  return NOBODY.has(code) || code === STARTING || (code === '' && SILENT.test(error.message))
}

async function reach(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: ANSWER_MS })
  client.on('error', () => undefined)
  try {
    await client.connect()
  } finally {
    await client.end().catch(() => undefined)
  }
}

interface Waiting {
  url: string
  log: Log
  signal?: AbortSignal
  clock?: Clock
  limitMs?: number
  /** One attempt; throws what stood in the way. */
  attempt?: (url: string) => Promise<void>
}

/** Throws the last reason when its time is over. */
export async function untilDatabase({
  url,
  log,
  signal,
  clock = systemClock,
  limitMs = LIMIT_MS,
  attempt = reach,
}: Waiting): Promise<void> {
  const until = clock.now().getTime() + limitMs
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await attempt(url)
    } catch (error) {
      signal?.throwIfAborted()
      if (!isNotThereYet(error) || clock.now().getTime() > until) throw error
      if (isFirst) log.warn({ problem: (error as Error).message }, 'waiting for the database')
    }
    await clock.sleep(PAUSE_MS, signal)
  }
}
