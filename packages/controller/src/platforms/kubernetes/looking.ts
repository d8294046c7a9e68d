/** What is seen of an instance. Nothing is called gone that was not asked for by its name, and marks that others changed are put back. */
import type { V1Pod } from '@kubernetes/client-node'
import type { Handle, Observation } from '../platform.ts'
import { type Api, isGone } from './api.ts'
import { farewellOf, standingOf } from './farewell.ts'
import { LABELS, paths } from './names.ts'
import { type Pods, whereOf } from './pods.ts'
import type { PodStore } from './store.ts'

export function createLooking(parts: { api: Api; pods: Pods; store: PodStore; installation: string }) {
  const { api, pods, store, installation } = parts

  /** By these it is found again, and told to us. */
  const marksOf = ({ instanceId, generation }: Handle) => ({
    'app.kubernetes.io/managed-by': 'kalnet',
    [LABELS.installation]: installation,
    [LABELS.instance]: instanceId,
    [LABELS.generation]: String(generation),
  })
  async function mend(pod: V1Pod, handle: Handle): Promise<void> {
    const labels = marksOf(handle)
    const there = pod.metadata?.labels ?? {}
    if (Object.entries(labels).every(([name, value]) => there[name] === value)) return
    const { namespace, name } = whereOf(handle)
    store.take(await api.patch<V1Pod>(paths.pod(namespace, name), { metadata: { labels } }))
  }
  async function ask({ namespace, name }: ReturnType<typeof whereOf>): Promise<V1Pod | null> {
    try {
      return await api.get<V1Pod>(paths.pod(namespace, name))
    } catch (error) {
      if (isGone(error)) return null
      throw error
    }
  }

  return async function observe(handle: Handle): Promise<Observation> {
    const at = whereOf(handle)
    const told = await pods.read(at)
    const last = store.last(at.name)
    // Whoever lost our marks is not told to us, and looks as if it were gone.
    const isSure = told !== null || Boolean(last?.metadata?.deletionTimestamp) || !store.all()
    const pod = isSure ? told : await ask(at)
    if (!pod) return last ? farewellOf(last) : { state: 'gone' }
    await mend(pod, handle)
    return standingOf(pod)
  }
}
