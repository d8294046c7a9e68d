/** Our pods: from what the cluster tells while it does, else by asking; waiting for one; ending one. */
import type { Clock } from '@kalnet/io/clock'
import type { V1Pod } from '@kubernetes/client-node'
import { PlatformAway } from '../away.ts'
import type { Handle } from '../platform.ts'
import { type Api, ApiProblem, isGone } from './api.ts'
import { LABELS, ownerLabels, paths, selector, type Where } from './names.ts'
import type { Spaces } from './spaces.ts'
import type { PodStore } from './store.ts'

const FIRST_PAUSE_MS = 60
const LONGEST_PAUSE_MS = 1_000
/** Only should a word of the cluster be lost. */
const TOLD_PAUSE_MS = 2_000

export interface Pods {
  list(instanceId?: string): Promise<V1Pod[]>
  /** Null: it is gone. */
  read(at: Where): Promise<V1Pod | null>
  /** Looks until `answer` is not null; throws `late` after the time. */
  until<T>(
    at: Where,
    answer: (pod: V1Pod | null) => T | null,
    how: { signal?: AbortSignal; limitMs: number; late(pod: V1Pod | null): Error },
  ): Promise<T>
  /** Its programs are asked to end and then killed; the pod stays, and tells how it ended. */
  end(at: Where, limitMs: number): Promise<void>
  /** Nothing of it is left afterwards: what hangs on it goes with it. */
  remove(at: Where): Promise<void>
}

const DELETE_MS = 60_000
const AWAY: unique symbol = Symbol('away')
export const whereOf = ({ data }: Handle): Where => ({
  namespace: String(data.namespace),
  name: String(data.pod),
})
export const whereOfPod = ({ metadata }: V1Pod): Where => ({
  namespace: metadata?.namespace ?? '',
  name: metadata?.name ?? '',
})
const hasEnded = (pod: V1Pod) => ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '')

export function createPods(parts: {
  api: Api
  store: PodStore
  installation: string
  spaces: Pick<Spaces, 'watched' | 'isOurs'>
  clock: Clock
}): Pods {
  const { api, store, installation, spaces, clock } = parts

  async function read({ namespace, name }: Where) {
    if (await store.isTold()) return store.one({ namespace, name }) ?? null
    try {
      return await api.get<V1Pod>(paths.pod(namespace, name))
    } catch (error) {
      if (isGone(error)) return null
      throw error
    }
  }

  const until: Pods['until'] = async (at, answer, { signal, limitMs, late }) => {
    const deadline = clock.now().getTime() + limitMs
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      signal?.throwIfAborted()
      const turn = new AbortController()
      const ended = signal ? AbortSignal.any([signal, turn.signal]) : turn.signal
      // Before it is looked at, so that nothing is told in between.
      const heard = store.heard(at.name, ended)
      const isLate = clock.now().getTime() >= deadline
      try {
        // A cluster that is away for a while is no answer.
        const pod = await read(at).catch((error: unknown): typeof AWAY => {
          if (error instanceof PlatformAway && !isLate) return AWAY
          throw error
        })
        const found = pod === AWAY ? null : answer(pod)
        if (found !== null) return found
        if (isLate && pod !== AWAY) throw late(pod)
        const ms = store.one(at) === undefined ? pause : TOLD_PAUSE_MS
        await Promise.race([heard, clock.sleep(ms, ended).catch(() => undefined)])
      } finally {
        turn.abort()
      }
    }
  }

  async function remove(at: Where) {
    const pod = await read(at)
    // One second is the shortest that waits for the machine: at once would only forget the pod, and leave its programs to run.
    const gracePeriodSeconds = pod && hasEnded(pod) ? 0 : 1
    const how = { gracePeriodSeconds, propagationPolicy: 'Background' }
    await api.remove(paths.pod(at.namespace, at.name), how)
    await until(at, (it) => (it ? null : true), {
      limitMs: DELETE_MS,
      late: (it) => new Error(`its machine ${it?.spec?.nodeName ?? ''} does not say that it has ended`),
    })
  }

  return {
    async list(instanceId) {
      if (await store.isTold())
        return (store.all() ?? []).filter(
          (it) => !instanceId || it.metadata?.labels?.[LABELS.instance] === instanceId,
        )
      const labelSelector = selector(ownerLabels({ installation, instanceId }))
      const { items } = await api.get<{ items: V1Pod[] }>(paths.pods(spaces.watched), { labelSelector })
      return items.filter(spaces.isOurs)
    },
    read,
    until,
    async end(at, limitMs) {
      const pod = await read(at)
      if (!pod || hasEnded(pod)) return
      // Nobody has begun with it: there is nothing that could end.
      if (!pod.status?.startTime) return remove(at)
      try {
        // The only way that keeps what it printed and how it ended: its time is over (activeDeadlineSeconds).
        const path = paths.pod(at.namespace, at.name)
        store.take(await api.patch<V1Pod>(path, { spec: { activeDeadlineSeconds: 1 } }))
      } catch (error) {
        if (isGone(error)) return
        if (!(error instanceof ApiProblem && error.status === 422)) throw error
      }
      await until(at, (it) => (!it || hasEnded(it) ? true : null), {
        limitMs,
        late: (it) => new Error(`its machine ${it?.spec?.nodeName ?? ''} does not say that it has ended`),
      })
    },
    remove,
  }
}
