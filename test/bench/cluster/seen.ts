/** When a cluster did what for a pod, as somebody beside us sees it: its own times are whole seconds, which say nothing here. */
import { type Api, createApi } from '@kalnet/controller/platforms/kubernetes/api'
import { LABELS } from '@kalnet/controller/platforms/kubernetes/names'
import { createSignIn } from '@kalnet/controller/platforms/kubernetes/sign-in'
import { systemClock } from '@kalnet/io/clock'
import type { CoreV1Event, V1Pod } from '@kubernetes/client-node'

export const SEEN = [
  'pod applied',
  'let go',
  'scheduled',
  'image present',
  'container created',
  'container started',
  'told as running',
] as const
export type Seen = Partial<Record<(typeof SEEN)[number], number>>

const AGAIN_MS = 200
/** Reasons of the kubelet's events. */
const EVENTS: Record<string, (typeof SEEN)[number]> = {
  Pulled: 'image present',
  Created: 'container created',
  Started: 'container started',
}

/** Milliseconds since the epoch, by instance; filled until the signal. */
export function watchPods(
  kubeconfig: string,
  namespace: string,
  signal: AbortSignal,
): (instanceId: string) => Seen {
  const api = createApi(createSignIn({ kubeconfig }))
  const seen = new Map<string, Seen>()
  const instances = new Map<string, string>()
  const note = (instanceId: string | undefined, what: (typeof SEEN)[number]) => {
    if (!instanceId) return
    const its = seen.get(instanceId) ?? {}
    its[what] ??= Date.now()
    seen.set(instanceId, its)
  }
  function look({ metadata = {}, spec, status }: V1Pod) {
    const instanceId = metadata.labels?.[LABELS.instance]
    if (!instanceId) return
    instances.set(metadata.name ?? '', instanceId)
    note(instanceId, 'pod applied')
    if (!spec?.schedulingGates?.length) note(instanceId, 'let go')
    if (spec?.nodeName) note(instanceId, 'scheduled')
    if (status?.containerStatuses?.[0]?.state?.running) note(instanceId, 'told as running')
  }
  void follow<V1Pod>(api, `/api/v1/namespaces/${namespace}/pods`, look, signal)
  void follow<CoreV1Event>(
    api,
    `/api/v1/namespaces/${namespace}/events`,
    ({ reason = '', involvedObject }) => {
      const what = EVENTS[reason]
      if (what) note(instances.get(involvedObject.name ?? ''), what)
    },
    signal,
  )
  return (instanceId) => seen.get(instanceId) ?? {}
}

async function follow<T>(api: Api, path: string, take: (it: T) => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const { type, object } of api.watch<T>(path, {}, signal))
        if (type === 'ADDED' || type === 'MODIFIED') take(object)
    } catch {
      // The API ends a watch when it likes: what was not seen is missing in a round.
    }
    await systemClock.sleep(AGAIN_MS, signal).catch(() => undefined)
  }
}
