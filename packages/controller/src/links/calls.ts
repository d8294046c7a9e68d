/** Who called whom by links, counted until it could be told. */
import type { FromController } from '@kalnet/contracts/controller'
import type { Clock } from '@kalnet/io/clock'

type Calls = Extract<FromController, { type: 'links.called' }>['calls']

const EVERY_MS = 3_000
/** Of one message. */
const MOST = 500
/** While the control plane is away: what is more than this is not kept. */
const KEPT = 10_000

export interface CallCounts {
  count(instanceId: string, link: string, targetId: string | null, isFailure: boolean): void
  /** Tells every few seconds, when something was called. */
  run(): Promise<void>
}

export function createCallCounts(options: {
  send(message: FromController): boolean
  clock: Clock
  signal: AbortSignal
}): CallCounts {
  const { send, clock, signal } = options
  const counts = new Map<string, Calls[number]>()

  function tell() {
    for (;;) {
      const some = [...counts].slice(0, MOST)
      if (some.length === 0 || !send({ type: 'links.called', calls: some.map(([, it]) => it) })) return
      for (const [key] of some) counts.delete(key)
    }
  }
  return {
    count(instanceId, link, targetId, isFailure) {
      const key = `${instanceId} ${link} ${targetId ?? ''}`
      const it = counts.get(key) ?? { instanceId, link, targetId, calls: 0, failures: 0 }
      if (!counts.has(key) && counts.size >= KEPT) return
      counts.set(key, it)
      it.calls += 1
      if (isFailure) it.failures += 1
    },
    async run() {
      while (!signal.aborted) {
        // Aborted while waiting: the loop's condition ends it.
        await clock.sleep(EVERY_MS, signal).catch(() => undefined)
        tell()
      }
    },
  }
}
