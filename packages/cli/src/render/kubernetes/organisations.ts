/** What a controller may do where each organisation has a namespace of its own: the driver's own table, with the names of this installation. */
import { spaceObjects } from '@kalnet/controller/platforms/kubernetes/space-rights'
import { type Node, type Path, Text, text, when } from './nodes.ts'
import { type Fields, selector, variable } from './parts.ts'

/** Words that stand in the driver's table for what is known only when it is filled in. */
const HOLES: Record<string, readonly (string | { path: Path })[]> = {
  INSTANCES: [{ path: 'instances.namespace' }],
  HOME: [{ path: 'release.namespace' }],
  ACCOUNT: [{ path: 'release.name' }, '-controller'],
}

function holed(it: unknown): Node {
  if (typeof it === 'string') {
    const pieces = it.split(/(INSTANCES|HOME|ACCOUNT)/).filter((piece) => piece !== '')
    return pieces.some((piece) => piece in HOLES)
      ? new Text(pieces.flatMap((piece) => HOLES[piece] ?? piece))
      : it
  }
  if (Array.isArray(it)) return it.map(holed)
  if (typeof it !== 'object' || it === null) return it as Node
  return Object.fromEntries(Object.entries(it).map(([key, inner]) => [key, holed(inner)]))
}

const labelled = (it: Fields): Fields => ({
  ...it,
  metadata: { ...(it.metadata as Fields), labels: selector('controller') },
})

export const organisations: readonly Node[] = spaceObjects({
  namespace: 'INSTANCES',
  account: 'ACCOUNT',
  home: 'HOME',
}).map((it) => when(['controller.enabled', 'instances.perOrganisation'], labelled(holed(it) as Fields)))

/** How the controller is told. */
export const organisationVariables: readonly Node[] = [
  variable('KALNET_KUBERNETES_NAMESPACES', 'per-organisation'),
  variable('KALNET_KUBERNETES_QUOTA_INSTANCES', text`${'instances.quota.instances'}`),
  variable('KALNET_KUBERNETES_QUOTA_CPUS', text`${'instances.quota.cpus'}`),
  variable('KALNET_KUBERNETES_QUOTA_MEMORY', text`${'instances.quota.memory'}`),
  variable('KALNET_KUBERNETES_QUOTA_STORAGE', text`${'instances.quota.storage'}`),
  variable('KALNET_KUBERNETES_QUOTA_VOLUMES', text`${'instances.quota.volumes'}`),
  variable('KALNET_KUBERNETES_MOST_CPUS', text`${'instances.most.cpus'}`),
  variable('KALNET_KUBERNETES_MOST_MEMORY', text`${'instances.most.memory'}`),
  variable('KALNET_KUBERNETES_MOST_VOLUME', text`${'instances.most.volume'}`),
].map((it) => when('instances.perOrganisation', it))
