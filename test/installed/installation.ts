/**
 * A whole cluster that Kalnet is installed in as somebody would: names, addresses of services, volumes and walls, images on its machine, a
 * registry with images of recipes, kubectl and helm. What others publish (PostgreSQL, NATS) are images made here of the same programs.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { systemClock } from '@kalnet/io/clock'
import { must, run } from '@kalnet/io/spawn'
import { ensureTls } from '@kalnet/server/core/tls'
import { stringify } from 'yaml'
import { docker } from '../compose/images.ts'
import { helmProgram } from '../peers/77-helm.ts'
import { openNetwork } from '../support/cluster/network.ts'
import { keepPolicies } from '../support/cluster/policies.ts'
import { provideVolumes } from '../support/cluster/provisioner.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'

const LIMIT_MS = 10 * 60_000
export const NAMESPACE = 'kalnet'
export const IMAGES = ['kalnet:local', 'postgres:17', 'nats:2-alpine']

export interface Installation {
  cluster: Cluster
  folder: string
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
    const packed = join(folder, 'images.tar')
    await docker('save', '--output', packed, ...IMAGES)
    await cluster.load(packed)
    await rm(packed)
    return {
      cluster,
      folder,
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

/** As docs/kubernetes-install.md says it, with helm or without: the namespace that enforces the restricted profile, and the Secret. */
export async function prepareNamespace(it: Installation, secret: Record<string, string>): Promise<void> {
  await it.kubectl('create', 'namespace', NAMESPACE)
  await it.kubectl('label', 'namespace', NAMESPACE, 'pod-security.kubernetes.io/enforce=restricted')
  const literals = Object.entries(secret).map(([key, value]) => `--from-literal=${key}=${value}`)
  await it.kubectl('-n', NAMESPACE, 'create', 'secret', 'generic', 'kalnet', ...literals)
}

interface Pod {
  metadata: {
    name: string
    uid: string
    namespace: string
    labels: Record<string, string>
    deletionTimestamp?: string
  }
  spec: { nodeName?: string; containers: { image: string }[] }
  status: {
    phase: string
    podIP?: string
    conditions?: { type: string; status: string; message?: string }[]
    containerStatuses?: { containerID?: string; restartCount: number; state: object; lastState: object }[]
  }
}

export type { Pod }

export async function podsOf(it: Installation, part?: string, namespace = NAMESPACE): Promise<Pod[]> {
  const { items } = await it.cluster.call<{ items: Pod[] }>('GET', `/api/v1/namespaces/${namespace}/pods`)
  return items.filter((pod) => !part || pod.metadata.labels['app.kubernetes.io/component'] === part)
}
export const isReady = (pod: Pod): boolean =>
  !pod.metadata.deletionTimestamp &&
  (pod.status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false)

/** Each part has as many pods as it should, all of them ready; throws with what is known of those that are not. */
export async function untilReady(
  it: Installation,
  parts: Record<string, number>,
  limitMs = 300_000,
): Promise<void> {
  const until = Date.now() + limitMs
  for (;;) {
    const pods = await podsOf(it).catch(() => [])
    const counts = Object.entries(parts).map(([part, count]) => {
      const its = pods.filter((pod) => pod.metadata.labels['app.kubernetes.io/component'] === part)
      return its.length === count && its.every(isReady)
    })
    if (counts.every(Boolean)) return
    if (Date.now() > until)
      throw new Error(
        await describe(
          it,
          pods.filter((pod) => !isReady(pod)),
        ),
      )
    await systemClock.sleep(250)
  }
}

async function describe(it: Installation, pods: Pod[]): Promise<string> {
  const texts = await Promise.all(
    pods.map(async ({ metadata: { name } }) => {
      const at = ['-n', NAMESPACE]
      const said = await it.attempt(...at, 'describe', 'pod', name)
      const log = await it.attempt(...at, 'logs', name, '--tail=40')
      return `${said.stdout.slice(-2500)}\n${log.stdout}${log.stderr}`
    }),
  )
  return `not ready:\n${texts.join('\n')}`
}

/** An address as houses have them, of this machine, for the cluster; the last of its pods' range, which none of them gets here. */
async function houseAddress({ pods, here, there, pid }: Cluster): Promise<string> {
  const address = pods.replace(/\.0\/24$/, '.254')
  const [, device = ''] = /dev (\S+)/.exec((await must('ip', ['route', 'get', there])).stdout) ?? []
  await must('ip', ['addr', 'add', `${address}/32`, 'dev', device])
  await must('nsenter', ['--target', String(pid), '--net', 'ip', 'route', 'add', address, 'via', here])
  return address
}

/** A registry on this machine's loopback, as the cluster reaches it: over TLS, by an authority of one's own. */
export async function lendSecurely(
  it: Installation,
  port: number,
): Promise<{ url: string; authority: string; close(): void }> {
  const { cluster, folder } = it
  const own = join(folder, 'registry-tls')
  const address = await houseAddress(cluster)
  const { key, certificate, authority } = await ensureTls(own, [address])
  const server = createServer({ key, cert: certificate }, (near) => {
    const far = connect({ host: '127.0.0.1', port })
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  const host = `${address}:${(server.address() as AddressInfo).port}`
  const its = join(cluster.folder, 'registries', host)
  await mkdir(its, { recursive: true })
  await writeFile(join(its, 'authority.crt'), authority)
  await writeFile(
    join(its, 'hosts.toml'),
    `server = "https://${host}"\n[host."https://${host}"]\n  capabilities = ["pull", "resolve"]\n  ca = "${join(its, 'authority.crt')}"\n`,
  )
  return { url: `https://${host}`, authority, close: () => void server.close() }
}
