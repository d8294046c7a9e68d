/** A cluster as people are shown it, kept up to date from what it tells; nothing is asked again and again but what is never told. */
import type { ClusterReport } from '@kalnet/contracts/cluster'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { V1Node, V1Pod, V1StorageClass } from '@kubernetes/client-node'
import { createRegistryClient } from '../../images/oci/client.ts'
import { RegistryProblem } from '../../images/oci/pushed.ts'
import { hostOf } from '../../images/oci/settings.ts'
import { problemInWords } from '../reasons.ts'
import type { Api } from './api.ts'
import { createFollowed } from './followed.ts'
import { LABELS } from './names.ts'
import { inWords, reportOf } from './report.ts'
import { CLUSTER_RIGHTS, ifAllowed, OTHERS_RIGHTS } from './rights.ts'
import { machinesOf, type Placed, placedOf, type Room, roomOf } from './room.ts'
import type { KubernetesSettings } from './settings.ts'
import type { PodStore } from './store.ts'

const REGISTRY_MS = 10_000
const WHOLE = 'in the whole cluster'

export interface OverviewParts {
  api: Api
  store: Pick<PodStore, 'all'>
  settings: KubernetesSettings
  installation: string
  clock: Clock
  log: Log
}

/** Of a machine only what is told of it: the rest changes all the time. `host`: whose images we want to know of. */
const slimmed = (host: string | null, { metadata, spec, status }: V1Node): V1Node => ({
  metadata: { name: metadata?.name ?? '' },
  spec: { unschedulable: spec?.unschedulable === true, taints: spec?.taints },
  status: {
    images: status?.images?.flatMap((it) => {
      const names = (it.names ?? []).filter((name) => host !== null && name.startsWith(`${host}/`))
      return names.length > 0 ? [{ names }] : []
    }),
    capacity: status?.capacity,
    allocatable: status?.allocatable,
    conditions: status?.conditions?.map(({ type, status: is, message, reason }) => ({
      type,
      status: is,
      message,
      reason,
    })),
  },
})

export function createOverview({ api, store, settings, installation, clock, log }: OverviewParts) {
  let isOld = true
  let last: ClusterReport | null = null
  /** Null: it was not looked at yet. */
  let version: string | null = null
  let missingHere: string[] = []
  let classes: V1StorageClass[] | null = null
  let registry: ClusterReport['registry'] = { address: null, state: 'none', detail: '' }
  let ours: V1Pod[] = []
  const changed = () => {
    isOld = true
  }
  const around = { api, changed, clock, log }
  const host = settings.registry ? hostOf(settings.registry) : null
  const nodes = createFollowed<V1Node, V1Node>({
    ...around,
    path: '/api/v1/nodes',
    keep: (node) => slimmed(host, node),
  })
  /** Everybody's but ours, on machines, as long as they last. */
  const others = createFollowed<V1Pod, Placed>({
    ...around,
    path: '/api/v1/pods',
    query: {
      fieldSelector: 'spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed',
      // Ours are told already.
      labelSelector: `${LABELS.installation}!=${installation}`,
    },
    keep: placedOf,
  })
  const placed = () => {
    ours = store.all() ?? ours
    return ours.flatMap((pod) => placedOf(pod) ?? [])
  }

  async function lookAtRegistry(signal: AbortSignal) {
    registry = await askRegistry(signal)
    changed()
  }
  async function askRegistry(signal: AbortSignal): Promise<ClusterReport['registry']> {
    const its = settings.registry
    if (!its) return { address: null, state: 'none', detail: '' }
    const address = [its.url.replace(/\/$/, ''), its.repositoryPrefix].filter(Boolean).join('/')
    const client = createRegistryClient(its, clock)
    const limit = AbortSignal.any([signal, AbortSignal.timeout(REGISTRY_MS)])
    try {
      // Its own "are you one" (OCI distribution, end-1).
      const { status } = await client.once({ method: 'GET', at: '/v2/', scopes: [], signal: limit })
      return status < 400
        ? { address, state: 'answers', detail: '' }
        : { address, state: 'refuses', detail: `it answered ${status}` }
    } catch (error) {
      const refuses = error instanceof RegistryProblem
      return {
        address,
        state: refuses ? 'refuses' : 'away',
        detail: problemInWords(error).slice(0, 500),
      }
    } finally {
      await client.close()
    }
  }

  const missing = () => [
    ...missingHere.map((right) => ({
      right: `${right} in ${settings.namespace}`.slice(0, 200),
      why: 'without it nothing is started here',
    })),
    ...inWords(
      CLUSTER_RIGHTS.filter((it) => (it.resource === 'nodes' ? nodes.isRefused() : classes === null)),
      WHOLE,
    ),
    ...(others.isRefused() ? inWords(OTHERS_RIGHTS, WHOLE) : []),
  ]

  return {
    changed,
    /** Machines and pods of others, until the signal. */
    async run(signal: AbortSignal) {
      await Promise.all([nodes.run(signal), others.run(signal)])
    },
    /** What nobody tells; `missing`: rights in the namespace of instances. */
    async look(now: { version: string; missing: string[] }, signal: AbortSignal) {
      version = now.version
      missingHere = now.missing
      changed()
      const path = '/apis/storage.k8s.io/v1/storageclasses'
      const list = () => ifAllowed(() => api.get<{ items: V1StorageClass[] }>(path))
      const [found] = await Promise.all([
        list().catch((error: unknown) => {
          log.warn({ problem: problemInWords(error) }, 'classes of volumes cannot be read')
          return classes && { items: classes }
        }),
        lookAtRegistry(signal),
      ])
      classes = found?.items ?? null
      changed()
    },
    lookAtRegistry,
    machines: () => nodes.all(),
    /** Null: its machines are not known. */
    room(): Room | null {
      const all = nodes.all()
      return all && roomOf(machinesOf(all, placed(), others.all()))
    },
    /** The same object while nothing changed; null: nothing is known yet. */
    report(): ClusterReport | null {
      if (version === null) return null
      if (!isOld && last) return last
      isOld = false
      placed()
      const namespaces = new Set([
        settings.namespace,
        ...ours.flatMap((it) => it.metadata?.namespace ?? []).sort(),
      ])
      last = reportOf({
        version,
        namespaces: [...namespaces],
        nodes: nodes.all(),
        ours,
        others: others.all(),
        classes,
        chosen: settings.storageClass,
        missing: missing(),
        registry,
      })
      return last
    },
  }
}
export type Overview = ReturnType<typeof createOverview>
