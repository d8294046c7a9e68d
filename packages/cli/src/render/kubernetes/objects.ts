/** Everything that Kalnet is on a cluster, in the order in which it is applied. */

import { controller } from './controller.ts'
import { type Around, fill, type Node, text, when } from './nodes.ts'
import { organisations } from './organisations.ts'
import { KEPT, metadata, selector } from './parts.ts'
import { controlPlane, gateway } from './programs.ts'
import { stores } from './stores.ts'
import type { ClusterValues } from './values.ts'
import { walls } from './walls.ts'

/** The strictest of the profiles that a cluster knows itself (Pod Security Standards). */
export const RESTRICTED = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  'pod-security.kubernetes.io/warn': 'restricted',
}

const ground: readonly Node[] = [
  when('instances.create', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: text`${'instances.namespace'}`,
      labels: { ...selector('instances'), ...RESTRICTED },
      annotations: KEPT,
    },
  }),
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata('parts'),
    automountServiceAccountToken: false,
  },
]

/** Name of the template's file → its objects. */
export const OBJECTS: Record<string, readonly Node[]> = {
  ground,
  walls,
  stores,
  'control-plane': controlPlane,
  gateway,
  controller,
  organisations,
}

export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
}

/** Without helm: the objects themselves; the namespace of Kalnet is among them. */
export function manifests(values: ClusterValues, release: Around['release']): Manifest[] {
  const around = { values, release }
  const namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: release.namespace, labels: RESTRICTED },
  }
  const filled = Object.values(OBJECTS).flatMap((nodes) => nodes.map((node) => fill(node, around)))
  return [namespace, ...filled.filter((it) => it !== undefined)] as Manifest[]
}
