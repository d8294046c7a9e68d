/** Something of the whole cluster that we only want to know: listed once and then told, kept small; where we may not look, asked again now and then. */
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { V1ObjectMeta } from '@kubernetes/client-node'
import { type Api, ApiProblem } from './api.ts'

const WATCH_SECONDS = 600
const PAGE = 500
/** Rights change without a word to us. */
const REFUSED_MS = 1_800_000

interface Thing {
  metadata?: V1ObjectMeta
}
interface List<T> {
  metadata: { resourceVersion: string; continue?: string }
  items: T[]
}

export interface Followed<K> {
  /** As it was told last, also while the cluster is away; null: we may not look, or have not yet. */
  all(): K[] | null
  isRefused(): boolean
  /** Follows until the signal. */
  run(signal: AbortSignal): Promise<void>
}

/** `keep`: what is wanted of each, null for what is not wanted. */
export function createFollowed<T extends Thing, K>(parts: {
  api: Api
  path: string
  query?: Record<string, string>
  keep(it: T): K | null
  changed(): void
  clock: Clock
  log: Log
}): Followed<K> {
  const { api, path, query = {}, keep, changed, clock, log } = parts
  let known: Map<string, K> | null = null
  let isRefused = false
  const keyOf = ({ metadata = {} }: T) => `${metadata.namespace ?? ''}/${metadata.name}`

  async function list(): Promise<string> {
    const found = new Map<string, K>()
    let next: string | undefined
    for (;;) {
      const page: List<T> = await api.get(path, { ...query, limit: PAGE, ...(next && { continue: next }) })
      for (const it of page.items) {
        const kept = keep(it)
        if (kept !== null) found.set(keyOf(it), kept)
      }
      next = page.metadata.continue
      if (next) continue
      known = found
      isRefused = false
      changed()
      return page.metadata.resourceVersion
    }
  }

  function take(type: string, it: T) {
    const kept = type === 'DELETED' ? null : keep(it)
    if (kept === null) known?.delete(keyOf(it))
    else known?.set(keyOf(it), kept)
    changed()
  }

  async function watch(from: string, signal: AbortSignal): Promise<string> {
    let at = from
    const asked = { ...query, resourceVersion: from, timeoutSeconds: WATCH_SECONDS }
    for await (const { type, object } of api.watch<T>(path, asked, signal)) {
      if (type === 'ERROR') {
        const {
          code = 0,
          reason = '',
          message = '',
        } = object as { code?: number; reason?: string; message?: string }
        throw new ApiProblem(code, reason, message)
      }
      if (type !== 'BOOKMARK') take(type, object)
      at = object.metadata?.resourceVersion ?? at
    }
    return at
  }

  /** How long to wait before all is read again. */
  function pauseAfter(error: unknown, attempt: number): number {
    const status = error instanceof ApiProblem ? error.status : 0
    // The cluster forgot what came after that version.
    if (status === 410) return 0
    if (status === 403 || status === 404) {
      known = null
      isRefused = true
      changed()
      return REFUSED_MS
    }
    log.warn({ path, problem: error instanceof Error ? error.message : '' }, 'the cluster does not tell it')
    return backoff(attempt, 1_000, 60_000)
  }

  return {
    all: () => known && [...known.values()],
    isRefused: () => isRefused,
    async run(signal) {
      let at = ''
      for (let attempt = 0; !signal.aborted; attempt += 1) {
        try {
          if (!at) at = await list()
          at = await watch(at, signal)
          attempt = -1
        } catch (error) {
          if (signal.aborted) break
          at = ''
          const pause = pauseAfter(error, attempt)
          if (pause > 0) await clock.sleep(pause, signal).catch(() => undefined)
        }
      }
    },
  }
}
