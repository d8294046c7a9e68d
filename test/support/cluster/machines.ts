/**
 * Machines of a test cluster by the hundred: kwok says that they are there and that their pods run. It runs inside the cluster's own
 * namespaces and ends with it. What a kubelet does and it does not (the end of a pod's time) is told to it as one more stage.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { start } from '@kalnet/io/spawn'
import { kwokProgram } from '../../peers/82-kwok.ts'
import type { Cluster } from '../cluster.ts'

const READY_MS = 60_000
const PORT = 10_247
const KIND = 'kwok.x-k8s.io/v1alpha1'
const LABEL = 'kalnet.test/machines'
const MACHINE = { cpu: '16', memory: '64Gi', pods: '110' }

const stage = (name: string, selector: object[], next: object) => ({
  apiVersion: KIND,
  kind: 'Stage',
  metadata: { name },
  spec: {
    resourceRef: { apiGroup: 'v1', kind: 'Pod' },
    selector: { matchExpressions: selector },
    next,
  },
})
const has = (key: string, operator: string, values?: string[]) => ({
  key,
  operator,
  ...(values && { values }),
})

const RUNS = `{{ $now := Now }}
conditions:
- { type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: ContainersReady, status: "True", lastTransitionTime: {{ $now | Quote }} }
containerStatuses:
{{ range .spec.containers }}
- { image: {{ .image | Quote }}, name: {{ .name | Quote }}, ready: true, restartCount: 0, state: { running: { startedAt: {{ $now | Quote }} } } }
{{ end }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
phase: Running
startTime: {{ $now | Quote }}
`
const ENDED = `{{ $now := Now }}
containerStatuses:
{{ range .spec.containers }}
- { image: {{ .image | Quote }}, name: {{ .name | Quote }}, ready: false, restartCount: 0, state: { terminated: { exitCode: 137, reason: Error, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} } } }
{{ end }}
phase: Failed
reason: DeadlineExceeded
`
const STAGES = [
  stage('runs', [has('.metadata.deletionTimestamp', 'DoesNotExist'), has('.status.podIP', 'DoesNotExist')], {
    statusTemplate: RUNS,
  }),
  stage(
    'its-time-is-over',
    [
      has('.metadata.deletionTimestamp', 'DoesNotExist'),
      has('.spec.activeDeadlineSeconds', 'Exists'),
      has('.status.phase', 'In', ['Running']),
    ],
    { statusTemplate: ENDED },
  ),
  stage('goes', [has('.metadata.deletionTimestamp', 'Exists')], {
    finalizers: { empty: true },
    delete: true,
  }),
]
/** Whatever port of theirs is asked, this program answers it: connections are taken and stay silent. */
const forwards = (address: string) => ({
  apiVersion: KIND,
  kind: 'ClusterPortForward',
  metadata: { name: 'all' },
  spec: { forwards: [{ target: { address, port: PORT } }] },
})

const machine = (index: number) => ({
  metadata: {
    name: `machine-${index + 101}`,
    labels: { [LABEL]: 'said', 'kubernetes.io/os': 'linux' },
    annotations: { 'node.alpha.kubernetes.io/ttl': '0' },
  },
  status: { capacity: MACHINE, allocatable: MACHINE },
})

/** `count` more machines; the real one takes no more pods from now on. */
export async function addMachines(cluster: Cluster, count: number, signal: AbortSignal): Promise<void> {
  const { folder, there, pid } = cluster
  await cluster.call(
    'PATCH',
    '/api/v1/nodes/machine-1',
    { spec: { unschedulable: true } },
    'application/merge-patch+json',
  )
  const config = join(folder, 'kwok.yaml')
  const text = [...STAGES, forwards(there)].map((it) => JSON.stringify(it)).join('\n---\n')
  await writeFile(config, text)
  const words = [
    kwokProgram(),
    ...['--config', config, '--kubeconfig', join(folder, 'admin.kubeconfig')],
    ...['--manage-nodes-with-label-selector', `${LABEL}=said`, '--node-lease-duration-seconds', '40'],
    ...['--node-ip', there, '--node-port', String(PORT), '--server-address', `${there}:${PORT}`],
    ...['--cidr', '10.199.0.1/16'],
  ]
  const inside = ['--target', String(pid), '--net', '--mount', '--pid', ...words]
  const kwok = start('nsenter', inside, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: folder },
  })
  let said = ''
  for (const stream of [kwok.stdout, kwok.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-2000)
    })
  for (let index = 0; index < count; index += 1) await cluster.call('POST', '/api/v1/nodes', machine(index))
  const until = Date.now() + READY_MS
  const ready = async () => {
    const { items } = await cluster.call<{
      items: { status: { conditions?: { type: string; status: string }[] } }[]
    }>('GET', `/api/v1/nodes?labelSelector=${LABEL}%3Dsaid`)
    return items.filter((it) =>
      it.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    ).length
  }
  while ((await ready()) < count) {
    signal.throwIfAborted()
    if (kwok.exitCode !== null || Date.now() > until) throw new Error(`the machines do not come: ${said}`)
    await systemClock.sleep(250, signal)
  }
}
