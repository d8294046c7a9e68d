/** A real cluster for the whole product: what the product is told of it, what runs there for an instance, and that nothing is left. */
import { mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peerCache } from '@kalnet/cli/suite/peers'
import type { V1Pod } from '@kubernetes/client-node'
import { startImageRegistry } from '../image-registry.ts'
import { type Runtime, runtimesOf } from '../runtime.ts'
import { lendRegistry } from './lend.ts'
import { NAMESPACE, type Prepared, prepareCluster } from './prepared.ts'

const OLD_MS = 3 * 24 * 3_600_000
const KINDS = {
  pods: `/api/v1/namespaces/${NAMESPACE}/pods`,
  secrets: `/api/v1/namespaces/${NAMESPACE}/secrets`,
  claims: `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims`,
  policies: `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies`,
} as const
type Kind = keyof typeof KINDS

export interface ClusterPlace extends Prepared {
  /** For the product's environment. */
  env: Record<string, string>
  /** Where files of instances lie, as this machine sees them. */
  files: string[]
  /** Processes of an instance, as this machine sees them. */
  runtimesOf(instanceId: string): Promise<Runtime[]>
  /** Names of what Kalnet has there. */
  things(): Promise<Record<Kind, string[]>>
  pods(instanceId: string): Promise<V1Pod[]>
}

/** Images stay in a registry between runs, as they do where somebody has one; of those whom nobody used for days, nothing stays. */
async function imagesFolder(name: string): Promise<string> {
  const all = join(peerCache(process.env), 'kubernetes', 'registries')
  const ours = join(all, name)
  for (const other of await readdir(all).catch(() => [])) {
    const { mtimeMs } = await stat(join(all, other))
    if (other !== name && Date.now() - mtimeMs > OLD_MS)
      await rm(join(all, other), { recursive: true, force: true })
  }
  return ours
}

/** `images`: what the kept registry is called; another word is another, empty one. */
export async function openClusterPlace(images: string): Promise<ClusterPlace> {
  const kept = await imagesFolder(images)
  const folder = await mkdtemp(join(tmpdir(), 'kn-place-'))
  const [prepared, registry] = await Promise.all([
    prepareCluster(),
    startImageRegistry(folder, { images: kept }),
  ])
  await utimes(kept, new Date(), new Date())
  const { cluster, kubeconfig } = prepared
  const giveBack = await lendRegistry(cluster, registry.port)
  const list = async <T>(kind: Kind, query = '') =>
    (await cluster.call<{ items: T[] }>('GET', `${KINDS[kind]}${query}`)).items
  const pods = (instanceId: string) =>
    list<V1Pod>('pods', `?labelSelector=${encodeURIComponent(`kalnet.io/instance=${instanceId}`)}`)
  return {
    ...prepared,
    env: {
      KALNET_KUBERNETES_ENABLED: 'true',
      KALNET_KUBERNETES_KUBECONFIG: kubeconfig,
      KALNET_KUBERNETES_NAMESPACE: NAMESPACE,
      KALNET_KUBERNETES_REGISTRY: `${registry.url}/family`,
      KALNET_KUBERNETES_VOLUME_SIZE: '1Gi',
    },
    files: ['kubelet/pods', 'volumes'].map((it) => join(cluster.folder, it)),
    pods,
    async runtimesOf(instanceId) {
      const found = await Promise.all(
        (await pods(instanceId)).map((it) => runtimesOf(it.metadata?.uid ?? 'none')),
      )
      return found.flat()
    },
    async things() {
      const names = async (kind: Kind) =>
        (await list<V1Pod>(kind)).map((it) => it.metadata?.name ?? '').filter((it) => it.startsWith('kalnet'))
      const kinds = Object.keys(KINDS) as Kind[]
      const found = await Promise.all(kinds.map(async (it) => [it, await names(it)] as const))
      return Object.fromEntries(found) as Record<Kind, string[]>
    },
    async close() {
      await giveBack()
      await prepared.close()
      await registry.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
