/** Certificates of the names we serve, fetched with their keys and kept in memory only: until they change, and a while when nobody answers. */
import { createSecureContext, type SecureContext } from 'node:tls'
import { KalnetError } from '@kalnet/contracts/errors'
import { joinedRoutes, type ServedCertificate } from '@kalnet/contracts/gateway-joined'
import type { Clock } from '@kalnet/io/clock'
import type { ControlPlanes } from './control-planes.ts'

/** Asked again after this long; the control plane makes them anew ten days before their end. */
const FRESH_MS = 6 * 3_600_000
/** One that could not be asked for anew serves on, and is asked for again after this long. */
const AGAIN_MS = 10_000
const MOST = 1_000

interface Kept {
  found: Promise<ServedCertificate & { context: SecureContext }>
  end: number
  due: number
}

export function createServedCertificates(
  planes: Pick<ControlPlanes, 'call'>,
  clock: Clock,
  signal: AbortSignal,
) {
  const kept = new Map<string, Kept>()
  let upstream: { found: Promise<SecureContext>; until: number } | null = null

  async function fetchFor(host: string) {
    const served = await planes.call(joinedRoutes.certificate, { query: { host }, signal })
    return { ...served, context: createSecureContext({ cert: served.chain, key: served.key }) }
  }
  function ask(host: string): Kept['found'] {
    const now = clock.now().getTime()
    const before = kept.get(host)
    if (before && before.due > now) return before.found
    if (kept.size >= MOST) kept.clear()
    const mine: Kept = { found: fetchFor(host), end: before?.end ?? 0, due: now + FRESH_MS }
    kept.set(host, mine)
    mine.found = mine.found.then(
      (served) => {
        mine.end = Date.parse(served.end)
        return served
      },
      (error: unknown) => {
        // It is not ours any more, or never was: that is an answer.
        const isGone = error instanceof KalnetError && error.status < 500
        if (kept.get(host) === mine) kept.delete(host)
        if (isGone || !before || before.end <= clock.now().getTime()) throw error
        kept.set(host, { ...before, due: clock.now().getTime() + AGAIN_MS })
        return before.found
      },
    )
    // Whoever asks hears of it; nobody may be asking any more.
    mine.found.catch(() => undefined)
    return mine.found
  }

  return {
    /** Null: not a name of ours. */
    async contextFor(name: string): Promise<SecureContext | null> {
      return (await ask(name)).context
    },
    /** For clients that name nobody, as they come by our address; null: this household does not run the installation. */
    async forNobody(address: string): Promise<ServedCertificate | null> {
      return ask(address).catch((error: unknown) => {
        if (error instanceof KalnetError && error.code === 'thing.unknown') return null
        throw error
      })
    },
    /** With what we show ourselves to services that ask for a certificate; a new one at half of its life. */
    upstream(): Promise<SecureContext> {
      const now = clock.now().getTime()
      if (upstream && upstream.until > now) return upstream.found
      const asked = planes.call(joinedRoutes.identity, { signal })
      const found = asked.then(({ chain, key, authority }) =>
        createSecureContext({ cert: chain, key, ca: authority }),
      )
      const mine = { found, until: now + AGAIN_MS }
      const before = upstream
      upstream = mine
      asked.then(
        ({ renewAt }) => {
          mine.until = Date.parse(renewAt)
        },
        () => {
          if (upstream === mine) upstream = before && { ...before, until: clock.now().getTime() + AGAIN_MS }
        },
      )
      return before ? found.catch(() => before.found) : found
    },
    /** Something changed: each is asked for anew when it is next wanted. */
    changed() {
      for (const one of kept.values()) one.due = 0
    },
  }
}
