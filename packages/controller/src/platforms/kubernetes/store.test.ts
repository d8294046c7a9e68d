/** Pods that a cluster tells: what is listed once, what a watch brings, what is forgotten meanwhile; over a cluster of a few lines. */
import { createLog } from '@kalnet/io/log'
import type { V1Pod } from '@kubernetes/client-node'
import { describe, expect, test } from 'vitest'
import { type Api, ApiProblem, type WatchEvent } from './api.ts'
import { createPodStore, nameOf } from './store.ts'

const pod = (name: string, version: number): V1Pod => ({
  metadata: { name, resourceVersion: String(version) },
})
/** How one watch goes: events, then a throw, a long silence, or its end. */
type Watch = { events?: WatchEvent<V1Pod>[]; end: 'ends' | 'silent' | Error }

function start(lists: (V1Pod[] | Error)[], watches: Watch[]) {
  const asked: string[] = []
  const stop = new AbortController()
  const api = {
    get: async () => {
      asked.push('list')
      const next = lists.shift()
      if (!next || next instanceof Error) throw next ?? new Error('no more lists')
      return { metadata: { resourceVersion: '100' }, items: next }
    },
    async *watch(_: string, { resourceVersion }: { resourceVersion: string }, signal: AbortSignal) {
      asked.push(`watch ${resourceVersion}`)
      const { events = [], end } = watches.shift() ?? { end: 'silent' as const }
      yield* events
      if (end instanceof Error) throw end
      if (end === 'silent') await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  } as unknown as Api
  // Waiting takes no time here, but lets others work.
  const clock = { now: () => new Date(0), sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) }
  const log = createLog('test', 'silent')
  const spaces = { watched: 'kalnet', isOurs: () => true }
  const store = createPodStore({ api, spaces, labelSelector: 'a=b', clock, log })
  const running = store.run(stop.signal)
  return {
    store,
    asked,
    names: () => store.all()?.map(nameOf).sort() ?? null,
    async end() {
      stop.abort()
      await running
    },
  }
}
const wait = { timeout: 30_000, interval: 5 }

describe('[K8S-1.watch] pods', () => {
  test('are listed once, then told; a watch that ends goes on where it was', async () => {
    const it = start(
      [[pod('a', 1), pod('b', 2)]],
      [
        {
          events: [
            { type: 'MODIFIED', object: pod('a', 101) },
            { type: 'DELETED', object: pod('b', 102) },
            { type: 'ADDED', object: pod('c', 103) },
            { type: 'BOOKMARK', object: pod('', 150) },
          ],
          end: 'ends',
        },
      ],
    )
    await expect.poll(it.names, wait).toEqual(['a', 'c'])
    await expect.poll(() => it.asked, wait).toEqual(['list', 'watch 100', 'watch 150'])
    // Our own answers may be ahead; what is older than what was told may be gone.
    it.store.take(pod('b', 102))
    it.store.take(pod('d', 151))
    expect(it.names()).toEqual(['a', 'c', 'd'])
    await it.end()
    expect(it.names()).toBeNull()
  })

  test('whoever waits for one wakes up for that one, and when it is told no more', async () => {
    const away = new Error('connect ECONNREFUSED')
    const it = start([[pod('a', 1), pod('b', 2)], away, [pod('a', 1)]], [{ end: 'silent' }])
    await expect.poll(it.names, wait).toEqual(['a', 'b'])
    const heard: string[] = []
    const stop = new AbortController()
    const listen = (name: string) => it.store.heard(name, stop.signal).then(() => heard.push(name))
    const waiting = [listen('a'), listen('b'), listen('c')]
    it.store.take(pod('b', 101))
    await waiting[1]
    expect(heard).toEqual(['b'])
    expect(it.store.one({ namespace: 'kalnet', name: 'c' })).toBeNull()
    await it.end()
    await Promise.all(waiting)
    expect(it.store.one({ namespace: 'kalnet', name: 'a' })).toBeUndefined()
    // Whoever came too late, or leaves, is not kept waiting.
    stop.abort()
    await listen('a')
  })

  test('what nobody here asks of a pod is not kept', async () => {
    const its = pod('a', 1)
    its.metadata = { ...its.metadata, managedFields: [{ manager: 'x' }] }
    const it = start([[its]], [])
    await expect.poll(it.names, wait).toEqual(['a'])
    expect(it.store.all()?.[0]?.metadata).not.toHaveProperty('managedFields')
    await it.end()
  })

  const forgotten = { code: 410, reason: 'Expired', message: 'too old resource version' }
  test.each<[string, Watch]>([
    ['as an event', { events: [{ type: 'ERROR', object: forgotten as V1Pod }], end: 'ends' }],
    ['as an answer', { end: new ApiProblem(410, 'Expired', 'too old') }],
  ])('forgotten versions, told %s: all is read again at once', async (_, watch) => {
    const it = start(
      [
        [pod('a', 1), pod('b', 2)],
        [pod('b', 2), pod('c', 200)],
      ],
      [watch],
    )
    await expect.poll(it.names, wait).toEqual(['b', 'c'])
    expect(it.asked).toEqual(['list', 'watch 100', 'list', 'watch 100'])
    await it.end()
  })

  test('a cluster that goes away tells nothing, and everything when it is back', async () => {
    const away = new Error('connect ECONNREFUSED')
    const it = start([[pod('a', 1)], away, away, [pod('z', 9)]], [{ end: away }])
    const stop = new AbortController()
    const changed: string[] = []
    const listening = (async () => {
      for await (const one of it.store.changes(stop.signal)) changed.push(nameOf(one))
    })()
    await expect.poll(it.names, wait).toEqual(['z'])
    // Both are told: the one that is gone, too.
    expect(changed).toEqual(expect.arrayContaining(['a', 'z']))
    stop.abort()
    await listening
    await it.end()
  })
})
