/** Room of a cluster and what is told of it, as tables; no cluster is needed. */
import type { V1Container, V1Node, V1Pod } from '@kubernetes/client-node'
import { describe, expect, test } from 'vitest'
import { GATE, ownerLabels, podName } from './names.ts'
import { reportOf, waitingIn } from './report.ts'
import { askedBy, machinesOf, placedOf, quantity, roomOf } from './room.ts'

const GIB = 2 ** 30
const asks = (cpu: string, memory: string, more: object = {}): V1Container => ({
  name: 'x',
  resources: { requests: { cpu, memory } },
  ...more,
})
const node = (
  name: string,
  change: { spec?: object; ready?: string; conditions?: object[] } = {},
): V1Node => ({
  metadata: { name },
  spec: change.spec,
  status: {
    capacity: { cpu: '4', memory: '9Gi', pods: '10' },
    allocatable: { cpu: '4', memory: '8Gi', pods: '10' },
    conditions: [
      { type: 'Ready', status: change.ready ?? 'True', message: 'kubelet is  not\nready' },
      ...((change.conditions ?? []) as { type: string; status: string }[]),
    ],
  },
})
const pod = (nodeName: string | undefined, phase: string, containers = [asks('500m', '1Gi')]): V1Pod => ({
  status: { phase },
  spec: { nodeName, containers },
})
const placed = (all: V1Pod[]) => all.flatMap((it) => placedOf(it) ?? [])

describe('[K8S-1.room] room', () => {
  test.each([
    ['250m', 0.25],
    ['2', 2],
    ['1.5Gi', 1.5 * GIB],
    ['2e3', 2000],
    ['128974848', 128974848],
    ['129M', 129e6],
    ['', 0],
    ['many', 0],
  ])('%s is %d', (text, value) => expect(quantity(text)).toBeCloseTo(value))

  test('is what open machines offer without what is asked for', () => {
    const ours = placed([
      pod('a', 'Running'),
      pod('b', 'Pending'),
      pod('a', 'Failed'),
      pod(undefined, 'Pending'),
    ])
    const machines = machinesOf(
      [node('a'), node('b'), node('c', { spec: { unschedulable: true } })],
      ours,
      null,
    )
    expect(roomOf(machines)).toMatchObject({
      machines: 2,
      cpus: 8,
      cpusFree: 7,
      memoryBytes: 16 * GIB,
      memoryFreeBytes: 14 * GIB,
      most: { cpus: 4, cpusFree: 3.5, memoryBytes: 8 * GIB, memoryFreeBytes: 7 * GIB },
    })
  })

  test('[CTL-5.cluster-room] of others counts too where it is known, and a machine with all its pods has none', () => {
    const others = placed(Array.from({ length: 9 }, () => pod('a', 'Running', [asks('100m', '100Mi')])))
    const of = (ours: V1Pod[]) => machinesOf([node('a')], placed(ours), others)
    expect(of([])[0]).toMatchObject({ others: { pods: 9, memoryBytes: 900 * 2 ** 20 }, ours: { pods: 0 } })
    expect(roomOf(of([])).memoryFreeBytes).toBe(8 * GIB - 900 * 2 ** 20)
    expect(roomOf(of([pod('a', 'Running')])).most).toMatchObject({ memoryFreeBytes: 0, cpusFree: 0 })
  })

  test('a pod asks for its programs together, or for the largest before them, and for what comes with it', () => {
    const spec = {
      containers: [asks('100m', '1Gi'), asks('200m', '1Gi')],
      initContainers: [asks('2', '512Mi'), asks('100m', '256Mi', { restartPolicy: 'Always' })],
      overhead: { cpu: '50m', memory: '10Mi' },
    }
    expect(askedBy({ spec })).toEqual({
      cpus: 2.05,
      memoryBytes: 2 * GIB + 266 * 2 ** 20,
      pods: 1,
    })
  })

  test('a helper that began before counts beside those that run before the programs', () => {
    const helper = asks('1', '1Gi', { restartPolicy: 'Always' })
    const before = asks('3', '512Mi')
    const cpus = (...initContainers: V1Container[]) =>
      askedBy({ spec: { containers: [asks('1', '1Gi')], initContainers } }).cpus
    expect(cpus(helper, before)).toBe(4)
    expect(cpus(before, helper)).toBe(3)
    expect(cpus(helper)).toBe(2)
    expect(cpus()).toBe(1)
  })

  test('machines that are kept for others, that are cordoned or silent have no room for us; what is only rather not used has', () => {
    const tainted = (name: string, effect: string, key = 'node-role.kubernetes.io/control-plane') =>
      node(name, { spec: { taints: [{ key, effect }] } })
    const cordon = [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }]
    const machines = machinesOf(
      [
        tainted('main', 'NoSchedule'),
        tainted('put-out', 'NoExecute'),
        tainted('rather-not', 'PreferNoSchedule'),
        node('cordoned', { spec: { unschedulable: true, taints: cordon } }),
        node('silent', { ready: 'Unknown' }),
        node('plain'),
      ],
      [],
      null,
    )
    expect(roomOf(machines)).toMatchObject({ machines: 2, cpus: 8 })
    const kept = 'It is kept for others: node-role.kubernetes.io/control-plane'
    expect(machines.map((it) => [it.name, it.ready, it.detail])).toEqual([
      ['cordoned', true, ''],
      ['main', false, kept],
      ['plain', true, ''],
      ['put-out', false, kept],
      ['rather-not', true, ''],
      ['silent', false, 'It does not answer'],
    ])
  })

  test.each([
    ['is ready', node('a'), ''],
    ['says why not', node('a', { ready: 'False' }), 'It is not ready: kubelet is not ready'],
    ['is silent', node('a', { ready: 'Unknown' }), 'It does not answer'],
    ['has said nothing', { metadata: { name: 'a' } }, 'It has not said yet that it is ready'],
    [
      'is full',
      node('a', { conditions: [{ type: 'DiskPressure', status: 'True' }] }),
      'Its disk is nearly full',
    ],
  ])('[K8S-1.machines] a machine that %s', (_, it, detail) => {
    expect(machinesOf([it], [], null)[0]).toMatchObject({ ready: detail === '', detail })
  })
})

const at = '2026-01-02T03:04:05.000Z'
const ID = '01890000-0000-7000-8000-000000000001'
const waits = (change: { spec?: object; status?: object; metadata?: object } = {}): V1Pod => ({
  metadata: {
    name: podName('abc', ID, 1),
    namespace: 'kalnet',
    creationTimestamp: new Date(at),
    labels: ownerLabels({ installation: 'abc', instanceId: ID, generation: 1 }),
    ...change.metadata,
  },
  spec: { containers: [], ...change.spec },
  status: { phase: 'Pending', ...change.status },
})
const unplaced = (message: string) => ({
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
})
const pulling = (reason: string) => ({
  conditions: [
    { type: 'PodScheduled', status: 'True', lastTransitionTime: new Date('2026-01-02T03:05:00.000Z') },
  ],
  containerStatuses: [{ name: 'x', state: { waiting: { reason } } }],
})

describe('[CTL-5.waiting] what waits in a cluster', () => {
  test.each<[string, V1Pod, string, string]>([
    ['for its walls', waits({ spec: { schedulingGates: [{ name: GATE }] } }), 'walls', at],
    ['for somebody else', waits({ spec: { schedulingGates: [{ name: 'x' }] } }), 'Somebody else', at],
    ['for a machine', waits(), 'A machine is being looked for', at],
    [
      'for memory',
      waits({ status: unplaced('0/1 nodes are available: 1 Insufficient memory.') }),
      'No machine of the cluster has enough free memory',
      at,
    ],
    [
      'for a volume',
      waits({ status: unplaced('pod has unbound immediate PersistentVolumeClaims') }),
      'Its volume is not there yet',
      at,
    ],
    [
      'on its machine',
      waits({ spec: { nodeName: 'a' }, status: pulling('ContainerCreating') }),
      'Its machine prepares it; the first time, its image is fetched',
      '2026-01-02T03:05:00.000Z',
    ],
    [
      'for its image',
      waits({ spec: { nodeName: 'a' }, status: pulling('ErrImagePull') }),
      'Its image cannot be fetched',
      '2026-01-02T03:05:00.000Z',
    ],
    ['to be gone', waits({ metadata: { deletionTimestamp: new Date(at) } }), 'being taken away', at],
  ])('%s', (_, it, words, since) => {
    expect(waitingIn([it])).toEqual([
      { instanceId: '01890000-0000-7000-8000-000000000001', text: expect.stringContaining(words), since },
    ])
  })

  test('is nothing that runs, has ended, or is not ours', () => {
    const running = { containerStatuses: [{ name: 'x', state: { running: {} } }] }
    expect(
      waitingIn([
        waits({ status: running }),
        waits({ status: { phase: 'Failed' } }),
        waits({ metadata: {} }),
        pod('a', 'Pending'),
      ]),
    ).toHaveLength(1)
  })
})

describe('[K8S-1.machines] what is told of a cluster', () => {
  const registry = { address: null, state: 'none' as const, detail: '' }
  const known = {
    version: 'v1.34.4',
    namespaces: ['kalnet'],
    nodes: null,
    ours: [],
    others: null,
    classes: null,
    chosen: undefined,
    missing: [],
    registry,
  }
  test('says of what it may not read that it is not known', () => {
    expect(reportOf(known)).toMatchObject({ machines: null, machineCount: 0, storageClasses: null })
  })
  test('is bounded: more machines than fit are counted', () => {
    const nodes = Array.from({ length: 1200 }, (_, index) => node(`machine-${index}`))
    const { machines, machineCount } = reportOf({ ...known, nodes })
    expect([machines?.length, machineCount]).toEqual([1000, 1200])
    expect(machines?.slice(0, 3).map((it) => it.name)).toEqual(['machine-0', 'machine-1', 'machine-2'])
  })
  test('names classes of volumes, which is usual and which is ours', () => {
    const classes = ['slow', 'fast'].map((name) => ({
      provisioner: 'x',
      metadata: {
        name,
        annotations: { 'storageclass.kubernetes.io/is-default-class': String(name === 'slow') },
      },
    }))
    expect(reportOf({ ...known, classes, chosen: 'fast' }).storageClasses).toEqual([
      { name: 'fast', usual: false, chosen: true },
      { name: 'slow', usual: true, chosen: false },
    ])
  })
})
