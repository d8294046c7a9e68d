/** What is only followed: listed once, told, read again when forgotten, and not known where we may not look; over a cluster of a few lines. */
import { createLog } from '@kalnet/io/log'
import type { V1Node } from '@kubernetes/client-node'
import { describe, expect, test } from 'vitest'
import { type Api, ApiProblem, type WatchEvent } from './api.ts'
import { createFollowed } from './followed.ts'

const node = (name: string): V1Node => ({ metadata: { name, resourceVersion: '101' } })
type Watch = { events?: WatchEvent<V1Node>[]; end: 'ends' | 'silent' | Error }

function start(lists: (V1Node[] | Error)[], watches: Watch[]) {
  const asked: string[] = []
  const slept: number[] = []
  const knownWhileWaiting: (string[] | null)[] = []
  const stop = new AbortController()
  let changes = 0
  const api = {
    get: async (_: string, query: object) => {
      asked.push('continue' in query ? 'more' : 'list')
      const next = lists.shift()
      if (!next) return new Promise(() => undefined)
      if (next instanceof Error) throw next
      const more = next.at(-1)?.metadata?.name === 'more' ? { continue: 'x' } : {}
      return { metadata: { resourceVersion: '100', ...more }, items: next }
    },
    async *watch(_: string, { resourceVersion }: { resourceVersion: string }, signal: AbortSignal) {
      asked.push(`watch ${resourceVersion}`)
      const { events = [], end } = watches.shift() ?? { end: 'silent' as const }
      yield* events
      if (end instanceof Error) throw end
      if (end === 'silent') await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  } as unknown as Api
  const clock = {
    now: () => new Date(0),
    sleep: (ms: number) => {
      slept.push(ms)
      knownWhileWaiting.push(it.all())
      return new Promise<void>((resolve) => setImmediate(resolve))
    },
  }
  const it = createFollowed<V1Node, string>({
    api,
    path: '/api/v1/nodes',
    keep: ({ metadata }) => metadata?.name ?? null,
    changed: () => {
      changes += 1
    },
    clock,
    log: createLog('test', 'silent'),
  })
  const running = it.run(stop.signal)
  return {
    it,
    asked,
    slept,
    knownWhileWaiting,
    names: () => it.all()?.sort() ?? null,
    changes: () => changes,
    async end() {
      stop.abort()
      await running
    },
  }
}
const wait = { timeout: 30_000, interval: 5 }

describe('[K8S-1.machines] machines', () => {
  test('are listed once, page by page, then told', async () => {
    const it = start(
      [[node('a'), node('more')], [node('b')]],
      [
        {
          events: [
            { type: 'ADDED', object: node('c') },
            { type: 'DELETED', object: node('a') },
            { type: 'BOOKMARK', object: { metadata: { resourceVersion: '150' } } },
          ],
          end: 'ends',
        },
      ],
    )
    await expect.poll(() => it.asked, wait).toEqual(['list', 'more', 'watch 100', 'watch 150'])
    expect(it.names()).toEqual(['b', 'c', 'more'])
    expect(it.changes()).toBe(3)
    await it.end()
  })

  test('are read again at once when the cluster forgot what came since', async () => {
    const it = start([[node('a')], [node('b')]], [{ end: new ApiProblem(410, 'Expired', 'too old') }])
    await expect.poll(it.names, wait).toEqual(['b'])
    expect(it.slept).toEqual([])
    await it.end()
  })

  test('are not known where we may not look, and asked for again after a while', async () => {
    const it = start([new ApiProblem(403, 'Forbidden', 'no'), [node('a')]], [])
    await expect.poll(it.names, wait).toEqual(['a'])
    // Long after: nothing is asked of a cluster again and again that it has refused.
    expect(it.slept.map((ms) => ms >= 60_000)).toEqual([true])
    expect(it.it.isRefused()).toBe(false)
    await it.end()
  })

  test('stay as they were told last while the cluster is away', async () => {
    const it = start(
      [[node('a')], new Error('connect ECONNREFUSED'), [node('b')]],
      [{ end: new Error('reset') }],
    )
    await expect.poll(it.names, wait).toEqual(['b'])
    expect(it.knownWhileWaiting).toEqual([['a'], ['a']])
    await it.end()
  })
})
