/** Which images are brought to which machines and when, over a cluster of a few lines. */
import { createLog } from '@kalnet/io/log'
import type { V1Node, V1Pod } from '@kubernetes/client-node'
import { describe, expect, test } from 'vitest'
import { kubernetesSettings } from './settings.ts'
import { has, isBrought, isOpen, warmPodOf } from './warm-pod.ts'
import { createWarming, wantedOf } from './warming.ts'

const SUM = `sha256:${'0'.repeat(64)}`
const image = (name: string, pushedAt = '2026-01-01T00:00:00.000Z', sum = SUM) => ({
  name,
  reference: `registry.test/kalnet/${name}@${sum}`,
  pushedAt,
})
const node = (
  name: string,
  more: { images?: string[]; spec?: V1Node['spec']; ready?: string } = {},
): V1Node => ({
  metadata: { name },
  spec: more.spec ?? {},
  status: {
    conditions: [{ type: 'Ready', status: more.ready ?? 'True' }],
    images: more.images?.map((it) => ({ names: [it] })) ?? [],
  },
})
const around = { installation: 'a', namespace: 'kalnet', pullSecret: 'registry' }
const ended = (changes: object): V1Pod => ({
  status: {
    containerStatuses: [{ name: 'image', image: '', imageID: '', ready: false, restartCount: 0, ...changes }],
  },
})

describe('[CTL-5.warm] which images', () => {
  test.each([
    ['none', [], []],
    ['what was used', ['used'], ['firefox', 'terminal']],
    ['what is named, and was ever brought', ['terminal', 'gimp'], ['terminal']],
  ])('%s', (_, choice, names) => {
    const known = [image('terminal'), image('firefox')]
    expect(wantedOf(choice, known).map((it) => it.name)).toEqual(names)
  })

  test('of a recipe that changed the last one', () => {
    const newer = image('terminal', '2026-02-01T00:00:00.000Z', `sha256:${'1'.repeat(64)}`)
    expect(wantedOf(['used'], [newer, image('terminal')])).toEqual([
      { name: 'terminal', reference: newer.reference },
    ])
  })
})

describe('[CTL-5.warm] a machine', () => {
  test('that takes nothing gets nothing', () => {
    expect(isOpen(node('a'))).toBe(true)
    expect(isOpen(node('a', { ready: 'False' }))).toBe(false)
    expect(isOpen(node('a', { spec: { unschedulable: true } }))).toBe(false)
    const tainted = (effect: string) => node('a', { spec: { taints: [{ key: 'x', effect }] } })
    expect([isOpen(tainted('NoSchedule')), isOpen(tainted('PreferNoSchedule'))]).toEqual([false, true])
    expect(has(node('a', { images: [image('terminal').reference] }), image('terminal'))).toBe(true)
  })

  test('is chosen by name; its pod is of the restricted profile and names the image by its sum', () => {
    const { spec, metadata } = warmPodOf(image('terminal'), 'machine-1', around)
    expect(JSON.stringify(spec?.affinity)).toContain('"values":["machine-1"]')
    expect(spec).toMatchObject({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: 'registry' }],
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    })
    expect(spec?.containers[0]).toMatchObject({ image: image('terminal').reference, command: ['true'] })
    // No instance is seen in it.
    expect(metadata?.labels).not.toHaveProperty('kalnet.io/instance')
  })

  test('has the image when its program began or could not, and says why when it cannot be had', () => {
    expect(isBrought(ended({ state: { waiting: { reason: 'ContainerCreating' } } }))).toBeNull()
    expect(
      isBrought(ended({ imageID: 'sha256:1', state: { waiting: { reason: 'CreateContainerError' } } })),
    ).toBe(true)
    expect(isBrought(ended({ state: { terminated: { exitCode: 128, reason: 'StartError' } } }))).toBe(true)
    const refused = ended({ state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } })
    expect(() => isBrought(refused)).toThrow(/^Its image cannot be fetched: .*not found/)
    expect(() => isBrought(null)).toThrow(/removed from outside/)
  })
})

/** Rounds go on as fast as they can; each pod ends as `fate` says. */
function start(machines: V1Node[], fate: (pod: V1Pod) => V1Pod) {
  const stop = new AbortController()
  const made: string[] = []
  const removed: string[] = []
  let now = 0
  const clock = {
    now: () => new Date(now),
    async sleep() {
      now += 5_000
      await new Promise<void>((resolve) => setImmediate(resolve))
    },
  }
  const there = new Map<string, V1Pod>()
  const whereOf = (pod: V1Pod) =>
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]
      ?.matchFields?.[0]?.values?.[0]
  const api = {
    async apply(_: string, pod: V1Pod) {
      made.push(`${pod.spec?.containers[0]?.image?.split('/').at(-1)?.split('@')[0]} ${whereOf(pod)}`)
      there.set(pod.metadata?.name ?? '', fate(pod))
    },
  }
  const pods = {
    until: async (at: { name: string }, answer: (pod: V1Pod | null) => unknown) =>
      answer(there.get(at.name) ?? null),
    remove: async (at: { name: string }) => void removed.push(at.name),
  }
  const settings = kubernetesSettings.parse({ warm: ['used'], registry: { url: 'https://registry.test' } })
  const left: V1Pod = { metadata: { name: 'left', namespace: 'kalnet', labels: { 'kalnet.io/brings': 'x' } } }
  const warming = createWarming({
    api,
    pods,
    store: { all: () => [left] },
    machines: () => machines,
    known: async () => [image('terminal')],
    settings,
    installation: 'a',
    changed: () => undefined,
    clock,
    log: createLog('test', 'silent'),
  } as never)
  const running = warming.run(stop.signal)
  return {
    warming,
    made,
    removed,
    async end() {
      stop.abort()
      await running
    },
  }
}
const wait = { timeout: 20_000, interval: 5 }

describe('[CTL-5.warm] bringing', () => {
  test('goes to machines that lack it, to those that come later, and not again to those that had it', async () => {
    const machines = [
      node('one'),
      node('two', { images: [image('terminal').reference] }),
      node('shut', { spec: { unschedulable: true } }),
    ]
    const it = start(machines, (pod) => {
      const at = machines.findIndex((one) =>
        JSON.stringify(pod.spec?.affinity).includes(`"${one.metadata?.name}"`),
      )
      machines[at] = node(machines[at]?.metadata?.name ?? '', { images: [image('terminal').reference] })
      return ended({ imageID: 'sha256:1' })
    })
    await expect.poll(() => it.made, wait).toEqual(['terminal one'])
    machines.push(node('three'))
    await expect.poll(() => it.made, wait).toEqual(['terminal one', 'terminal three'])
    await expect
      .poll(() => it.warming.state(), wait)
      .toMatchObject([{ name: 'terminal', there: 3, machines: 3, problem: null }])
    // What a controller that was killed had left went, too.
    expect(it.removed).toContain('left')
    await it.end()
  })

  test('that fails is said, and tried again later', async () => {
    const machines = [node('one')]
    const refused = ended({ state: { waiting: { reason: 'ImagePullBackOff', message: 'gone' } } })
    let tries = 0
    const it = start(machines, () => {
      tries += 1
      if (tries === 1) return refused
      machines[0] = node('one', { images: [image('terminal').reference] })
      return ended({ imageID: 'sha256:1' })
    })
    await expect.poll(() => it.warming.state()[0]?.there, wait).toBe(1)
    expect(it.made).toEqual(['terminal one', 'terminal one'])
    await it.end()
  })
})
