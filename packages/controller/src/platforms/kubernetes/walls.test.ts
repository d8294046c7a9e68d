/** Walls that somebody else changes or deletes are put back, once, and only where a pod lives; over a cluster of a few lines. */
import { createLog } from '@kalnet/io/log'
import type { V1NetworkPolicy, V1Pod } from '@kubernetes/client-node'
import { describe, expect, test } from 'vitest'
import type { Api, WatchEvent } from './api.ts'
import { NOTES } from './names.ts'
import { createWalls, noteOf, textOf } from './walls.ts'

const SPEC = { podSelector: { matchLabels: { a: 'b' } }, policyTypes: ['Ingress', 'Egress'] }
const OPEN = { podSelector: {}, egress: [{}] }
const policy = (name: string, spec: object = SPEC): V1NetworkPolicy => ({
  metadata: { name, namespace: 'kalnet', resourceVersion: '7' },
  spec: spec as V1NetworkPolicy['spec'],
})
const pod = (name: string, changes: Partial<V1Pod> = {}): V1Pod => ({
  metadata: { name, namespace: 'kalnet', uid: 'u', labels: { l: name }, annotations: noteOf(policy(name)) },
  status: { phase: 'Running', containerStatuses: [{ state: { running: {} } }] as never },
  ...changes,
})

function start(pods: V1Pod[] | null, listed: V1NetworkPolicy[], events: WatchEvent<V1NetworkPolicy>[] = []) {
  const applied: { path: string; object: V1NetworkPolicy }[] = []
  const slept: number[] = []
  const problems: Error[] = []
  const stop = new AbortController()
  const told = Promise.withResolvers<void>()
  const api = {
    get: async () => ({ metadata: { resourceVersion: '1' }, items: listed }),
    async *watch(_: string, __: object, signal: AbortSignal) {
      const over = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      await Promise.race([told.promise, over])
      yield* events.splice(0)
      if (!signal.aborted) await over
    },
    apply: async (path: string, object: V1NetworkPolicy) => {
      const problem = problems.shift()
      if (problem) throw problem
      applied.push({ path, object })
    },
  } as unknown as Api
  const clock = {
    now: () => new Date(0),
    sleep: async (ms: number) => {
      slept.push(ms)
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
  const walls = createWalls({
    ...{ api, clock, log: createLog('test', 'silent'), namespace: 'kalnet', labelSelector: 'x' },
    store: { all: () => pods },
  })
  const running = walls.run(stop.signal)
  return {
    applied,
    slept,
    problems,
    tell: told.resolve,
    async rest() {
      for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    },
    async end() {
      stop.abort()
      await running
    },
  }
}

describe('[K8S-1.walls-kept] walls', () => {
  test('as they were made are left alone, whatever the API leaves out of them', async () => {
    const it = start([pod('a'), pod('b')], [policy('a', { ...SPEC, ingress: [] }), policy('b')])
    await it.rest()
    await it.end()
    expect(it.applied).toEqual([])
  })

  test.each<[string, WatchEvent<V1NetworkPolicy>]>([
    ['opened', { type: 'MODIFIED', object: policy('a', { ...SPEC, egress: [{}] }) }],
    ['of other pods', { type: 'MODIFIED', object: policy('a', OPEN) }],
    ['deleted', { type: 'DELETED', object: policy('a') }],
  ])('%s are put back, with all of them said', async (_, event) => {
    const it = start([pod('a'), pod('b')], [policy('a'), policy('b')], [event])
    await it.rest()
    expect(it.applied).toEqual([])
    it.tell()
    await it.rest()
    await it.end()
    expect(it.applied[0]?.path).toBe('/apis/networking.k8s.io/v1/namespaces/kalnet/networkpolicies/a')
    expect(it.applied[0]?.object).toMatchObject({
      metadata: { name: 'a', labels: { l: 'a' }, ownerReferences: [{ uid: 'u' }] },
      spec: { ...SPEC, ingress: [], egress: [] },
    })
    expect(it.applied.some(({ path }) => path.endsWith('/b'))).toBe(false)
  })

  test.each<[string, V1Pod[] | null]>([
    ['no pod is told', null],
    ['the pod is gone', []],
    ['the pod goes', [pod('a', { metadata: { ...pod('a').metadata, deletionTimestamp: new Date() } })]],
    ['the pod has ended', [pod('a', { status: { phase: 'Failed' } })]],
    ['the pod has not begun', [pod('a', { status: { phase: 'Pending' } })]],
    ['nobody wrote what they were', [pod('a', { metadata: { name: 'a', namespace: 'kalnet' } })]],
    [
      'somebody wrote what cannot be read',
      [pod('a', { metadata: { ...pod('a').metadata, annotations: { [NOTES.walls]: '{' } } })],
    ],
  ])('are not made where %s', async (_, pods) => {
    const it = start(pods, [])
    await it.rest()
    await it.end()
    expect(it.applied).toEqual([])
  })

  test('that cannot be put back are tried again, more slowly each time', async () => {
    const it = start([pod('a')], [policy('a', OPEN)])
    it.problems.push(new Error('away'), new Error('away'))
    await it.rest()
    await it.end()
    expect(it.applied.length).toBeGreaterThan(0)
    expect(it.slept[0]).toBeLessThan(it.slept[2] ?? 0)
  })

  test.each([
    [{ a: [], b: {}, c: 1 }, { c: 1, b: {} }, true],
    [{ a: [{ z: 1, y: [] }] }, { a: [{ z: 1 }] }, true],
    [{ a: [1, 2] }, { a: [2, 1] }, false],
    [{ a: [{}] }, { a: [] }, false],
  ])('%j and %j: the same is %s', (one, other, expected) => {
    expect(textOf(one) === textOf(other)).toBe(expected)
  })
})
