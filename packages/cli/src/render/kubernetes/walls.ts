/** Who may speak to whom: nobody, but for what is named here. */
import { type Node, text, when } from './nodes.ts'
import { type Fields, metadata, PORT, selector } from './parts.ts'

type Rule = Fields
const pods = (part: string): Fields => ({ podSelector: { matchLabels: selector(part) } })
const tcp = (...ports: Node[]): Node => ports.map((port) => ({ protocol: 'TCP', port }))
const from = (parts: string[], ...ports: Node[]): Rule => ({ from: parts.map(pods), ports: tcp(...ports) })
const to = (parts: string[], ...ports: Node[]): Rule => ({ to: parts.map(pods), ports: tcp(...ports) })
const fromAnywhere = (...ports: Node[]): Rule => ({ ports: tcp(...ports) })
const names: Rule = {
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
}
/** Sign-in providers, mail, certificates, registries: what a house or a team has configured may be anywhere. */
const anywhere: Rule = {}

const wall = (part: string, ingress: readonly Node[], egress: readonly Node[]): Fields => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: metadata(part),
  spec: {
    podSelector: { matchLabels: selector(part) },
    policyTypes: ['Ingress', 'Egress'],
    ingress,
    egress,
  },
})

const HTTP = ['http', 'https'] as const
const toInstances: Rule = {
  to: [
    { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': text`${'instances.namespace'}` } } },
  ],
}

/** Before the walls of its instances stand: nothing in, nothing out. Each instance then gets its own. */
const instances: Fields = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'nobody', namespace: text`${'instances.namespace'}`, labels: selector('instances') },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
}

export const walls: readonly Node[] = [
  wall('control-plane', [fromAnywhere('api', ...HTTP)], [anywhere]),
  when(
    'gateway.enabled',
    wall('gateway', [fromAnywhere(...HTTP)], [names, to(['control-plane'], PORT), toInstances]),
  ),
  when('controller.enabled', wall('controller', [], [anywhere])),
  when('postgres.own', wall('postgres', [from(['control-plane'], 'postgres')], [])),
  when('nats.own', wall('nats', [from(['control-plane'], 'nats')], [])),
  instances,
].map((node) => when('networkPolicies', node))
