/** Who reaches instances by the addresses of their pods: the controller, and those of this installation that are the way in. */
import { type Node, Text, text, when } from './nodes.ts'
import { variable } from './parts.ts'

/** Who says so reaches what another of them says it has in it. */
export const NETWORK = variable('KALNET_NETWORK', text`${'release.namespace'}/${'release.name'}`)

/** By the labels of `selector`, as the walls of instances know them. */
const podsOf = (...parts: string[]): Node =>
  new Text(
    parts.flatMap((part, index) => [
      ...(index > 0 ? [','] : []),
      { path: 'release.namespace' },
      '/app.kubernetes.io/name=kalnet&app.kubernetes.io/instance=',
      { path: 'release.name' },
      `&app.kubernetes.io/component=${part}`,
    ]),
  )

/** Of no use, and wrong, where no gateway of the same installation is in the same cluster. */
export const OF_GATEWAYS: ReadonlySet<string> = new Set([
  'KALNET_NETWORK',
  'KALNET_KUBERNETES_DIRECT_GATEWAYS',
])

export const directVariables: readonly Node[] = [
  NETWORK,
  variable('KALNET_KUBERNETES_DIRECT_CONTROLLERS', podsOf('controller')),
  // Both, whichever is the way in now: instances keep the walls that they were started with, and gateways may come and go after that.
  variable('KALNET_KUBERNETES_DIRECT_GATEWAYS', podsOf('control-plane', 'gateway')),
].map((node) => when('controller.direct', node))
