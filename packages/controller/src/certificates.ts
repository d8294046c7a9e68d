/** Certificates that instances were given: in memory only, shown to them before they start, and again when they are renewed. */
import type { ToController } from '@kalnet/contracts/controller'
import type { Log } from '@kalnet/io/log'
import { problemInWords } from './platforms/reasons.ts'
import type { Reconciler } from './reconcile.ts'

type Given = Extract<ToController, { type: 'identity.given' }>

/** An instance that asks for one waits so long for it before it starts without. */
const WAIT_MS = 10_000
export const CERTIFICATES_FOLDER = 'identity'

export interface Certificates {
  given(message: Given): void
  /** The files, as soon as they are here; null when they do not come in time. */
  wait(instanceId: string, signal: AbortSignal): Promise<Record<string, string> | null>
  /** Something about this instance changed: what came while it started is shown to it. */
  follow(id: string): void
}

const filesOf = ({ certificate, key, authority }: Given): Record<string, string> => ({
  'cert.pem': certificate,
  'key.pem': key,
  'ca.pem': authority,
})

export function createCertificates(options: {
  reconciler: Pick<Reconciler, 'running' | 'has'>
  log: Log
  signal: AbortSignal
  waitMs?: number
}): Certificates {
  const { reconciler, log, signal, waitMs = WAIT_MS } = options
  const known = new Map<string, Record<string, string>>()
  const waiting = new Map<string, Set<() => void>>()
  /** What each one has in its folder, of which generation: the same is not written again. */
  const shown = new Map<string, { generation: number; files: Record<string, string> }>()
  /** One after the other for each instance, so that the newest is what stays. */
  const placing = new Map<string, Promise<void>>()

  async function show(id: string) {
    const it = reconciler.running(id)
    const files = known.get(id)
    if (!it?.spec.identity || !files || signal.aborted) return
    const last = shown.get(id)
    if (last?.generation === it.generation && last.files === files) return
    try {
      await it.platform.place?.(it.handle, CERTIFICATES_FOLDER, files)
      shown.set(id, { generation: it.generation, files })
    } catch (error) {
      log.warn({ instance: id, problem: problemInWords(error) }, 'its certificate could not be shown to it')
    }
  }
  const queue = (id: string) => {
    const next = (placing.get(id) ?? Promise.resolve())
      .then(() => show(id))
      .finally(() => {
        if (placing.get(id) === next) placing.delete(id)
      })
    placing.set(id, next)
  }

  return {
    given(message) {
      known.set(message.instanceId, filesOf(message))
      for (const wake of waiting.get(message.instanceId) ?? []) wake()
      queue(message.instanceId)
    },
    wait(id, by) {
      const files = known.get(id)
      if (files) return Promise.resolve(files)
      return new Promise((resolve, reject) => {
        const its = waiting.get(id) ?? new Set()
        const settle = () => {
          clearTimeout(timer)
          by.removeEventListener('abort', onAbort)
          its.delete(wake)
          if (its.size === 0) waiting.delete(id)
        }
        const wake = () => {
          settle()
          resolve(known.get(id) ?? null)
        }
        const onAbort = () => {
          settle()
          reject(by.reason)
        }
        const timer = setTimeout(() => {
          log.warn({ instance: id }, 'it starts without its certificate, which has not come')
          wake()
        }, waitMs)
        if (by.aborted) return onAbort()
        by.addEventListener('abort', onAbort, { once: true })
        waiting.set(id, its.add(wake))
      })
    },
    follow(id) {
      if (reconciler.running(id)) return queue(id)
      shown.delete(id)
      // Gone for good, not only between two generations.
      if (!reconciler.has(id)) known.delete(id)
    },
  }
}
