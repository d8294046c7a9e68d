/** The control plane's own certificate while it runs: renewed before it ends, and made anew when the machine has another address. */
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'

export interface OwnTls {
  key: string | Buffer
  cert: string | Buffer
}
/** A laptop that joins a network is asked for by its new address soon. */
const LOOK_MS = 60_000

export interface KeepingParts {
  /** Changed in place: whoever was given it has the new one. */
  current: OwnTls
  /** What it should be now; the same where there is nothing to do. */
  renew(): Promise<OwnTls>
  /** New connections are shown this; what is open stays as it is. */
  took(tls: OwnTls): void
  clock: Clock
  log: Log
}

/** Until the signal. */
export async function keepTls({ current, renew, took, clock, log }: KeepingParts, signal: AbortSignal) {
  while (!signal.aborted) {
    // Aborted while waiting: the loop's condition ends it.
    await clock.sleep(LOOK_MS, signal).catch(() => undefined)
    if (signal.aborted) return
    try {
      const next = await renew()
      if (`${next.cert}` === `${current.cert}`) continue
      took(next)
      Object.assign(current, { key: next.key, cert: next.cert })
      log.info('Kalnet shows a new certificate of its own')
    } catch (error) {
      log.warn({ error }, 'the own certificate could not be renewed; tried again')
    }
  }
}
