/** A test cluster as somebody prepares one for Kalnet: a namespace of the restricted profile, an account with the least rights in it, a class of volumes, walls. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { roleObjects } from '@kalnet/controller/platforms/kubernetes/rights'
import { type Cluster, startCluster } from '../cluster.ts'
import { keepPolicies } from './policies.ts'
import { provideVolumes } from './provisioner.ts'

export const NAMESPACE = 'kalnet'
export const ACCOUNT = 'kalnet-controller'

export interface Prepared {
  cluster: Cluster
  /** A file of the account with the least rights. */
  kubeconfig: string
  /** The same of another account of the namespace. */
  accountOf(name: string): Promise<string>
  /** The same of any token. */
  fileOf(name: string, token: string): Promise<string>
  /** A file of whatever somebody wrote. */
  configOf(name: string, content: string): Promise<string>
  /** Of somebody whom the cluster never knew. */
  strangerOf(): Promise<string>
  close(): Promise<void>
}

const KIND_PATHS: Record<string, string> = {
  ServiceAccount: `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`,
  Role: `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/roles`,
  RoleBinding: `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/rolebindings`,
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
}
export const applyAll = async (cluster: Cluster, objects: object[]): Promise<void> => {
  for (const it of objects as { kind: string }[]) await cluster.call('POST', KIND_PATHS[it.kind] ?? '', it)
}

/** `volumes`, `walls`: false where nobody needs them, because their stand-ins ask all the time. `audited`: as `startCluster` says. */
export async function prepareCluster({
  volumes = true,
  walls = true,
  audited = false,
} = {}): Promise<Prepared> {
  const stop = new AbortController()
  const cluster = await startCluster(undefined, { audited })
  const home = await mkdtemp(join(tmpdir(), 'kn-cluster-'))
  const close = async () => {
    stop.abort()
    await cluster.stop()
    await rm(home, { recursive: true, force: true })
  }
  const write = (name: string, token: string) => configOf(name, cluster.kubeconfigFor(token))
  async function configOf(name: string, content: string) {
    await mkdir(home, { recursive: true })
    const file = join(home, `${name}.kubeconfig`)
    await writeFile(file, content, { mode: 0o600 })
    return file
  }
  async function accountOf(name: string) {
    const { status } = await cluster.call<{ status: { token: string } }>(
      'POST',
      `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${name}/token`,
      { spec: { expirationSeconds: 3600 } },
    )
    return write(name, status.token)
  }
  try {
    await cluster.call('POST', '/api/v1/namespaces', {
      metadata: {
        name: NAMESPACE,
        // Nothing of ours is admitted that is not of the restricted profile.
        labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
      },
    })
    await applyAll(cluster, roleObjects({ namespace: NAMESPACE, account: ACCOUNT }))
    if (volumes) await provideVolumes(cluster, stop.signal)
    if (walls) await keepPolicies(cluster, stop.signal)
    const kubeconfig = await accountOf(ACCOUNT)
    return {
      cluster,
      kubeconfig,
      accountOf,
      fileOf: write,
      configOf,
      strangerOf: () => write('stranger', 'x'.repeat(200)),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
