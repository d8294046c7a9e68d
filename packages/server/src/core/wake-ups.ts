/** How several servers wake each other's readers after a commit, besides NOTIFY: by NATS. What is missed costs latency, never data. */
import { readFile } from 'node:fs/promises'
import type { Config } from '@kalnet/contracts/config'
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node'

export interface WakeUps {
  /** Something was committed here. Never waits, never fails. */
  tell(): void
  /** Calls `wake` when somebody told us, and after each (re)connect for what was missed meanwhile. */
  hear(wake: () => void): void
  /** Null: no NATS is configured. */
  state(): 'waiting' | 'connected' | null
  close(): Promise<void>
}

/** However much is said on the subject, the outbox is not read oftener than this because of it. */
const SPACING_MS = 10
const CONNECT_MS = 5_000
const CLOSE_MS = 1_000
const PING_MS = 5_000
const RETRY_MS = 250
const RETRY_MOST_MS = 15_000
/** A line that held for this long was a good one: the next failure is a first one. */
const STEADY_MS = 5_000

/** Addresses without credentials, and whom to be there; the library takes them apart. */
export function natsOptions({ url = '', token }: Config['nats'], ca: string | null): ConnectionOptions {
  const servers = url.split(',').map((one) => new URL(one))
  const named = servers.find((one) => one.username !== '')
  const [user, pass] = [named?.username, named?.password].map((it) => decodeURIComponent(it ?? ''))
  const who = token ? { token } : pass ? { user, pass } : user ? { token: user } : {}
  const isSecret = ca !== null || servers.some((one) => one.protocol === 'tls:')
  return {
    servers: servers.map((one) => `${one.hostname}:${one.port || 4222}`),
    ...who,
    // Present: refused where the server speaks none. Absent: TLS where it is offered.
    ...(isSecret ? { tls: ca === null ? {} : { ca } } : {}),
    name: 'kalnet',
    // Coming back is ours, so that it never ends and is seen; what a server says of others is not followed.
    reconnect: false,
    ignoreClusterUpdates: true,
    noEcho: true,
    timeout: CONNECT_MS,
    maxPingOut: 2,
  }
}

/** Null: nobody needs to be told, NOTIFY is enough. */
export function createWakeUps(options: {
  config: Pick<Config, 'nats' | 'database'>
  clock: Clock
  log: Log
  /** How often a silent line is asked whether it is there. Two unanswered: it is not. */
  pingMs?: number
}): WakeUps | null {
  const { config, clock, log } = options
  const { nats } = config
  const isDeaf = !config.database.listen
  if (!nats.url && !isDeaf) return null
  const subject = `${nats.subject}.wake`
  const closing = new AbortController()
  const { signal } = closing
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  const wakes: (() => void)[] = []
  let connection: NatsConnection | null = null

  let heardAt = Number.NEGATIVE_INFINITY
  let later: NodeJS.Timeout | null = null
  function wakeAll() {
    later = null
    heardAt = performance.now()
    for (const wake of wakes) wake()
  }
  /** What was said is never looked at: anybody may have said it. */
  function heard() {
    if (later || signal.aborted) return
    const wait = heardAt + SPACING_MS - performance.now()
    if (wait <= 0) wakeAll()
    else later = setTimeout(wakeAll, wait)
  }

  /** Fulfilled when the line ended. */
  async function hold(): Promise<void> {
    const [{ connect }, ca] = await Promise.all([
      import('@nats-io/transport-node'),
      nats.authorityFile === undefined ? null : readFile(nats.authorityFile, 'utf8'),
    ])
    const connecting = connect({ ...natsOptions(nats, ca), pingInterval: options.pingMs ?? PING_MS })
    const line = await Promise.race([connecting, aborted])
    if (!line) {
      // Whoever answers after we stopped is hung up on.
      connecting.then((late) => late.close()).catch(() => undefined)
      return
    }
    try {
      let refused: Error | null = null
      line.subscribe(subject, {
        callback(error) {
          if (!error) return heard()
          refused = error
          void line.close()
        },
      })
      await line.flush()
      connection = line
      log.info({ server: line.getServer() }, 'NATS wakes us')
      heard()
      const ended = await Promise.race([line.closed(), aborted])
      const why = refused ?? ended
      if (why && !signal.aborted) throw why
    } finally {
      connection = null
      const limit = new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref())
      await Promise.race([line.close(), limit])
    }
  }

  async function keep() {
    for (let failures = 0; !signal.aborted; failures += 1) {
      const began = performance.now()
      let problem = 'it hung up'
      try {
        await hold()
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error)
      }
      if (signal.aborted) return
      if (performance.now() - began > STEADY_MS + CONNECT_MS) failures = 0
      if (failures === 0) log.warn({ problem }, 'NATS is not there; what is new is seen a little later')
      else log.debug({ problem }, 'NATS is still not there')
      // Aborted while waiting: the loop's condition ends it.
      await clock.sleep(backoff(failures, RETRY_MS, RETRY_MOST_MS), signal).catch(() => undefined)
    }
  }
  const kept = nats.url ? keep() : Promise.resolve()

  let telling = false
  return {
    tell() {
      if (telling) return
      telling = true
      // Many commits of one moment are one message.
      setImmediate(() => {
        telling = false
        if (signal.aborted) return
        if (isDeaf) wakeAll()
        if (connection && !connection.isClosed()) connection.publish(subject)
      })
    },
    hear: (wake) => void wakes.push(wake),
    state: () => (nats.url ? (connection ? 'connected' : 'waiting') : null),
    async close() {
      closing.abort()
      if (later) clearTimeout(later)
      await kept
    },
  }
}
