/** Whether a session is used, as its streams hear it: a key or the pointer, a viewer that opens, or one that is open where that counts. */
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { createPulse } from '@kalnet/wire/pulse'
import { createInputWatch } from '@kalnet/wire/rfb-input'

export interface UseOptions {
  clock: Clock
  log: Log
  /** Writes it down. */
  used(sessionId: string): Promise<void>
}

/** Written down this often at most: whoever types must not cost a transaction for each key. */
const TOLD_MS = 10_000
const WATCHED_MS = 30_000

export function createUse({ clock, log, used }: UseOptions) {
  const told = new Map<string, number>()
  const open = new Map<string, number>()
  const pulse = createPulse(WATCHED_MS, clock)

  function heard(sessionId: string) {
    const now = clock.now().getTime()
    if (now - (told.get(sessionId) ?? 0) < TOLD_MS) return
    told.set(sessionId, now)
    used(sessionId).catch((error: unknown) => {
      told.delete(sessionId)
      log.warn({ error, sessionId }, 'that a session is used was not recorded')
    })
  }

  return {
    /** A viewer opened. `sent` hears what it sends; `leave` when it is over. `watching`: an open viewer is use. */
    opened(sessionId: string, watching: boolean, port: string) {
      const hear = () => heard(sessionId)
      hear()
      open.set(sessionId, (open.get(sessionId) ?? 0) + 1)
      const leavePulse = watching ? pulse.join(hear) : null
      return {
        // Of what is no screen, every byte is somebody's.
        sent: port === 'display' ? createInputWatch(hear) : hear,
        leave() {
          leavePulse?.()
          const left = (open.get(sessionId) ?? 1) - 1
          if (left > 0) open.set(sessionId, left)
          else {
            open.delete(sessionId)
            told.delete(sessionId)
          }
        },
      }
    },
  }
}
export type Use = ReturnType<typeof createUse>
