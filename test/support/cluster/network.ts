/**
 * Names and addresses of services in a test cluster, by the real programs (kube-proxy, CoreDNS); and, a stand-in named as such, what gives a
 * service of type LoadBalancer its address: the machine's own, as where no cloud is.
 */
import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { must, run, start } from '@kalnet/io/spawn'
import { NAMES_IMAGE, networkParts } from '../../peers/81-cluster-network.ts'
import type { Cluster } from '../cluster.ts'

const PAUSE_MS = 500
const READY_MS = 120_000
/** As the kubelet tells it to pods. */
const NAMES_ADDRESS = '10.96.0.10'
const COREFILE = `.:53 {
  errors
  ready
  kubernetes cluster.local {
    pods insecure
    ttl 5
  }
}
`

const names = (): { kind: string; metadata: { name: string } }[] => {
  const labels = { 'k8s-app': 'kube-dns' }
  const metadata = { name: 'coredns', namespace: 'kube-system' }
  const rbac = 'rbac.authorization.k8s.io'
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'coredns' },
      rules: [
        {
          apiGroups: [''],
          resources: ['endpoints', 'services', 'pods', 'namespaces'],
          verbs: ['list', 'watch'],
        },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'coredns' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'coredns' },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: COREFILE } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: 'kube-system' },
      spec: {
        clusterIP: NAMES_ADDRESS,
        selector: labels,
        ports: [
          { name: 'udp', port: 53, protocol: 'UDP' },
          { name: 'tcp', port: 53, protocol: 'TCP' },
        ],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: 'coredns',
            dnsPolicy: 'Default',
            // It goes on answering while the machine is drained, as one on every machine would.
            tolerations: [{ operator: 'Exists' }],
            containers: [
              {
                name: 'coredns',
                image: NAMES_IMAGE,
                args: ['-conf', '/etc/coredns/Corefile'],
                readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
                volumeMounts: [{ name: 'config', mountPath: '/etc/coredns' }],
              },
            ],
            volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
          },
        },
      },
    },
  ] as never
}

interface Service {
  metadata: { name: string; namespace: string }
  spec: { type: string }
  status: { loadBalancer?: { ingress?: object[] } }
}

export async function openNetwork(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const { proxy, namesImage } = networkParts()
  const config = join(cluster.folder, 'proxy.json')
  await writeFile(
    config,
    JSON.stringify({
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      clientConnection: { kubeconfig: join(cluster.folder, 'admin.kubeconfig') },
      hostnameOverride: 'machine-1',
      clusterCIDR: cluster.pods,
      mode: 'iptables',
      // Settings of the whole kernel are left as they are.
      conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
      iptables: { minSyncPeriod: '100ms', syncPeriod: '30s' },
      healthzBindAddress: '127.0.0.1:10256',
      metricsBindAddress: '127.0.0.1:10249',
    }),
  )
  const machine = ['--target', String(cluster.pid), '--net', '--mount', '--pid']
  const child = start('nsenter', [...machine, proxy, '--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
  })
  const log = createWriteStream(join(cluster.folder, 'kube-proxy.log'))
  for (const stream of [child.stdout, child.stderr]) stream?.pipe(log, { end: false })
  await cluster.load(namesImage)
  const file = join(cluster.folder, 'names.json')
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: names() }))
  const kubectl = ['--kubeconfig', join(cluster.folder, 'admin.kubeconfig')]
  await must('kubectl', [...kubectl, 'apply', '-f', file], { timeoutMs: READY_MS })
  const rollout = [
    '-n',
    'kube-system',
    'rollout',
    'status',
    'deploy/coredns',
    `--timeout=${READY_MS / 1000}s`,
  ]
  const { code, stderr } = await run('kubectl', [...kubectl, ...rollout], { timeoutMs: READY_MS + 5_000 })
  if (code !== 0) throw new Error(`names are not told: ${stderr}\n${await cluster.log('kube-proxy')}`)

  const look = async () => {
    const { items } = await cluster.call<{ items: Service[] }>('GET', '/api/v1/services')
    for (const { metadata, spec, status } of items)
      if (spec.type === 'LoadBalancer' && !status.loadBalancer?.ingress?.length)
        await cluster.call(
          'PATCH',
          `/api/v1/namespaces/${metadata.namespace}/services/${metadata.name}/status`,
          { status: { loadBalancer: { ingress: [{ ip: cluster.there, ipMode: 'VIP' }] } } },
          'application/merge-patch+json',
        )
  }
  const lend = async () => {
    while (!signal.aborted) {
      // The API may be away in a test: the next look finds what this one did not.
      await look().catch(() => undefined)
      await systemClock.sleep(PAUSE_MS, signal).catch(() => undefined)
    }
  }
  void lend()
}
