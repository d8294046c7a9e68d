/** Knocking at a screen that is about to come: until it speaks, a few times, by few at once. */
import { PassThrough } from 'node:stream'
import type { Channels } from '@kalnet/wire/channels'
import { describe, expect, test } from 'vitest'
import type { Handle } from '../platform.ts'
import type { Api } from './api.ts'
import { createKnocking } from './knocking.ts'

const handle: Handle = {
  platform: 'kubernetes',
  instanceId: 'i',
  generation: 1,
  data: { pod: 'p', namespace: 'n' },
}
/** What a forwarded port does: its machine has no such pod yet, nobody listens, it closes, or a screen says its banner. */
type Door = 'no pod' | 'nobody' | 'closes' | 'speaks'
const never = new AbortController().signal

function start(doors: Door[], last: Door = 'nobody') {
  let knocks = 0
  const api = {
    async channels(): Promise<Channels> {
      const door = doors[knocks++] ?? last
      if (door === 'no pod') throw new Error('pod not found')
      const stream = new PassThrough()
      const { promise: closed, resolve } = Promise.withResolvers<void>()
      if (door === 'closes') setImmediate(() => stream.end())
      if (door === 'speaks') stream.write('RFB 003.008\n')
      return {
        stream: () => stream,
        onMessage(listener) {
          if (door === 'nobody') setImmediate(() => listener(1, Buffer.from('\0\0connection refused')))
        },
        close: resolve,
        closed,
      }
    },
  } as unknown as Api
  const clock = { now: () => new Date(0), sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) }
  return { knocking: createKnocking({ api, clock }), knocks: () => knocks }
}

describe('[K8S-1.knocking] a screen that is about to come', () => {
  test.each<[string, Door[], Door, boolean, number]>([
    ['is there when it speaks', ['no pod', 'nobody', 'closes', 'speaks'], 'nobody', true, 4],
    ['is given up after a while', [], 'nobody', false, 16],
    ['is given up where its machine does not know it', [], 'no pod', false, 16],
  ])('%s', async (_, doors, last, isThere, times) => {
    const { knocking, knocks } = start(doors, last)
    expect(await knocking.until(handle, never)).toBe(isThere)
    expect(knocks()).toBe(times)
  })
  test('is not knocked at where many start at once', async () => {
    const { knocking, knocks } = start([], 'speaks')
    const all = Array.from({ length: 50 }, () => knocking.until(handle, never))
    const found = await Promise.all(all)
    expect(found.filter(Boolean)).toHaveLength(4)
    expect(knocks()).toBe(4)
    expect(await knocking.until(handle, never)).toBe(true)
  })
  test('is left alone when nobody waits any more', async () => {
    const { knocking, knocks } = start([], 'nobody')
    const stop = new AbortController()
    const waiting = knocking.until(handle, stop.signal)
    stop.abort()
    expect(await waiting).toBe(false)
    expect(knocks()).toBe(0)
  })
})
