/** What the machines of a cluster come to together. Pure. */
import type { ClusterMachine } from '@kalnet/contracts/cluster'

/** `others` null: not known. */
export interface Share {
  ours: number
  others: number | null
  all: number
}
export const shareOf = ({ ours, others, all }: Share): number =>
  all > 0 ? Math.min(1, (ours + (others ?? 0)) / all) : 0

type Field = 'cpus' | 'memoryBytes'
export const ofMachine = ({ ours, others, allocatable }: ClusterMachine, field: Field): Share => ({
  ours: ours[field],
  others: others ? others[field] : null,
  all: allocatable[field],
})
export const takes = (it: ClusterMachine) => it.ready && !it.cordoned

function together(machines: readonly ClusterMachine[], field: Field): Share {
  const shares = machines.map((it) => ofMachine(it, field))
  const sum = (what: (it: Share) => number) => shares.reduce((total, it) => total + what(it), 0)
  const isKnown = shares.every((it) => it.others !== null)
  return {
    ours: sum((it) => it.ours),
    others: isKnown ? sum((it) => it.others ?? 0) : null,
    all: sum((it) => it.all),
  }
}

/** Of the machines that take something; an instance is on one of them. */
export function sumOf(machines: readonly ClusterMachine[]) {
  const open = machines.filter(takes)
  const free = open.map((it) => {
    const { ours, others, all } = ofMachine(it, 'memoryBytes')
    return all - ours - (others ?? 0)
  })
  return {
    memory: together(open, 'memoryBytes'),
    cpus: together(open, 'cpus'),
    mostFree: Math.max(0, ...free),
  }
}

/** Those that take nothing first: they are what one looks for. */
export const inOrder = (machines: readonly ClusterMachine[]): ClusterMachine[] =>
  machines.toSorted(
    (one, other) =>
      Number(one.ready) - Number(other.ready) ||
      Number(other.cordoned) - Number(one.cordoned) ||
      one.name.localeCompare(other.name, 'en', { numeric: true }),
  )
