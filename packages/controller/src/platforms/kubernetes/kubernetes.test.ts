/** What a cluster is told and what it says back, as tables; no cluster is needed. */
import { instanceSpec } from '@kalnet/contracts/instance'
import type { V1ContainerState, V1Pod } from '@kubernetes/client-node'
import { describe, expect, test } from 'vitest'
import type { EnsureRequest } from '../platform.ts'
import { placed, secretOf } from './given.ts'
import { NOTES, podName, selector } from './names.ts'
import { hasBegun, observationOf, refusalInWords, waitingOf } from './observation.ts'
import { handleFrom, podOf } from './pod.ts'
import { policyOf } from './policy.ts'
import { wayTo } from './ports.ts'
import { missingRights, RIGHTS, ROLE_RIGHTS, roleObjects } from './rights.ts'
import { codeOf } from './run-inside.ts'
import { settingsOf } from './settings.ts'
import { claimOf, usersOf } from './volumes.ts'

const request = (changes: object = {}): EnsureRequest => ({
  instanceId: '01890000-0000-7000-8000-000000000001',
  generation: 3,
  organisationId: '01890000-0000-7000-8000-00000000a000',
  spec: instanceSpec.parse({
    image: { reference: 'registry.test/x@sha256:00' },
    command: ['sh', '-c', 'echo $(HOME) $HOME'],
    ports: [
      { name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } },
      { name: 'web', kind: 'http', at: { tcp: 8080 } },
      { name: 'game', kind: 'udp', at: { udp: 9090 } },
    ],
    ...changes,
  }),
})
const around = { installation: 'abc', namespace: 'kalnet', image: 'registry.test/x@sha256:00' }
const made = (it: EnsureRequest): V1Pod => {
  const pod = podOf(it, around)
  return { ...pod, metadata: { ...pod.metadata, uid: 'uid-1' } }
}

describe('[K8S-1.pod] a pod', () => {
  test('is of the restricted profile and has nothing of the cluster inside', () => {
    const { spec } = podOf(request(), around)
    expect(spec).toMatchObject({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      hostNetwork: false,
      hostPID: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    })
    expect(spec?.containers[0]?.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      privileged: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(spec?.schedulingGates).toHaveLength(1)
    expect(spec?.volumes?.every((it) => it.emptyDir || it.secret || it.persistentVolumeClaim)).toBe(true)
  })

  test('says what stands in its words and its environment, whatever a cluster would fill in', () => {
    const it = podOf(request({ environment: { A: '$(B) $$(C)', B: 'x' } }), around).spec?.containers[0]
    expect(it?.command).toEqual(['sh', '-c', 'echo $$(HOME) $$HOME'])
    expect(it?.env).toContainEqual({ name: 'A', value: '$$(B) $$$$(C)' })
  })

  test('has a name that nothing can bend, one for each generation and installation', () => {
    const names = [
      podName('a', 'x', 1),
      podName('a', 'x', 2),
      podName('b', 'x', 1),
      podName('a', '../x\n', 1),
    ]
    expect(new Set(names).size).toBe(4)
    for (const name of names) expect(name).toMatch(/^kalnet-[0-9a-f]{32}$/)
  })
})

describe('[K8S-1.handles] what is read back', () => {
  test('is the handle it was made with, with ways to its ports', () => {
    const handle = handleFrom(made(request()))!
    expect(handle).toMatchObject({ platform: 'kubernetes', instanceId: request().instanceId, generation: 3 })
    expect(wayTo(handle, 'display')).toEqual({ display: 5900 })
    expect(wayTo(handle, 'web')).toEqual({ tcp: 8080 })
    expect(wayTo(handle, 'game')).toEqual({ udp: 9090 })
    expect(() => wayTo(handle, 'nothing')).toThrow(/no port/)
  })

  const [generation, note] = ['kalnet.io/generation', NOTES.ports]
  const INSTANCE = 'kalnet.io/instance'
  test.each<[string, object, boolean]>([
    ['no labels', { labels: undefined }, false],
    [
      'no generation',
      { labels: { ...made(request()).metadata?.labels, [generation]: 'x'.repeat(63) } },
      false,
    ],
    [
      'a generation below one',
      { labels: { ...made(request()).metadata?.labels, [generation]: '-1' } },
      false,
    ],
    [
      'somebody else called so',
      { labels: { ...made(request()).metadata?.labels, [INSTANCE]: 'a..b' } },
      false,
    ],
    [
      'marks of another one of ours',
      { labels: { ...made(request()).metadata?.labels, [INSTANCE]: '01890000-0000-7000-8000-00000000beef' } },
      false,
    ],
    ['the name of a pod of somebody else', { name: `${'a.'.repeat(126)}a` }, false],
    ['ports that are no JSON', { annotations: { [note]: '{"web":' } }, true],
    ['ports that are something else', { annotations: { [note]: '{"web":{"a":1}}' } }, true],
  ])('%s bends nothing', (_, changes, isOurs) => {
    const { metadata } = made(request())
    const handle = handleFrom({ metadata: { ...metadata, ...changes } })
    expect(handle !== null).toBe(isOurs)
    if (handle) expect(() => wayTo(handle, 'web')).toThrow(/no port/)
  })
})

describe('[K8S-1.policy] the walls', () => {
  const it = { ...request(), installation: 'abc' }
  test('let nobody in, and out only where the spec says so', () => {
    for (const network of ['none', 'local'] as const) {
      const { spec } = policyOf(made(request()), { ...it, network })
      expect(spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'], ingress: [], egress: [] })
    }
    const closed = ['203.0.113.0/24', '10.1.0.0/16']
    const { spec } = policyOf(made(request()), { ...it, network: 'internet', closed })
    const written = JSON.stringify(spec)
    expect(written).toContain('203.0.113.0/24')
    expect(written).not.toContain('10.1.0.0/16')
    for (const range of ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '127.0.0.0/8'])
      expect(written).toContain(range)
  })
})

describe('[K8S-1.claims] volumes', () => {
  const settings = settingsOf({ enabled: true, storageClass: 'fast', volumeSize: '3Gi' })
  const id = '01890000-0000-7000-8000-000000000009'
  test('are claims of a class and a size', () => {
    const claim = claimOf({ id }, { installation: 'a', namespace: 'n', organisationId: 'o', settings })
    expect(claim.spec).toMatchObject({
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '3Gi' } },
    })
    const pod = (phase: string): V1Pod => ({
      status: { phase },
      spec: {
        containers: [],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: claim.metadata?.name ?? '' } }],
      },
    })
    expect(
      usersOf([pod('Running'), pod('Failed'), pod('Succeeded')], claim.metadata?.name ?? ''),
    ).toHaveLength(1)
  })
  test('files change as a set', () => {
    const secret = secretOf(made(request()), request(), { installation: 'a', screenSecret: 'abcdefgh' })
    expect(Object.keys(secret.data ?? {}).sort()).toEqual(['display.secret', 'display.word'])
    const before = { ...secret, data: { ...secret.data, 'identity.ca.pem': 'eA==' } }
    expect(placed(before, 'identity', { 'cert.pem': 'new' })).toEqual({
      data: { 'identity.ca.pem': null, 'identity.cert.pem': 'bmV3' },
    })
    const large = request({
      files: Array.from({ length: 5 }, (_, at) => ({ name: `f${at}`, content: 'x'.repeat(250_000) })),
    })
    expect(() => secretOf(made(large), large, { installation: 'a', screenSecret: '' })).toThrow(/larger than/)
  })
})

const podWith = (state: V1ContainerState | null, status: object = {}): V1Pod => ({
  status: {
    ...(state && {
      containerStatuses: [{ name: 'instance', image: '', imageID: '', ready: false, restartCount: 0, state }],
    }),
    ...status,
  },
})
const at = new Date('2026-01-02T03:04:05Z')
const limited = { containers: [{ name: 'instance', resources: { limits: { memory: '67108864' } } }] }

describe('[K8S-1.reasons] why', () => {
  test.each<[string, V1Pod, object]>([
    ['running', podWith({ running: { startedAt: at } }), { state: 'running', startedAt: at.toISOString() }],
    [
      'a code',
      podWith({ terminated: { exitCode: 3, finishedAt: at } }),
      { code: 3, reason: 'Its program ended with code 3' },
    ],
    [
      'no memory',
      podWith({ terminated: { exitCode: 137, reason: 'OOMKilled' } }),
      { code: 137, reason: 'It ran out of memory' },
    ],
    [
      'no memory, told as signal 9 alone',
      { ...podWith({ terminated: { exitCode: 137, reason: 'Error' } }), spec: limited },
      { code: 137, reason: 'It was killed (signal 9), from outside or because it ran out of memory' },
    ],
    [
      'signal 9 for one that was asked to end',
      {
        ...podWith({ terminated: { exitCode: 137, reason: 'Error' } }),
        spec: { ...limited, activeDeadlineSeconds: 1 },
      },
      { code: 137, reason: 'It was killed from outside (signal 9)' },
    ],
    [
      'eviction',
      podWith(
        { terminated: { exitCode: 137 } },
        { reason: 'Evicted', phase: 'Failed', message: 'low on memory' },
      ),
      { reason: 'Its machine needed the room and put it out: low on memory' },
    ],
    [
      'eviction before it began',
      podWith(null, { reason: 'Evicted', phase: 'Failed', message: 'x' }),
      { state: 'ended', code: null },
    ],
    [
      'a program that is not there',
      podWith({
        terminated: {
          exitCode: 128,
          reason: 'StartError',
          message: 'exec: "nope": executable file not found in $PATH',
        },
      }),
      { reason: 'Its program was not found in the image' },
    ],
    [
      'a lost machine',
      podWith({ terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } }),
      { code: null, reason: 'It ended while nobody was looking; its exit code is not known' },
    ],
    [
      'an image that cannot be fetched',
      podWith({ waiting: { reason: 'ImagePullBackOff', message: 'not found' } }),
      { state: 'ended', reason: 'Its image cannot be fetched: there is no such image (not found)' },
    ],
    ['no word yet', podWith(null), { state: 'running', startedAt: null }],
  ])('%s', (_, pod, observation) => expect(observationOf(pod)).toMatchObject(observation))

  const unplaced = (message: string) =>
    podWith(null, {
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
    })
  test.each([
    ['0/3 nodes are available: 3 Insufficient memory.', /enough free memory/],
    ['0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint', /enough free CPU/],
    ['0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.', /volume is not there yet/],
    ['no nodes available to schedule pods', /no machine/],
    ['something new', /No machine was found for it: something new/],
  ])('waiting: %s', (message, words) => {
    expect(waitingOf(unplaced(message))).toMatchObject({ isFinal: false, text: expect.stringMatching(words) })
    expect(hasBegun(unplaced(message))).toBe(false)
  })

  test.each([
    [403, 'pods "x" is forbidden: exceeded quota: q, requested: pods=1', /quota of the namespace is used up/],
    [403, 'pods "x" is forbidden: violates PodSecurity "restricted"', /does not admit it/],
    [403, 'pods is forbidden: User "u" cannot create resource', /We may not do that/],
    [404, 'namespaces "kalnet" not found', /namespace is not there/],
    [401, 'Unauthorized', /does not know us any more/],
  ])('refused with %i: %s', (status, message, words) =>
    expect(refusalInWords(status, message)).toMatch(words),
  )

  test.each([
    [{ status: 'Success' }, 0],
    [{ status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: '7' }] } }, 7],
    [{ status: 'Failure', message: 'no such container' }, null],
    [null, null],
  ])('the end of a program: %j', (status, code) => expect(codeOf(status)).toBe(code))
})

describe('[K8S-1.least] rights', () => {
  const rules = (list: object[], incomplete = false) => ({ status: { resourceRules: list, incomplete } })
  const whole = RIGHTS.map((it) => ({
    apiGroups: [it.group],
    resources: [it.resource],
    verbs: [...it.verbs],
  }))
  const api = (answer: object, allowed = false) =>
    ({
      post: async (path: string) => (path.endsWith('rulesreviews') ? answer : { status: { allowed } }),
    }) as never

  test('each one that is missing is named', async () => {
    expect(await missingRights(api(rules(whole)), 'kalnet')).toEqual([])
    expect(
      await missingRights(api(rules([{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }])), 'kalnet'),
    ).toEqual([])
    const less = whole.filter((it) => !it.resources.includes('pods/log'))
    expect(await missingRights(api(rules(less)), 'kalnet')).toEqual(['get pods/log'])
    const named = whole.map((it) =>
      it.resources.includes('secrets') ? { ...it, resourceNames: ['one'] } : it,
    )
    expect(await missingRights(api(rules(named)), 'kalnet')).toEqual([
      'get secrets',
      'create secrets',
      'patch secrets',
    ])
    // Where the API does not know all rules, each is asked for.
    expect(await missingRights(api(rules([], true), true), 'kalnet')).toEqual([])
  })

  test('the Role says the table and nothing else; machines are read only by choice', () => {
    const [, role] = roleObjects({ namespace: 'kalnet', account: 'a' }) as { rules: object[] }[]
    expect(role?.rules).toHaveLength(ROLE_RIGHTS.length)
    expect(JSON.stringify(role)).not.toContain('*')
    expect(roleObjects({ namespace: 'kalnet', account: 'a', nodes: false })).toHaveLength(3)
  })

  test('a selector is as the API takes it', () => expect(selector({ a: 'b', c: 'd' })).toBe('a=b,c=d'))
})
