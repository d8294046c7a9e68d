/** What is told of a cluster: its machines, what waits in it and why, what is missing. Pure over what is known. */
import { type ClusterReport, MACHINES_MOST, WAITING_MOST } from '@kalnet/contracts/cluster'
import type { V1Node, V1Pod, V1StorageClass } from '@kubernetes/client-node'
import { GATE } from './names.ts'
import { hasBegun, waitingOf } from './observation.ts'
import { handleFrom } from './pod.ts'
import type { Right } from './rights.ts'
import { machinesOf, type Placed, placedOf } from './room.ts'

export interface Known {
  version: string
  namespaces: readonly string[]
  nodes: readonly V1Node[] | null
  ours: readonly V1Pod[]
  others: readonly Placed[] | null
  classes: readonly V1StorageClass[] | null
  /** The class that ours are made of; undefined: the usual one. */
  chosen: string | undefined
  missing: readonly { right: string; why: string }[]
  registry: ClusterReport['registry']
}

const USUAL = 'storageclass.kubernetes.io/is-default-class'
const time = (it: Date | string | null | undefined) => (it ? new Date(it).toISOString() : null)

/** Each verb of a right by itself, as people read it. */
export const inWords = (rights: readonly Right[], where: string) =>
  rights.map(({ verbs, group, resource, why }) => ({
    right: `${verbs.join(', ')} ${group ? `${resource}.${group}` : resource} ${where}`.slice(0, 200),
    why: why.slice(0, 300),
  }))

/** Since when it waits: for a machine, or on it for what it needs. */
function sinceOf(pod: V1Pod): string {
  const placed = pod.status?.conditions?.find((it) => it.type === 'PodScheduled')
  const at = placed?.status === 'True' ? placed.lastTransitionTime : pod.metadata?.creationTimestamp
  return time(at) ?? new Date(0).toISOString()
}

function whyOf(pod: V1Pod): string {
  if (pod.metadata?.deletionTimestamp) return 'It is being taken away'
  if (pod.spec?.schedulingGates?.some((it) => it.name === GATE))
    return 'Its walls and its files are being prepared'
  if (pod.spec?.schedulingGates?.length) return 'Somebody else holds it back'
  const said = waitingOf(pod)?.text
  if (said) return said.slice(0, 500)
  return pod.spec?.nodeName ? 'Its machine has not begun with it yet' : 'A machine is being looked for'
}

export function waitingIn(pods: readonly V1Pod[]): ClusterReport['waiting'] {
  return pods
    .flatMap((pod) => {
      const handle = handleFrom(pod)
      if (!handle || hasBegun(pod)) return []
      return [{ instanceId: handle.instanceId, text: whyOf(pod), since: sinceOf(pod) }]
    })
    .sort(
      (one, other) => one.since.localeCompare(other.since) || one.instanceId.localeCompare(other.instanceId),
    )
}

export function reportOf(known: Known): ClusterReport {
  const { nodes, ours, others, classes, chosen } = known
  const placed = ours.flatMap((pod) => placedOf(pod) ?? [])
  const machines = nodes && machinesOf(nodes, placed, others)
  const waiting = waitingIn(ours)
  const storageClasses = classes?.map(({ metadata = {} }) => {
    const { name = '', annotations = {} } = metadata
    return { name, usual: annotations[USUAL] === 'true', chosen: name === chosen }
  })
  return {
    version: known.version.slice(0, 100),
    namespaces: known.namespaces.slice(0, 1000),
    machines: machines?.slice(0, MACHINES_MOST) ?? null,
    machineCount: machines?.length ?? 0,
    waiting: waiting.slice(0, WAITING_MOST),
    waitingCount: waiting.length,
    missing: known.missing.slice(0, 100),
    registry: known.registry,
    storageClasses:
      storageClasses?.sort((one, other) => one.name.localeCompare(other.name)).slice(0, 200) ?? null,
  }
}
