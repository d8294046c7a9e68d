/** The engine's own news about our containers, for as long as we listen; comes back after the engine does. */
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { z } from 'zod'
import { LABELS } from './container.ts'
import type { Engine } from './engine.ts'

const news = z.object({ Actor: z.object({ Attributes: z.record(z.string(), z.string()) }) })

export interface WatchParts {
  engine: Engine
  installation: string
  clock: Clock
  log: Log
  /** Something about this container changed. */
  tell(labels: Record<string, string>): void
  /** The engine can be asked (again), or has gone: anything may have changed meanwhile. */
  connected(isThere: boolean): Promise<void>
}

/** Runs until the signal is aborted. */
export async function watchEngine(parts: WatchParts, signal: AbortSignal): Promise<void> {
  const filters = {
    type: ['container'],
    event: ['die', 'oom', 'destroy', 'start'],
    label: [`${LABELS.installation}=${parts.installation}`],
  }
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const client = await parts.engine.patient()
      const stream = await client.getEvents({ filters: JSON.stringify(filters), abortSignal: signal })
      attempt = 0
      await parts.connected(true)
      let rest = ''
      for await (const chunk of stream) {
        const lines = (rest + chunk.toString()).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines.filter((it) => it.trim())) {
          const told = news.safeParse(JSON.parse(line))
          if (told.success) parts.tell(told.data.Actor.Attributes)
        }
      }
    } catch (error) {
      if (signal.aborted) return
      if (attempt === 0) parts.log.warn({ error: String(error) }, 'the container engine does not answer')
    }
    parts.engine.forget()
    if (signal.aborted) return
    await parts.connected(false)
    // Aborted while waiting: the loop's condition ends it.
    await parts.clock.sleep(backoff(attempt, 250, 5_000), signal).catch(() => undefined)
  }
}
