/** The configuration files of a test cluster's parts, as they are written before it starts. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PAUSE_IMAGE } from '../../peers/80-kubernetes.ts'

export interface Layout {
  folder: string
  /** The two ends of the cable between this machine and the cluster's. */
  here: string
  there: string
  /** What pods get addresses of, with the length of its mask. */
  pods: string
  /** Folder of its own in each cgroup tree. */
  parent: string
}

export const apiUrl = ({ there }: Layout): string => `https://${there}:6443`

/** A kubeconfig as JSON, which is YAML. */
export function kubeconfig(layout: Layout, token: string, authority?: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'test',
        cluster: {
          server: apiUrl(layout),
          ...(authority && { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
        },
      },
    ],
    users: [{ name: 'user', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'user' } }],
    'current-context': 'test',
  })
}

const containerd = ({ folder }: Layout) => `version = 2
root = "${folder}/containerd"
state = "${folder}/containerd-state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "${folder}/containerd.sock"
[ttrpc]
  address = "${folder}/containerd.sock.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${folder}/registries"
`

/** Each pod has a cable of its own to the machine, so that what goes from one to the other meets the filter, too. */
const network = ({ folder, pods }: Layout) => ({
  cniVersion: '0.4.0',
  name: 'test',
  plugins: [
    {
      type: 'ptp',
      ipam: {
        type: 'host-local',
        dataDir: `${folder}/addresses`,
        ranges: [[{ subnet: pods }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
  ],
})

const kubelet = ({ folder, there, parent }: Layout) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: there,
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: 'AlwaysAllow' },
  containerRuntimeEndpoint: `unix://${folder}/containerd.sock`,
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${parent}`,
  makeIPTablesUtilChains: false,
  featureGates: { KubeletInUserNamespace: true },
  enforceNodeAllocatable: [],
  failSwapOn: false,
  localStorageCapacityIsolation: false,
  clusterDNS: ['10.96.0.10'],
  clusterDomain: 'cluster.local',
  resolvConf: `${folder}/resolv.conf`,
  podLogsDir: `${folder}/pod-logs`,
  volumePluginDir: `${folder}/volume-plugins`,
  evictionHard: { 'memory.available': '64Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  nodeStatusUpdateFrequency: '5s',
  registryPullQPS: 0,
  eventRecordQPS: 0,
  kubeAPIQPS: 100,
  kubeAPIBurst: 200,
})

/** Answers the token of who may do everything. */
export async function writeFiles(layout: Layout): Promise<string> {
  const { folder } = layout
  const at = (name: string) => join(folder, name)
  for (const name of ['cni', 'registries', 'certs']) await mkdir(at(name), { recursive: true, mode: 0o700 })
  const token = randomBytes(16).toString('hex')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  await writeFile(at('tokens.csv'), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 })
  await writeFile(at('sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  await writeFile(at('containerd.toml'), containerd(layout))
  await writeFile(at('cni/10-test.conflist'), JSON.stringify(network(layout)))
  await writeFile(at('kubelet.yaml'), JSON.stringify(kubelet(layout)))
  await writeFile(at('resolv.conf'), 'nameserver 10.96.0.10\n')
  return token
}
