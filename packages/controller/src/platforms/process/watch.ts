/** Notices within half a second that an instance ended: one timer for all, two small reads of /proc each. */
import type { Log } from '@kalnet/io/log'
import type { Layout } from './layout.ts'
import { trim } from './output.ts'
import { isAlive } from './processes.ts'
import type { InstanceState } from './state.ts'

const LOOK_MS = 500
const TRIM_EVERY = 10

export interface Watch {
  add(state: InstanceState): void
  drop(instanceId: string): void
  start(signal: AbortSignal): void
}

export function createWatch(options: {
  layout: Layout
  log: Log
  tell(it: { instanceId: string; generation: number }): void
}): Watch {
  const living = new Map<string, InstanceState>()
  let watchers = 0
  let timer: NodeJS.Timeout | null = null
  let round = 0

  async function trimAll() {
    for (const { instanceId } of [...living.values()]) {
      await trim(options.layout.of(instanceId).log).catch((error) =>
        options.log.warn({ instance: instanceId, error }, 'its log could not be cut'),
      )
    }
  }

  function look() {
    for (const state of [...living.values()]) {
      if (isAlive(state.outer) && isAlive(state.inner)) continue
      living.delete(state.instanceId)
      options.tell({ instanceId: state.instanceId, generation: state.generation })
    }
    round += 1
    if (round % TRIM_EVERY === 0) void trimAll()
  }

  return {
    add(state) {
      if (state.phase === 'started') living.set(state.instanceId, state)
    },
    drop: (instanceId) => void living.delete(instanceId),
    start(signal) {
      if (signal.aborted) return
      watchers += 1
      timer ??= setInterval(look, LOOK_MS).unref()
      signal.addEventListener(
        'abort',
        () => {
          watchers -= 1
          if (watchers > 0 || !timer) return
          clearInterval(timer)
          timer = null
        },
        { once: true },
      )
    },
  }
}
