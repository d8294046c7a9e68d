/** How much room a cluster has, machine by machine: what they offer, without what pods have asked for. */
import type { Amounts, ClusterMachine } from '@kalnet/contracts/cluster'
import type { V1Node, V1Pod } from '@kubernetes/client-node'

const UNITS: Record<string, number> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  n: 1e-9,
  u: 1e-6,
}

/** A quantity as the API writes it (250m, 1.5Gi, 2e3); what is none counts as nothing. */
export function quantity(text: string | undefined): number {
  const [, number = '0', unit = ''] =
    /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)(m|n|u|k|[KMGTP]i|[MGT])?$/.exec(text ?? '') ?? []
  return Number(number) * (UNITS[unit] ?? 0)
}

export const NOTHING: Amounts = { cpus: 0, memoryBytes: 0, pods: 0 }
const plus = (one: Amounts, other: Amounts): Amounts => ({
  cpus: one.cpus + other.cpus,
  memoryBytes: one.memoryBytes + other.memoryBytes,
  pods: one.pods + other.pods,
})
const amountsOf = (offer: Record<string, string> | undefined): Amounts => ({
  cpus: quantity(offer?.cpu),
  memoryBytes: quantity(offer?.memory),
  pods: quantity(offer?.pods),
})

/**
 * What a pod sets aside where it is, as the scheduler counts it: its programs together, or the largest of those that run before them, one after
 * the other and beside the helpers that began before (KEP-753), and what comes with each pod.
 */
export function askedBy(pod: V1Pod): Amounts {
  const { containers = [], initContainers = [], overhead } = pod.spec ?? {}
  const of = (what: 'cpu' | 'memory') => {
    const asks = (it: { resources?: { requests?: Record<string, string> } }) =>
      quantity(it.resources?.requests?.[what])
    let [helpers, before] = [0, 0]
    for (const it of initContainers) {
      if (it.restartPolicy === 'Always') helpers += asks(it)
      before = Math.max(before, helpers + (it.restartPolicy === 'Always' ? 0 : asks(it)))
    }
    const running = containers.reduce((total, it) => total + asks(it), helpers)
    return Math.max(running, before) + quantity(overhead?.[what])
  }
  return { cpus: of('cpu'), memoryBytes: of('memory'), pods: 1 }
}

/** Somebody's claim to room on a machine. */
export interface Placed {
  machine: string
  asks: Amounts
}
const hasEnded = (pod: V1Pod) => ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '')
/** Null: it is nowhere, or over. */
export const placedOf = (pod: V1Pod): Placed | null =>
  pod.spec?.nodeName && !hasEnded(pod) ? { machine: pod.spec.nodeName, asks: askedBy(pod) } : null

function byMachine(placed: readonly Placed[]): Map<string, Amounts> {
  const sums = new Map<string, Amounts>()
  for (const { machine, asks } of placed) sums.set(machine, plus(sums.get(machine) ?? NOTHING, asks))
  return sums
}

/** Why nothing is put there, in words; empty: it takes what fits. */
function problemOf(node: V1Node): string {
  const conditions = node.status?.conditions ?? []
  const ready = conditions.find((it) => it.type === 'Ready')
  const words = (text: string | undefined) => (text ?? '').replace(/\s+/g, ' ').trim().slice(0, 200)
  if (!ready) return 'It has not said yet that it is ready'
  if (ready.status === 'Unknown') return 'It does not answer'
  if (ready.status !== 'True') return `It is not ready: ${words(ready.message) || words(ready.reason)}`
  const short = conditions.find((it) => it.status === 'True' && /Pressure$|Unavailable$/.test(it.type))
  if (short) return PRESSURE[short.type] ?? `It says ${short.type}`
  // Instances tolerate nothing: machines of the cluster's own parts are such.
  const kept = node.spec?.taints?.find((it) => it.effect !== 'PreferNoSchedule' && it.key !== CORDONED)
  return kept ? `It is kept for others: ${words(kept.key)}` : ''
}
/** Said of it by the cluster itself when somebody cordons it. */
const CORDONED = 'node.kubernetes.io/unschedulable'
const PRESSURE: Record<string, string> = {
  MemoryPressure: 'Its memory is nearly full',
  DiskPressure: 'Its disk is nearly full',
  PIDPressure: 'It runs nearly as many processes as it can',
  NetworkUnavailable: 'Its network is not set up',
}

/** `others` null: we may not look; then only what is ours is known to be taken. */
export function machinesOf(
  nodes: readonly V1Node[],
  ours: readonly Placed[],
  others: readonly Placed[] | null,
): ClusterMachine[] {
  const mine = byMachine(ours)
  const theirs = others && byMachine(others)
  return nodes
    .map((node) => {
      const name = node.metadata?.name ?? ''
      const detail = problemOf(node)
      return {
        name,
        ready: detail === '',
        detail,
        cordoned: node.spec?.unschedulable === true,
        capacity: amountsOf(node.status?.capacity),
        allocatable: amountsOf(node.status?.allocatable),
        ours: mine.get(name) ?? NOTHING,
        others: theirs && (theirs.get(name) ?? NOTHING),
      }
    })
    .sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }))
}

export interface Room {
  machines: number
  cpus: number
  memoryBytes: number
  cpusFree: number
  memoryFreeBytes: number
  /** What any one of them has at most: an instance is on one machine. */
  most: { memoryBytes: number; memoryFreeBytes: number; cpus: number; cpusFree: number }
}

/** Of the machines that take something. */
export function roomOf(machines: readonly ClusterMachine[]): Room {
  const open = machines.filter((it) => it.ready && !it.cordoned)
  const each = open.map(({ allocatable, ours, others }) => {
    const asked = plus(ours, others ?? NOTHING)
    const isFull = allocatable.pods > 0 && asked.pods >= allocatable.pods
    return {
      cpus: allocatable.cpus,
      memoryBytes: allocatable.memoryBytes,
      cpusFree: isFull ? 0 : Math.max(0, allocatable.cpus - asked.cpus),
      memoryFreeBytes: isFull ? 0 : Math.max(0, allocatable.memoryBytes - asked.memoryBytes),
    }
  })
  type Field = keyof Room['most']
  const sum = (field: Field) => each.reduce((total, it) => total + it[field], 0)
  const most = (field: Field) => Math.max(0, ...each.map((it) => it[field]))
  const fields: Field[] = ['cpus', 'memoryBytes', 'cpusFree', 'memoryFreeBytes']
  const of = (work: (field: Field) => number) =>
    Object.fromEntries(fields.map((field) => [field, work(field)])) as Room['most']
  return { machines: open.length, ...of(sum), most: of(most) }
}
