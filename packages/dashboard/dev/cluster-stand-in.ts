/** The stand-in's clusters: one that is busy, one whose machines may not be read, and enrolling another. */
import type { ClusterMachine, ClusterView } from '@kalnet/contracts/cluster'
import type { Controller } from '@kalnet/contracts/controller'

const GB = 1e9
const before = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString()
export const CLUSTER_ID = '01a1fd3c-b7fd-7166-abd0-0000000000c1'
export const BLIND_ID = '01a1fd3c-b7fd-7166-abd0-0000000000c2'

const cluster = (id: string, change: Partial<Controller>): Controller => ({
  id,
  name: 'Team cluster',
  hostname: 'kalnet-controller-7d9c',
  version: '0.1.0',
  state: 'online',
  lastSeenAt: before(2),
  fingerprints: [
    {
      platform: 'kubernetes',
      usable: true,
      detail: 'Ready: 4 machines, 2 of them take nothing',
      version: 'v1.34.4',
      isolation: 'container',
      limits: true,
      network: true,
      images: [],
    },
  ],
  capacity: {
    cpus: 24,
    memoryBytes: 96 * GB,
    memoryFreeBytes: 31 * GB,
    diskFreeBytes: 20 * GB,
    load1: 0.4,
    most: { memoryBytes: 32 * GB, memoryFreeBytes: 11.5 * GB, cpus: 8, cpusFree: 3 },
  },
  instances: 12,
  cordoned: false,
  labels: { site: 'berlin' },
  installation: false,
  createdAt: before(800_000),
  ...change,
})
export const CLUSTERS: Controller[] = [
  cluster(CLUSTER_ID, {}),
  cluster(BLIND_ID, {
    name: 'Lab cluster',
    state: 'offline',
    lastSeenAt: before(7_300),
    labels: {},
    instances: 1,
  }),
]

const machine = (
  name: string,
  ours: number,
  others: number | null,
  change: Partial<ClusterMachine> = {},
) => ({
  name,
  ready: true,
  detail: '',
  cordoned: false,
  capacity: { cpus: 8, memoryBytes: 33.5 * GB, pods: 110 },
  allocatable: { cpus: 7.8, memoryBytes: 32 * GB, pods: 110 },
  ours: { cpus: ours * 0.4, memoryBytes: ours * 2.1 * GB, pods: ours },
  others: others === null ? null : { cpus: others * 0.3, memoryBytes: others * 0.6 * GB, pods: others },
  ...change,
})

const BUSY: ClusterView = {
  version: 'v1.34.4',
  namespaces: ['kalnet-instances'],
  machines: [
    machine('worker-1', 6, 9),
    machine('worker-2', 5, 14),
    machine('worker-3', 1, 3, { cordoned: true }),
    machine('gpu-1', 0, 2, { ready: false, detail: 'It is not ready: container runtime is down' }),
  ],
  machineCount: 4,
  waiting: [
    {
      instanceId: '01a1fd3c-b7fd-7166-abd0-0000000000d1',
      text: 'No machine of the cluster has enough free memory (0/4 nodes are available: 2 Insufficient memory, 1 node(s) were unschedulable, 1 node(s) were not ready)',
      since: before(400),
      of: { kind: 'session', id: '01a1fd3c-b7fd-7166-abd0-0000000000e1', name: 'Video editing' },
    },
    {
      instanceId: '01a1fd3c-b7fd-7166-abd0-0000000000d2',
      text: 'Its machine prepares it',
      since: before(20),
      of: { kind: 'service', id: '01a1fd3c-b7fd-7166-abd0-0000000000e2', name: 'Photos' },
    },
    {
      instanceId: '01a1fd3c-b7fd-7166-abd0-0000000000d3',
      text: 'Its image cannot be fetched: registry.example.com/kalnet/terminal: not found',
      since: before(95),
      of: null,
    },
  ],
  waitingCount: 3,
  missing: [],
  images: [
    { name: 'desktop', there: 2, machines: 2, problem: null },
    { name: 'terminal', there: 1, machines: 2, problem: 'Its image cannot be fetched: not found' },
  ],
  registry: { address: 'https://registry.example.com/kalnet', state: 'answers', detail: '' },
  storageClasses: [
    { name: 'fast', usual: false, chosen: true },
    { name: 'standard', usual: true, chosen: false },
  ],
}
const BLIND: ClusterView = {
  ...BUSY,
  machines: null,
  machineCount: 0,
  waiting: [],
  waitingCount: 0,
  missing: [
    {
      right: 'list, watch nodes in the whole cluster',
      why: 'which machines the cluster has, and how much room',
    },
    { right: 'list storageclasses.storage.k8s.io in the whole cluster', why: 'where volumes can be made' },
    { right: 'list, watch pods in the whole cluster', why: 'what others have asked for, so what is free' },
  ],
  registry: {
    address: 'https://registry.example.com/kalnet',
    state: 'refuses',
    detail: 'registry.example.com asks who we are: give it a user name and a password.',
  },
  storageClasses: null,
}
const HUGE: ClusterView = {
  ...BUSY,
  machines: Array.from({ length: 200 }, (_, at) =>
    machine(`ip-10-0-12-${at}.eu-central-1.compute.internal`, at % 9, null),
  ),
  machineCount: 200,
}

const MANIFEST = (name: string) => `# A controller of Kalnet for this cluster: kubectl apply -f <this file>
---
apiVersion: v1
kind: Namespace
metadata:
  name: kalnet
  labels:
    pod-security.kubernetes.io/enforce: restricted
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: kalnet-controller
  namespace: kalnet
spec:
  template:
    spec:
      containers:
        - name: controller
          args: [controller, --join, https://larch.home.arpa:7400, --name, ${JSON.stringify(name)}]
`

/** How the next enrolment goes: nobody comes, somebody comes after a moment, or its time is over at once. */
export type Joins = 'never' | 'soon' | 'late'
export function createClusterStandIn() {
  let joins: Joins = 'never'
  const told: Record<string, ClusterView> = { [CLUSTER_ID]: BUSY, [BLIND_ID]: BLIND }
  return {
    use(world: string) {
      joins = 'never'
      told[CLUSTER_ID] = world === 'many' ? HUGE : BUSY
    },
    joinsNext(how: Joins) {
      joins = how
    },
    /** What it tells from now on. */
    tell(id: string, view: ClusterView) {
      told[id] = view
    },
    view: (id: string) => ({ toldAt: told[id] ? before(90) : null, cluster: told[id] ?? null }),
    token(body: { name?: unknown; cluster?: unknown }, joined: (it: Controller) => void) {
      const name = String(body.name)
      if (joins === 'soon')
        setTimeout(
          () => joined(cluster(CLUSTER_ID.replace(/c1$/, 'c9'), { name, instances: 0 })),
          700,
        ).unref()
      return {
        token: 't',
        expiresAt: joins === 'late' ? before(1) : before(-3_600),
        command: `kalnet controller --join https://larch.home.arpa:7400 --token 3kq9-wm2v-8xye --name "${name}"`,
        ...(body.cluster ? { manifest: MANIFEST(name) } : {}),
      }
    },
  }
}
