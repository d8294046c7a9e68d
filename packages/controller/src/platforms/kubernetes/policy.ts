/** The walls of an instance: who may reach it and what it may reach, for the network of the cluster to keep. */
import type { Network } from '@kalnet/contracts/instance'
import type { V1NetworkPolicy, V1NetworkPolicyEgressRule, V1Pod } from '@kubernetes/client-node'
import { contains, SPECIAL_RANGES } from '../process/blocked.ts'
import type { IngressRule } from './callers.ts'
import { LABELS, type Owned, ownerLabels } from './names.ts'
import { ownedBy } from './owner.ts'

/** Names are asked of the cluster's own resolver and of nobody else inside. */
const NAMES: V1NetworkPolicyEgressRule = {
  to: [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    },
  ],
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
}
/** What another range covers need not be said. */
const outside = (closed: readonly string[]): V1NetworkPolicyEgressRule => {
  const more = closed.filter((it) => !SPECIAL_RANGES.some((range) => contains(range, it.split('/')[0] ?? '')))
  return { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: [...SPECIAL_RANGES, ...more] } }] }
}

/** Nobody reaches it but through the API (a forwarded port ends on its loopback) and whom `ingress` names; out it may only where its spec says so. */
export function policyOf(
  pod: V1Pod,
  it: Owned & {
    installation: string
    network: Network
    closed?: readonly string[]
    ingress?: readonly IngressRule[]
  },
): V1NetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {
      name: pod.metadata?.name,
      namespace: pod.metadata?.namespace,
      labels: ownerLabels(it),
      ownerReferences: [ownedBy(pod)],
    },
    spec: {
      podSelector: {
        matchLabels: { [LABELS.instance]: it.instanceId, [LABELS.generation]: String(it.generation) },
      },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [...(it.ingress ?? [])] as object[],
      egress: it.network === 'internet' ? [outside(it.closed ?? []), NAMES] : [],
    },
  }
}
