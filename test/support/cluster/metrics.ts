/** The metrics API of a test cluster: the real metrics-server, which asks the real kubelet. */
import { openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { start } from '@kalnet/io/spawn'
import { metricsServerProgram } from '../../peers/83-metrics-server.ts'
import type { Cluster } from '../cluster.ts'

const READY_MS = 120_000
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const PORT = 10_251
const GROUP = 'metrics.k8s.io'

export async function startMetrics(cluster: Cluster): Promise<void> {
  const config = join(cluster.folder, 'admin.kubeconfig')
  const output = openSync(join(cluster.folder, 'metrics-server.log'), 'a')
  const words = [
    `--kubeconfig=${config}`,
    `--authentication-kubeconfig=${config}`,
    `--authorization-kubeconfig=${config}`,
    '--authentication-tolerate-lookup-failure=true',
    // What it has is asked by nobody in particular, too.
    '--authorization-always-allow-paths=/apis,/apis/*,/openapi/*,/healthz,/livez,/readyz',
    '--kubelet-insecure-tls',
    '--kubelet-preferred-address-types=InternalIP',
    // The shortest that it takes.
    '--metric-resolution=10s',
    '--kubelet-request-timeout=5s',
    `--secure-port=${PORT}`,
    `--cert-dir=${join(cluster.folder, 'metrics-server-certs')}`,
  ]
  // The API server of this cluster tells nobody how it shows who asks: it has no certificate for that.
  const authority = await readFile(join(cluster.folder, 'certs/apiserver.crt'), 'utf8')
  await cluster.call('POST', '/api/v1/namespaces/kube-system/configmaps', {
    metadata: { name: 'extension-apiserver-authentication' },
    data: {
      'client-ca-file': authority,
      'requestheader-client-ca-file': authority,
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
      'requestheader-allowed-names': '[]',
    },
  })
  // It has judged who asks, and passes it on as nobody's: nobody may, so that whoever was let through there gets an answer.
  const name = 'passed-on'
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name }
  await cluster.call('POST', `${RBAC}/clusterroles`, {
    metadata: { name },
    rules: [{ apiGroups: [GROUP], resources: ['pods', 'nodes'], verbs: ['get', 'list'] }],
  })
  await cluster.call('POST', `${RBAC}/clusterrolebindings`, {
    metadata: { name },
    roleRef: role,
    subjects: [{ apiGroup: role.apiGroup, kind: 'User', name: 'system:anonymous' }],
  })
  const inside = ['--target', String(cluster.pid), '--net', '--mount', '--pid']
  start('nsenter', [...inside, metricsServerProgram(), ...words], {
    stdio: ['ignore', output, output],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', HOME: cluster.folder },
  })
  const metadata = { name: 'metrics-server', namespace: 'kube-system' }
  await cluster.call('POST', '/api/v1/namespaces/kube-system/services', {
    metadata,
    spec: { type: 'ExternalName', externalName: cluster.there, ports: [{ port: PORT, protocol: 'TCP' }] },
  })
  await cluster.call('POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
    metadata: { name: `v1beta1.${GROUP}` },
    spec: {
      group: GROUP,
      version: 'v1beta1',
      service: { ...metadata, port: PORT },
      insecureSkipTLSVerify: true,
      groupPriorityMinimum: 100,
      versionPriority: 100,
    },
  })
  const until = Date.now() + READY_MS
  const isThere = async () =>
    (await cluster.call<{ items: unknown[] }>('GET', `/apis/${GROUP}/v1beta1/nodes`)).items.length > 0
  let last = ''
  const noted = (error: Error) => {
    last = error.message
    return false
  }
  while (!(await isThere().catch(noted))) {
    if (Date.now() > until)
      throw new Error(`nobody measures (${last}): ${(await cluster.log('metrics-server')).slice(-2000)}`)
    await systemClock.sleep(500)
  }
}
