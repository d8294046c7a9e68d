/**
 * What instances use at this moment, as somebody in the cluster measures it (metrics.k8s.io, v1beta1). A cluster need not have anybody who
 * does: then it is not known, which is something else than nothing. Asked only when somebody wants to know.
 */
import type { V1Pod } from '@kubernetes/client-node'
import type { Handle, Use, Used } from '../platform.ts'
import { problemInWords } from '../reasons.ts'
import { type Api, ApiProblem } from './api.ts'
import { ownerLabels, paths, selector } from './names.ts'
import { handleFrom } from './pod.ts'
import type { Pods } from './pods.ts'
import { quantity } from './room.ts'

/** As far as it is read. */
export interface PodMetrics {
  metadata?: { name?: string; namespace?: string }
  timestamp?: string
  containers?: { usage?: Record<string, string> }[]
}

const placeOf = (it: { metadata?: { name?: string; namespace?: string } }) =>
  `${it.metadata?.namespace}/${it.metadata?.name}`

/** By our own pods: what somebody else calls like one of ours is not there. */
export function usesOf(pods: readonly V1Pod[], measured: readonly PodMetrics[]): Use[] {
  const by = new Map(measured.map((it) => [placeOf(it), it]))
  return pods.flatMap((pod) => {
    const handle = handleFrom(pod)
    const its = by.get(placeOf(pod))
    // One that has just begun was not measured yet.
    if (!handle || !its?.containers?.length || !its.timestamp) return []
    const sum = (what: 'cpu' | 'memory') =>
      (its.containers ?? []).reduce((total, { usage }) => total + quantity(usage?.[what]), 0)
    const { instanceId, generation } = handle
    return [{ instanceId, generation, cpus: sum('cpu'), memoryBytes: sum('memory'), at: its.timestamp }]
  })
}

function why(error: unknown): string {
  if (!(error instanceof ApiProblem)) return problemInWords(error)
  if (error.status === 404) return 'Nobody in the cluster measures what pods use (metrics API)'
  if (error.status === 403) return 'We may not list pods of metrics.k8s.io'
  return `Whoever measures in the cluster does not answer (${error.status})`
}

export async function useOf(
  parts: { api: Api; pods: Pods; installation: string },
  handles: readonly Pick<Handle, 'instanceId'>[],
): Promise<Used> {
  const { api, pods, installation } = parts
  const asked = new Set(handles.map((it) => it.instanceId))
  const ours = (await pods.list()).filter((pod) => asked.has(handleFrom(pod)?.instanceId ?? ''))
  const namespaces = [...new Set(ours.map((it) => it.metadata?.namespace ?? ''))]
  const labelSelector = selector(ownerLabels({ installation }))
  try {
    const lists = await Promise.all(
      namespaces.map((it) => api.get<{ items: PodMetrics[] }>(paths.metrics(it), { labelSelector })),
    )
    return {
      known: true,
      instances: usesOf(
        ours,
        lists.flatMap((it) => it.items),
      ),
    }
  } catch (error) {
    return { known: false, why: why(error) }
  }
}
