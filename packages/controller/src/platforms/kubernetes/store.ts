/**
 * The pods of this installation as the cluster tells them: listed once, then watched. While it is told, nothing is asked; while it is not
 * (nobody listens, or the cluster is away), whoever wants to know asks.
 */
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { V1Pod } from '@kubernetes/client-node'
import { createAnnouncer } from '../announce.ts'
import { PlatformAway } from '../away.ts'
import { problemInWords } from '../reasons.ts'
import { type Api, ApiProblem } from './api.ts'
import { lastWord } from './farewell.ts'
import { paths, type Where } from './names.ts'
import { refusalInWords } from './observation.ts'
import type { Spaces } from './spaces.ts'

/** The API ends a watch after that, and what we may do is judged anew. That a way died is noticed by its silence. */
const WATCH_SECONDS = 600
const PAGE = 500
/** Of pods that went, what was told last is kept for whoever asks why. */
const MOST_GONE = 1_000

export interface PodStore {
  /** Null: it is not told at the moment, ask. */
  all(): V1Pod[] | null
  /** As told; null: there is none, undefined: it is not told at the moment. */
  one(at: Where): V1Pod | null | undefined
  /**
   * Whether it is told; the first word is waited for. False: nobody follows, ask. Throws `PlatformAway` while it is followed and nothing is
   * heard, so that a cluster that is away is asked by one, not by all.
   */
  isTold(): Promise<boolean>
  /** The last word about one that is gone. */
  last(name: string): V1Pod | null
  /** Resolves when that one changed, or when it begins or ends that we are told; at the latest by the signal. */
  heard(name: string, signal: AbortSignal): Promise<void>
  /** What an answer to ourselves said: it may be ahead of what is told. */
  take(pod: V1Pod): void
  /** Follows until the signal. */
  run(signal: AbortSignal): Promise<void>
  /** A pod that changed or is gone. */
  changes(signal: AbortSignal): AsyncIterable<V1Pod>
  /** Whether the cluster tells us, when that changes. */
  presence(signal: AbortSignal): AsyncIterable<boolean>
}

export const nameOf = (pod: V1Pod): string => pod.metadata?.name ?? ''
const version = (pod: V1Pod | undefined) => Number(pod?.metadata?.resourceVersion ?? 0)

interface List {
  metadata: { resourceVersion: string; continue?: string }
  items: V1Pod[]
}

export function createPodStore(parts: {
  api: Api
  /** Of one namespace, or of all. */
  spaces: Pick<Spaces, 'watched' | 'isOurs'>
  labelSelector: string
  clock: Clock
  log: Log
  random?: () => number
}): PodStore {
  const { api, spaces, labelSelector, clock, log } = parts
  const pods = new Map<string, V1Pod>()
  const changed = createAnnouncer<V1Pod>()
  const presence = createAnnouncer<boolean>()
  const path = paths.pods(spaces.watched)
  const gone = new Map<string, V1Pod>()
  /** Who waits for one of them: hundreds do at once, and each wakes up for its own only. */
  const waiting = new Map<string, Set<() => void>>()
  let isLive = false
  /** While it is followed: resolves with the first word or problem. */
  let first: PromiseWithResolvers<void> | null = null
  let problem: Error | null = null
  /** How far we were told. */
  let told = 0

  function setLive(now: boolean) {
    first?.resolve()
    if (isLive === now) return
    isLive = now
    presence.say(now)
    for (const name of waiting.keys()) wake(name)
  }
  function wake(name: string) {
    for (const go of waiting.get(name) ?? []) go()
  }
  function tell(pod: V1Pod) {
    wake(nameOf(pod))
    changed.say(pod)
  }
  function put(pod: V1Pod) {
    // Whoever may write elsewhere may write our labels there, too.
    if (!spaces.isOurs(pod)) return
    const known = pods.get(nameOf(pod))
    // An answer to us may be newer than what is told later.
    if (known && version(known) >= version(pod)) return
    // Who set which field is half of what is told of a pod, and nobody here asks.
    delete pod.metadata?.managedFields
    pods.set(nameOf(pod), pod)
    gone.delete(nameOf(pod))
    tell(pod)
  }
  function drop(pod: V1Pod) {
    if (!spaces.isOurs(pod)) return
    const last = lastWord(pods.get(nameOf(pod)), pod)
    pods.delete(nameOf(pod))
    gone.delete(nameOf(pod))
    gone.set(nameOf(pod), last)
    const [oldest] = gone.keys()
    if (gone.size > MOST_GONE && oldest) gone.delete(oldest)
    tell(pod)
  }

  async function list(): Promise<string> {
    const seen = new Set<string>()
    let next: string | undefined
    let at = ''
    do {
      const query = { labelSelector, limit: PAGE, ...(next && { continue: next }) }
      const page: List = await api.get<List>(path, query)
      for (const pod of page.items) {
        seen.add(nameOf(pod))
        put(pod)
      }
      next = page.metadata.continue
      at = page.metadata.resourceVersion
    } while (next)
    for (const pod of [...pods.values()]) if (!seen.has(nameOf(pod))) drop(pod)
    told = Number(at)
    return at
  }

  /** From one version on, until the API ends it. Answers how far it came. */
  async function watch(from: string, signal: AbortSignal): Promise<string> {
    let at = from
    const query = { labelSelector, resourceVersion: from, timeoutSeconds: WATCH_SECONDS }
    for await (const { type, object } of api.watch<V1Pod>(path, query, signal)) {
      if (type === 'ERROR') {
        const {
          code = 0,
          reason = '',
          message = '',
        } = object as { code?: number; reason?: string; message?: string }
        throw new ApiProblem(code, reason, message)
      }
      if (type === 'DELETED') drop(object)
      else if (type !== 'BOOKMARK') put(object)
      at = object.metadata?.resourceVersion ?? at
      told = Number(at)
    }
    return at
  }

  return {
    all: () => (isLive ? [...pods.values()] : null),
    one({ namespace, name }) {
      if (!isLive) return undefined
      const pod = pods.get(name)
      return pod?.metadata?.namespace === namespace ? pod : null
    },
    heard(name, signal) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const its = waiting.get(name) ?? new Set()
      waiting.set(name, its.add(resolve))
      const leave = () => {
        its.delete(resolve)
        if (its.size === 0 && waiting.get(name) === its) waiting.delete(name)
        resolve()
      }
      if (signal.aborted) leave()
      else signal.addEventListener('abort', leave, { once: true })
      return promise
    },
    async isTold() {
      await first?.promise
      if (isLive || !first) return isLive
      const why = problem instanceof ApiProblem ? refusalInWords(problem.status, problem.message) : null
      throw new PlatformAway(why ?? problemInWords(problem ?? 'the cluster does not answer'), {
        cause: problem,
      })
    },
    last: (name) => gone.get(name) ?? null,
    take(pod) {
      // What is not newer than what we were told may be gone by now.
      if (isLive && version(pod) > told) put(pod)
    },
    changes: changed.listen,
    presence: presence.listen,
    async run(signal) {
      let at = ''
      first = Promise.withResolvers()
      for (let attempt = 0; !signal.aborted; attempt += 1) {
        try {
          if (!at) at = await list()
          setLive(true)
          at = await watch(at, signal)
          attempt = -1
        } catch (error) {
          if (signal.aborted) break
          // 410 Gone: the cluster forgot what came after that version. Nothing was lost: all is read again.
          const isForgotten = error instanceof ApiProblem && error.status === 410
          // Forgotten again and again is a trouble of its own.
          if (!isForgotten || attempt > 1) {
            problem = error instanceof Error ? error : new Error(String(error))
            setLive(false)
            log.warn(
              { problem: error instanceof Error ? error.message : '' },
              'the cluster does not tell its pods',
            )
            await clock
              .sleep(backoff(Math.max(0, attempt), 250, 15_000, parts.random), signal)
              .catch(() => undefined)
          }
          at = ''
        }
      }
      setLive(false)
      first = null
    },
  }
}
