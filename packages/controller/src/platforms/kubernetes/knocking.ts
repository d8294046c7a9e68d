/**
 * A kubelet looks only once a second whether a program has begun. A screen that answers has: whoever starts alone is not kept waiting for that
 * second. Where many start at once nobody knocks: then the cluster has enough to do, and a second is little of the time.
 */
import type { Clock } from '@kalnet/io/clock'
import type { Handle } from '../platform.ts'
import type { Api } from './api.ts'
import { forward } from './forward.ts'
import { DISPLAY_PORT } from './ports.ts'

/** Its network, its volumes and its program take a machine at least that. */
const FIRST_MS = 350
const PAUSE_MS = 120
/** What takes longer fetches its image first or has other troubles, and is told. */
const MOST_KNOCKS = 16
const ANSWER_MS = 2_000
const AT_ONCE = 4

export interface Knocking {
  /** Resolves true once its screen answers, false when it is given up. Never rejects. */
  until(handle: Handle, signal: AbortSignal): Promise<boolean>
}

export function createKnocking({ api, clock }: { api: Api; clock: Clock }): Knocking {
  let knocking = 0

  async function answers(handle: Handle, signal: AbortSignal): Promise<boolean> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
    try {
      const stream = await forward(api, handle, DISPLAY_PORT, limit)
      const { promise, resolve } = Promise.withResolvers<boolean>()
      stream.once('readable', () => resolve(stream.readableLength > 0))
      for (const over of ['end', 'close', 'error']) stream.on(over, () => resolve(false))
      limit.addEventListener('abort', () => resolve(false), { once: true })
      if (stream.readableLength > 0) resolve(true)
      const hasSpoken = await promise
      stream.destroy()
      return hasSpoken
    } catch {
      // Not yet: that is what is waited for.
      return false
    }
  }

  return {
    async until(handle, signal) {
      if (knocking >= AT_ONCE) return false
      knocking += 1
      try {
        for (let pause = FIRST_MS, times = 0; times < MOST_KNOCKS && !signal.aborted; times += 1) {
          await clock.sleep(pause, signal).catch(() => undefined)
          if (!signal.aborted && (await answers(handle, signal))) return !signal.aborted
          pause = PAUSE_MS
        }
        return false
      } finally {
        knocking -= 1
      }
    },
  }
}
