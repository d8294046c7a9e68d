/**
 * A whole cluster that Kalnet is installed in as somebody would: names, addresses of services, volumes and walls, images on its machine, a
 * registry with images of recipes, kubectl and helm. What others publish (PostgreSQL, NATS) are images made here of the same programs.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { must, run } from '@kalnet/io/spawn'
import { stringify } from 'yaml'
import { docker, makeImages } from '../compose/images.ts'
import { helmProgram } from '../peers/77-helm.ts'
import { openNetwork } from '../support/cluster/network.ts'
import { keepPolicies } from '../support/cluster/policies.ts'
import { provideVolumes } from '../support/cluster/provisioner.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'

const LIMIT_MS = 10 * 60_000
export const NAMESPACE = 'kalnet'
export const IMAGES = ['kalnet:local', 'postgres:17', 'nats:2-alpine']

/** Built from this checkout; those that an earlier run kept (KALNET_COMPOSE_KEEP=1) are taken as they are. */
export async function ensureImages(): Promise<{ bytes: number }> {
  const sizeOf = () => run('docker', ['image', 'inspect', '--format', '{{.Size}}', 'kalnet:local'])
  if (process.env.KALNET_COMPOSE_KEEP !== '1' || (await sizeOf()).code !== 0) await makeImages()
  return { bytes: Number((await sizeOf()).stdout) }
}

export interface Installation {
  cluster: Cluster
  folder: string
  /** Of this machine, for the cluster: of a private range. */
  address: string
  kubectl(...words: string[]): Promise<string>
  /** What is asked and may be refused. */
  attempt(...words: string[]): ReturnType<typeof run>
  helm(...words: string[]): Promise<string>
  /** A file of values for helm and `kalnet render`. */
  values(given: object): Promise<string>
  /** `kalnet …` in the pod of a part, its answer as JSON. */
  kalnet<T>(...words: string[]): Promise<T>
  close(): Promise<void>
}

export async function openInstallation(): Promise<Installation> {
  const stop = new AbortController()
  const cluster = await startCluster()
  const folder = await mkdtemp(join(tmpdir(), 'kn-installed-'))
  const close = async () => {
    stop.abort()
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
  const kubeconfig = join(folder, 'kubeconfig')
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder }
  const helmEnv = { ...env, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder }
  const attempt = (...words: string[]) => run('kubectl', words, { env, timeoutMs: LIMIT_MS })
  const kubectl = async (...words: string[]) =>
    (await must('kubectl', words, { env, timeoutMs: LIMIT_MS })).stdout
  try {
    await writeFile(kubeconfig, cluster.kubeconfig, { mode: 0o600 })
    await provideVolumes(cluster, stop.signal)
    await keepPolicies(cluster, stop.signal)
    await openNetwork(cluster, stop.signal)
    await raiseShare(cluster)
    const packed = join(folder, 'images.tar')
    await docker('save', '--output', packed, ...IMAGES)
    await cluster.load(packed)
    await rm(packed)
    return {
      cluster,
      folder,
      address: await houseAddress(cluster),
      kubectl,
      attempt,
      helm: async (...words) =>
        (await must(helmProgram(), words, { env: helmEnv, timeoutMs: LIMIT_MS })).stdout,
      async values(given) {
        const file = join(folder, 'values.yaml')
        await writeFile(file, stringify(given))
        return file
      },
      async kalnet<T>(...words: string[]) {
        const pod = ['-n', NAMESPACE, 'exec', 'deploy/kalnet-control-plane', '--']
        return JSON.parse(await kubectl(...pod, 'kalnet', ...words, '--json')) as T
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Its parts are many programs; by its one group it would get what a single one of this machine gets. */
async function raiseShare(cluster: Cluster): Promise<void> {
  const file = join('/sys/fs/cgroup/cpu', basename(cluster.folder), 'cpu.shares')
  if (existsSync(file)) await writeFile(file, '8192')
}

/** An address as houses have them, of this machine, for the cluster, beside the range of its pods. Who comes from this machine comes from there, as somebody at home does. */
async function houseAddress({ pods, here, there, pid }: Cluster): Promise<string> {
  const [, high = '', low = ''] = /^10\.(\d+)\.(\d+)\./.exec(pods) ?? []
  const address = `10.${Number(high) - 50}.${low}.1`
  const [, device = ''] = /dev (\S+)/.exec((await must('ip', ['route', 'get', there])).stdout) ?? []
  await must('ip', ['addr', 'add', `${address}/32`, 'dev', device])
  await must('ip', ['route', 'add', `${there}/32`, 'dev', device, 'src', address])
  await must('nsenter', ['--target', String(pid), '--net', 'ip', 'route', 'add', address, 'via', here])
  return address
}

/** As docs/kubernetes-install.md says it, with helm or without: the namespace that enforces the restricted profile, and the Secret. */
export async function prepareNamespace(it: Installation, secret: Record<string, string>): Promise<void> {
  await it.kubectl('create', 'namespace', NAMESPACE)
  await it.kubectl('label', 'namespace', NAMESPACE, 'pod-security.kubernetes.io/enforce=restricted')
  const literals = Object.entries(secret).map(([key, value]) => `--from-literal=${key}=${value}`)
  await it.kubectl('-n', NAMESPACE, 'create', 'secret', 'generic', 'kalnet', ...literals)
}
