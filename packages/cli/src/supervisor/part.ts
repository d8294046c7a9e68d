/** Keeps one part running: starts it, sees it end, starts it again with back-off, until told to stop. */
import { backoff, type Clock, stamp } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { PartName, PartState } from './state.ts'

export interface Running {
  pid: number | null
  /** Resolves with the reason, for people, when it has ended by whatever cause. Never rejects. */
  ended: Promise<string>
  /** Ends it in order; resolves when it is gone. Idempotent. */
  stop(): Promise<void>
}
export interface Part {
  name: PartName
  /** Resolves when it serves. Ends what it began when the signal fires. */
  start(signal: AbortSignal): Promise<Running>
}
export interface Kept {
  state: PartState
  /** Resolves when it has served once; rejects when it could not be started three times in a row before that. */
  ready: Promise<void>
  stop(): Promise<void>
}

/** Having run this long counts as healthy: the next end is answered at once again. */
const HEALTHY_MS = 20_000
const FIRST_TRIES = 3

export function keepRunning(
  part: Part,
  { clock, log, changed = () => undefined }: { clock: Clock; log: Log; changed?: () => void },
): Kept {
  const state: PartState = {
    name: part.name,
    state: 'waiting',
    pid: null,
    startedAt: null,
    restarts: 0,
    problem: null,
  }
  const stopping = new AbortController()
  const { promise: ready, resolve: served, reject: gaveUp } = Promise.withResolvers<void>()
  // Whoever does not wait for it learns of the failure from the state.
  ready.catch(() => undefined)
  let running: Running | null = null

  const set = (change: Partial<PartState>) => {
    Object.assign(state, change)
    changed()
  }

  async function once(): Promise<number> {
    set({ state: 'starting', pid: null })
    running = await part.start(stopping.signal)
    const began = clock.now().getTime()
    set({ state: 'running', pid: running.pid, startedAt: stamp(clock) })
    served()
    const reason = await running.ended
    running = null
    if (stopping.signal.aborted) return 0
    log.warn({ part: part.name, reason }, 'a part ended; starting it again')
    set({ state: 'waiting', pid: null, startedAt: null, restarts: state.restarts + 1, problem: reason })
    return clock.now().getTime() - began
  }

  async function loop(): Promise<void> {
    let attempt = 0
    let failures = 0
    while (!stopping.signal.aborted) {
      try {
        if ((await once()) > HEALTHY_MS) attempt = 0
        failures = 0
      } catch (error) {
        if (stopping.signal.aborted) break
        failures++
        const problem = error instanceof Error ? error.message : String(error)
        log.error({ part: part.name, err: error }, 'a part could not be started')
        set({ state: 'waiting', pid: null, startedAt: null, problem })
        if (failures >= FIRST_TRIES) gaveUp(error)
      }
      if (stopping.signal.aborted) break
      // The first end is answered at once; a part that keeps ending waits longer each time.
      const wait = attempt === 0 ? 0 : backoff(attempt - 1, 250, 15_000)
      attempt++
      await clock.sleep(wait, stopping.signal).catch(() => undefined)
    }
  }
  const done = loop()

  return {
    state,
    ready,
    async stop() {
      stopping.abort(new Error('stopped'))
      gaveUp(new Error('stopped'))
      await running?.stop()
      await done
      set({ state: 'stopped', pid: null, startedAt: null })
    },
  }
}
