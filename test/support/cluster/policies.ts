/**
 * Keeps the network policies of the test cluster, as its network would: a stand-in, written from the published interface
 * (networking.k8s.io/v1), for what our policies say: address blocks with exceptions, selectors by labels, ports. What it does not know yet is closed.
 */
import { systemClock } from '@kalnet/io/clock'
import { must } from '@kalnet/io/spawn'
import type { V1LabelSelector, V1NetworkPolicy, V1NetworkPolicyPeer, V1Pod } from '@kubernetes/client-node'
import type { Cluster } from '../cluster.ts'

const PAUSE_MS = 250
type List<T> = { items: T[] }

/** As the API says it; the library has another word for `from`. */
interface Ingress {
  from?: V1NetworkPolicyPeer[]
}

const matches = (selector: V1LabelSelector | undefined, labels: Record<string, string> = {}) => {
  if (selector?.matchExpressions?.length) throw new Error('the stand-in knows no expressions')
  return Object.entries(selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value)
}
const addressOf = (pod: V1Pod) => pod.status?.podIP
const isLiving = (pod: V1Pod) =>
  addressOf(pod) && !['Succeeded', 'Failed'].includes(pod.status?.phase ?? '') && !pod.spec?.hostNetwork

interface Place {
  all: string
  except: string[]
  pod?: V1Pod
}
const ANYWHERE: Place = { all: '0.0.0.0/0', except: [] }

/** Where a peer leads to, as words of iptables after `-d` or `-s`. */
function placesOf(peer: V1NetworkPolicyPeer, policy: V1NetworkPolicy, pods: V1Pod[]): Place[] {
  if (peer.ipBlock) return [{ all: peer.ipBlock.cidr, except: peer.ipBlock.except ?? [] }]
  const ofNamespace = (pod: V1Pod) => {
    const name = pod.metadata?.namespace ?? ''
    return peer.namespaceSelector
      ? matches(peer.namespaceSelector, { 'kubernetes.io/metadata.name': name })
      : name === policy.metadata?.namespace
  }
  return pods
    .filter((pod) => ofNamespace(pod) && matches(peer.podSelector, pod.metadata?.labels))
    .map((pod) => ({ all: `${addressOf(pod)}/32`, except: [], pod }))
}

/** A port by its name is that of the pod which is reached; one that has none of this name is not reached. */
function numberOf(port: number | string | undefined, pod: V1Pod | undefined): number | null {
  if (typeof port === 'number') return port
  const all = pod?.spec?.containers.flatMap((it) => it.ports ?? []) ?? []
  return all.find((it) => it.name === port)?.containerPort ?? null
}

/** Passing one of the two directions is remembered in this bit until the other was asked, too. */
const PASSED = '0x1/0x1'

/** The rules for one direction of one pod; null: no policy speaks of it. */
function rulesOf(
  pod: V1Pod,
  policies: V1NetworkPolicy[],
  pods: V1Pod[],
  way: 'Ingress' | 'Egress',
  chain: string,
) {
  const its = policies.filter(
    (it) =>
      it.metadata?.namespace === pod.metadata?.namespace &&
      matches(it.spec?.podSelector, pod.metadata?.labels) &&
      it.spec?.policyTypes?.includes(way),
  )
  if (its.length === 0) return null
  const rules = [`-A ${chain} -j MARK --set-xmark 0x0/0x1`]
  const chains: string[] = []
  for (const policy of its) {
    const entries =
      way === 'Egress'
        ? (policy.spec?.egress ?? []).map((it) => ({ peers: it.to, ports: it.ports }))
        : (policy.spec?.ingress ?? []).map((it) => ({ peers: (it as Ingress).from, ports: it.ports }))
    // Nobody named means everybody.
    for (const { peers, ports } of entries)
      for (const place of peers?.length ? peers.flatMap((it) => placesOf(it, policy, pods)) : [ANYWHERE]) {
        const inner = `${chain}-${chains.length}`
        const flag = way === 'Egress' ? '-d' : '-s'
        chains.push(inner)
        rules.push(`-A ${chain} -j ${inner}`)
        for (const it of place.except) rules.push(`-A ${inner} ${flag} ${it} -j RETURN`)
        const reached = way === 'Egress' ? place.pod : pod
        const words = ports?.flatMap((it) => {
          const number = numberOf(it.port, reached)
          return number === null ? [] : [`-p ${(it.protocol ?? 'TCP').toLowerCase()} --dport ${number} `]
        }) ?? ['']
        for (const word of words)
          rules.push(`-A ${inner} ${flag} ${place.all} ${word}-j MARK --set-xmark ${PASSED}`)
      }
  }
  rules.push(`-A ${chain} -m mark ! --mark ${PASSED} -j DROP`)
  return { chains: [chain, ...chains], rules }
}

/** For `iptables-restore`: what comes from pods, and what goes to them. */
export function filterOf(pods: V1Pod[], policies: V1NetworkPolicy[], range: string): string {
  const chains: string[] = []
  const rules = ['-A KN-PODS -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT']
  const living = pods.filter(isLiving)
  const after: string[] = []
  const outward: string[] = []
  for (const [index, pod] of living.entries()) {
    const address = addressOf(pod)
    const out = rulesOf(pod, policies, living, 'Egress', `KN-E${index}`)
    const back = rulesOf(pod, policies, living, 'Ingress', `KN-I${index}`)
    for (const it of [out, back]) {
      chains.push(...(it?.chains ?? []))
      after.push(...(it?.rules ?? []))
    }
    // Both must let it pass: what a pod may send still has to be let in.
    if (back) rules.push(`-A KN-PODS -d ${address} -j KN-I${index}`)
    if (out) outward.push(`-A KN-PODS -s ${address} -j KN-E${index}`)
    outward.push(`-A KN-PODS -s ${address} -j ACCEPT`)
  }
  const all = ['KN-PODS', ...chains]
  return [
    '*filter',
    ...all.map((it) => `:${it} - [0:0]`),
    ...rules,
    ...outward,
    `-A KN-PODS -s ${range} -j DROP`,
    ...after,
    'COMMIT',
    '',
  ].join('\n')
}

export async function keepPolicies(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const inMachine = (command: string, args: string[], input?: string) =>
    must('nsenter', ['--target', String(cluster.pid), '--net', command, ...args], { input })
  for (const word of [['-N', 'KN-PODS'], ...['FORWARD', 'INPUT'].map((it) => ['-I', it, '-j', 'KN-PODS'])])
    await inMachine('iptables', word)
  let last = ''
  async function look() {
    const pods = await cluster.call<List<V1Pod>>('GET', '/api/v1/pods')
    const policies = await cluster.call<List<V1NetworkPolicy>>(
      'GET',
      '/apis/networking.k8s.io/v1/networkpolicies',
    )
    const filter = filterOf(pods.items, policies.items, cluster.pods)
    if (filter !== last) await inMachine('iptables-restore', ['--noflush'], filter)
    last = filter
  }
  await look()
  const run = async () => {
    while (!signal.aborted) {
      // The API may be away in a test: the next look finds what this one did not.
      await look().catch(() => undefined)
      await systemClock.sleep(PAUSE_MS, signal).catch(() => undefined)
    }
  }
  void run()
}
