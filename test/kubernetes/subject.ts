/** The cluster that the tests of one file share: started once, with a namespace, an account of the least rights, an image and folders for volumes. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { peerCache } from '@kalnet/cli/suite/peers'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import { referenceOf } from '@kalnet/controller/images/described'
import { exportImage } from '@kalnet/controller/images/layers'
import { createApi } from '@kalnet/controller/platforms/kubernetes/api'
import { createKubernetesPlatform } from '@kalnet/controller/platforms/kubernetes/kubernetes'
import { roleObjects } from '@kalnet/controller/platforms/kubernetes/rights'
import { kubernetesSettings } from '@kalnet/controller/platforms/kubernetes/settings'
import { createSignIn } from '@kalnet/controller/platforms/kubernetes/sign-in'
import { connectedRanges } from '@kalnet/controller/platforms/process/blocked'
import { recipeChainOf, testImages } from '@kalnet/controller/platforms/testing'
import { createLog } from '@kalnet/io/log'
import { must } from '@kalnet/io/spawn'
import { keepPolicies } from '../support/cluster/policies.ts'
import { provideVolumes } from '../support/cluster/provisioner.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { recorded } from './recorded.ts'

export const NAMESPACE = 'kalnet'
export const ACCOUNT = 'kalnet-controller'
export const chain = recipeChainOf('terminal')
export const log = createLog('kubernetes', 'silent')

export interface Shared {
  cluster: Cluster
  /** Kubeconfig of the account with the least rights. */
  kubeconfig: string
  platform(
    changes?: Parameters<typeof settings>[1],
    installation?: string,
  ): ReturnType<typeof createKubernetesPlatform>
  /** Kubeconfig of another account of the namespace, as its rights are written there. */
  accountOf(name: string): Promise<string>
  /** Kubeconfig of somebody whom the cluster never knew. */
  strangerOf(): Promise<string>
  /** What was asked of the cluster, as `verb resource`. */
  asked: ReadonlySet<string>
  close(): Promise<void>
}

const settings = (kubeconfig: string, changes: object = {}) =>
  kubernetesSettings.parse({
    kubeconfig,
    namespace: NAMESPACE,
    volumeSize: '1Gi',
    // This machine, and cables that other tests lay to it meanwhile.
    closed: [...connectedRanges(), '192.0.2.0/24'].filter((it) => !it.startsWith('198.51.100.')),
    registry: { url: 'http://127.0.0.1:5000' },
    ...changes,
  })

/** As `docker save` writes it; kept, because packing takes longer than all the rest. */
async function archiveOf(image: RecipeChain): Promise<string> {
  const file = join(peerCache(process.env), 'kubernetes', `${referenceOf(image).replace(/[/:]/g, '-')}.tar`)
  if (existsSync(file)) return file
  const it = await exportImage(testImages(), image, AbortSignal.timeout(900_000), () => undefined)
  await must('tar', ['--create', `--file=${file}.new`, '--directory', it.folder, '.'], { timeoutMs: 300_000 })
  await it.drop()
  await rename(`${file}.new`, file)
  // Those of recipes that were changed since.
  for (const name of await readdir(dirname(file)))
    if (name.endsWith('.tar') && name !== basename(file)) await rm(join(dirname(file), name), { force: true })
  return file
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

export async function openShared(): Promise<Shared> {
  const stop = new AbortController()
  const archive = await archiveOf(chain)
  const cluster = await startCluster()
  const home = await mkdtemp(join(tmpdir(), 'kn-cluster-'))
  await cluster.call('POST', '/api/v1/namespaces', {
    metadata: {
      name: NAMESPACE,
      // Nothing of ours is admitted that is not of the restricted profile.
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    },
  })
  await applyAll(cluster, roleObjects({ namespace: NAMESPACE, account: ACCOUNT }))
  await provideVolumes(cluster, stop.signal)
  await keepPolicies(cluster, stop.signal)
  await cluster.load(archive)
  const asked = new Set<string>()
  async function strangerOf() {
    const file = join(home, 'stranger.kubeconfig')
    await writeFile(file, cluster.kubeconfigFor('x'.repeat(200)), { mode: 0o600 })
    return file
  }
  async function accountOf(name: string) {
    const { status } = await cluster.call<{ status: { token: string } }>(
      'POST',
      `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${name}/token`,
      { spec: { expirationSeconds: 3600 } },
    )
    await mkdir(home, { recursive: true })
    const file = join(home, `${name}.kubeconfig`)
    await writeFile(file, cluster.kubeconfigFor(status.token), { mode: 0o600 })
    return file
  }
  const kubeconfig = await accountOf(ACCOUNT)
  return {
    cluster,
    kubeconfig,
    accountOf,
    strangerOf,
    asked,
    platform(changes = {}, installation = 'test') {
      const its = settings(kubeconfig, changes)
      return createKubernetesPlatform({
        settings: its,
        installation,
        // The image lies on the machine already.
        ensurePushed: async (it) => ({
          reference: referenceOf(it.chain),
          tagged: referenceOf(it.chain),
          digest: '',
          blobs: { sent: 0, there: 0, lent: 0 },
          sentBytes: 0,
        }),
        log,
        api: recorded(createApi(createSignIn(its)), asked),
      })
    },
    async close() {
      stop.abort()
      await cluster.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}
