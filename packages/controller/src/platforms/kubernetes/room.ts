/** How much room a cluster has: what its machines offer, without what their pods have asked for. */
import type { V1Node, V1Pod } from '@kubernetes/client-node'

export interface Room {
  cpus: number
  memoryBytes: number
  machines: number
}

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

const isOpen = (node: V1Node) =>
  !node.spec?.unschedulable &&
  node.status?.conditions?.some((it) => it.type === 'Ready' && it.status === 'True')

/** `pods`: those that we know of; others' are not ours to see, and count as if they were not there. */
export function roomOf(nodes: readonly V1Node[], pods: readonly V1Pod[]): { all: Room; free: Room } {
  const open = nodes.filter(isOpen)
  const names = new Set(open.map((it) => it.metadata?.name))
  const sum = (what: 'cpu' | 'memory') =>
    open.reduce((total, it) => total + quantity(it.status?.allocatable?.[what]), 0)
  const living = pods.filter(
    (it) => names.has(it.spec?.nodeName) && !['Succeeded', 'Failed'].includes(it.status?.phase ?? ''),
  )
  const asked = (what: 'cpu' | 'memory') =>
    living
      .flatMap((it) => it.spec?.containers ?? [])
      .reduce((total, it) => total + quantity(it.resources?.requests?.[what]), 0)
  const all = { cpus: sum('cpu'), memoryBytes: sum('memory'), machines: open.length }
  return {
    all,
    free: { ...all, cpus: all.cpus - asked('cpu'), memoryBytes: all.memoryBytes - asked('memory') },
  }
}
