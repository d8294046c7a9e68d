/** What the metrics API says, as a table; and what is said where there is none. */
import type { V1Pod } from '@kubernetes/client-node'
import { describe, expect, test } from 'vitest'
import { type Api, ApiProblem } from './api.ts'
import { ownerLabels, podName } from './names.ts'
import type { Pods } from './pods.ts'
import { useOf } from './use.ts'

const IDS = ['one', 'two', 'three', 'empty', 'new', 'another']
const idOf = (name: string) => `01890000-0000-7000-8000-00000000000${IDS.indexOf(name)}`
const nameOf = (name: string) => podName('abc', idOf(name), 2)
const pod = (name: string, namespace = 'kalnet'): V1Pod => ({
  metadata: {
    name: nameOf(name),
    namespace,
    labels: ownerLabels({ installation: 'abc', instanceId: idOf(name), generation: 2 }),
  },
})
const measured = (name: string, namespace: string, ...usage: object[]) => ({
  metadata: { name: nameOf(name), namespace },
  timestamp: '2026-01-01T00:00:00Z',
  window: '15s',
  containers: usage.map((it) => ({ name: 'instance', usage: it })),
})
const ask = (pods: V1Pod[], answer: (path: string) => object, of = IDS) =>
  useOf(
    {
      api: { get: async (path: string) => answer(path) } as unknown as Api,
      pods: { list: async () => pods } as unknown as Pods,
      installation: 'abc',
    },
    of.map((name) => ({ instanceId: idOf(name) })),
  )
const refusing = (error: Error) => () => {
  throw error
}

describe('[CTL-4.use] what instances use', () => {
  test('is what was measured of pods of ours, all their containers together', async () => {
    const items = [
      measured('one', 'kalnet', { cpu: '1500m', memory: '1Gi' }, { cpu: '2500000n', memory: '1024Ki' }),
      // Somebody else's, and one that only has the name of ours.
      measured('another', 'kalnet', { cpu: '7', memory: '7Gi' }),
      measured('two', 'elsewhere', { cpu: '7', memory: '7Gi' }),
      measured('empty', 'kalnet'),
    ]
    const used = await ask([pod('one'), pod('two'), pod('empty'), pod('new')], () => ({ items }))
    expect(used).toEqual({
      known: true,
      instances: [
        {
          instanceId: idOf('one'),
          generation: 2,
          cpus: 1.5025,
          memoryBytes: 2 ** 30 + 2 ** 20,
          at: '2026-01-01T00:00:00Z',
        },
      ],
    })
  })
  test('is asked once for each namespace of instances, and not at all without any', async () => {
    const asked: string[] = []
    const note = (path: string) => {
      asked.push(path)
      return { items: [] }
    }
    expect(await ask([], note)).toEqual({ known: true, instances: [] })
    expect(asked).toEqual([])
    await ask([pod('one'), pod('two'), pod('three', 'kalnet-b')], note)
    const path = (namespace: string) => `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`
    expect(asked).toEqual([path('kalnet'), path('kalnet-b')])
    // Only where those are that somebody looks at.
    await ask([pod('one'), pod('two'), pod('three', 'kalnet-b')], note, ['three'])
    expect(asked.slice(2)).toEqual([path('kalnet-b')])
  })
  test.each([
    [
      new ApiProblem(404, 'NotFound', 'the server could not find the requested resource'),
      /Nobody in the cluster measures/,
    ],
    [new ApiProblem(403, 'Forbidden', 'pods.metrics.k8s.io is forbidden'), /We may not list/],
    [new ApiProblem(503, 'ServiceUnavailable', 'service unavailable'), /does not answer \(503\)/],
    [new Error('the cluster does not answer'), /the cluster does not answer/],
  ])('is not known, and not nothing: %s', async (error, why) => {
    expect(await ask([pod('one')], refusing(error))).toEqual({
      known: false,
      why: expect.stringMatching(why),
    })
  })
})
