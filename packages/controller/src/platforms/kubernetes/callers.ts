/** Who may reach a pod by its address, as a network policy says it: networks, or pods of a namespace by their labels. */
import type { Port } from '@kalnet/contracts/instance'
import type { V1NetworkPolicyPeer, V1NetworkPolicyPort } from '@kubernetes/client-node'
import { DISPLAY_PORT } from './ports.ts'
import type { KubernetesSettings } from './settings.ts'

/** As the API has it: the library calls `from` otherwise and renames it on the way; we send what we have. */
export interface IngressRule {
  from: V1NetworkPolicyPeer[]
  ports: V1NetworkPolicyPort[]
}

/** `10.9.0.4/32`, or `namespace/label=value&label=value`. */
export function peerOf(caller: string): V1NetworkPolicyPeer {
  if (!caller.includes('=')) return { ipBlock: { cidr: caller } }
  const slash = caller.indexOf('/')
  const labels = caller
    .slice(slash + 1)
    .split('&')
    .map((it) => it.split('=') as [string, string])
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': caller.slice(0, slash) } },
    podSelector: { matchLabels: Object.fromEntries(labels) },
  }
}

const numberOf = ({ kind, at }: Port): V1NetworkPolicyPort[] => {
  if ('udp' in at) return [{ protocol: 'UDP', port: at.udp }]
  if ('tcp' in at) return [{ protocol: 'TCP', port: at.tcp }]
  return kind === 'display' ? [{ protocol: 'TCP', port: DISPLAY_PORT }] : []
}

/** The ports that are declared and no others; a screen is for controllers alone. Nobody named: nobody comes in. */
export function ingressOf(ports: readonly Port[], direct: KubernetesSettings['direct']): IngressRule[] {
  const rule = (callers: readonly string[], its: readonly Port[]): IngressRule[] => {
    const numbers = its.flatMap(numberOf)
    return callers.length > 0 && numbers.length > 0 ? [{ from: callers.map(peerOf), ports: numbers }] : []
  }
  const open = ports.filter((it) => it.kind !== 'display')
  return [...rule(direct.controllers, ports), ...rule(direct.gateways, open)]
}
