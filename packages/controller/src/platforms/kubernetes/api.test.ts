/** What a cluster that has much to do is asked: not everything at once, and again when it says so. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '@kalnet/io/clock'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ApiProblem, createApi } from './api.ts'

type Answer = { status: number; headers?: Record<string, string>; text?: string }
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** `answerTo` the n-th request, counted from zero. */
async function server(answerTo: (index: number) => Answer | Promise<Answer>) {
  let asked = 0
  const it = createServer(async (request, response) => {
    request.resume()
    const { status, headers = {}, text = '{}' } = await answerTo(asked++)
    response.writeHead(status, headers).end(text)
  })
  await new Promise<void>((resolve) => it.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    it.closeAllConnections()
    it.close()
  })
  const url = `http://127.0.0.1:${(it.address() as AddressInfo).port}`
  const slept: number[] = []
  const clock = { ...systemClock, sleep: async (ms: number) => void slept.push(ms) }
  const api = createApi(
    { inCluster: false, renew: () => undefined, access: async () => ({ url, headers: {}, tls: {} }) },
    clock,
  )
  return { api, slept, asked: () => asked }
}

describe('[K8S-1.busy] an API server that has too much to do', () => {
  test.each([
    ['says after how long', { 'retry-after': '2' }, 2_000],
    ['says nothing of when', {}, 0],
    ['says what nobody can read', { 'retry-after': 'soon' }, 0],
  ])('is asked again, where it %s', async (_, headers: Record<string, string>, leastMs) => {
    const { api, slept, asked } = await server((index) =>
      index < 2 ? { status: 429, headers } : { status: 200, text: '{"kind":"Pod"}' },
    )
    expect(await api.apply('/x', { kind: 'Pod' })).toEqual({ kind: 'Pod' })
    expect(asked()).toBe(3)
    expect(slept).toHaveLength(2)
    for (const ms of slept) expect(ms).toBeGreaterThan(leastMs)
  })
  test('what it refuses otherwise is not asked again', async () => {
    const { api, asked } = await server(() => ({ status: 409, text: '{"reason":"Conflict","message":"no"}' }))
    await expect(api.apply('/x', {})).rejects.toEqual(new ApiProblem(409, 'Conflict', 'no'))
    expect(asked()).toBe(1)
  })
  test('is asked so much at once and no more, and a watch takes no turn', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { api, asked } = await server(async (index) => {
      // The first 24 are questions; the one after them can only be the watch.
      if (index !== 24) await released
      return { status: 200 }
    })
    const questions = Array.from({ length: 60 }, () => api.get('/x'))
    await vi.waitUntil(() => asked() === 24, 30_000)
    for await (const _ of api.watch('/x', {}, new AbortController().signal));
    expect(asked()).toBe(25)
    release()
    await Promise.all(questions)
    expect(asked()).toBe(61)
  })
})
