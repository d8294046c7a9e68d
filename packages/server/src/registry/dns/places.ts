/** Where names are answered: opened and closed as this machine joins and leaves networks; what cannot be opened is said, and tried again. */
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { DnsServer } from './server.ts'

export interface Places {
  /** Once; then again and again, until the signal. */
  settle(): Promise<void>
  keep(everyMs: number, signal: AbortSignal): Promise<void>
  addresses(): { host: string; port: number }[]
  problems(): string[]
  close(): Promise<void>
}

export function createPlaces(options: {
  /** Where names should be answered now. */
  hosts(): string[]
  serverAt(host: string): Pick<DnsServer, 'listen' | 'close'>
  clock: Clock
  log: Log
}): Places {
  const { hosts, serverAt, clock, log } = options
  const open = new Map<string, { server: Pick<DnsServer, 'close'>; place: { host: string; port: number } }>()
  const problems = new Map<string, string>()
  let isClosed = false
  let turn: Promise<void> = Promise.resolve()

  async function look(): Promise<void> {
    const wanted = new Set(isClosed ? [] : hosts())
    for (const [host, { server }] of open) {
      if (wanted.has(host)) continue
      open.delete(host)
      await server.close()
      if (!isClosed) log.info({ host }, 'names are not answered here any more')
    }
    for (const host of problems.keys()) if (!wanted.has(host)) problems.delete(host)
    for (const host of wanted) {
      if (open.has(host)) continue
      const server = serverAt(host)
      try {
        open.set(host, { server, place: await server.listen() })
        problems.delete(host)
        log.info({ host }, 'names are answered here')
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error)
        // Said once, however often it is tried.
        if (problems.get(host) !== problem) log.error({ host }, problem)
        problems.set(host, problem)
      }
    }
  }
  /** One after the other: what is being opened must not be opened twice. */
  function settle(): Promise<void> {
    turn = turn.then(look)
    return turn
  }

  return {
    settle,
    async keep(everyMs, signal) {
      while (!signal.aborted && !isClosed) {
        // Aborted while waiting: the loop's condition ends it.
        await clock.sleep(everyMs, signal).catch(() => undefined)
        await settle()
      }
    },
    addresses: () => [...open.values()].map((it) => it.place),
    problems: () => [...problems.values()],
    close() {
      isClosed = true
      return settle()
    },
  }
}
