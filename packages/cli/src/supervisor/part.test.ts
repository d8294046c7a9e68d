/** A part is kept running: at once after the first end, slower each time, never again after a stop. */
import type { Clock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { expect, test } from 'vitest'
import { keepRunning, type Running } from './part.ts'

const log = createLog('test', 'silent')

/** Sleeps pass at once and are written down; time moves only with them. */
function fakeClock() {
  let now = 0
  const slept: number[] = []
  const clock: Clock = {
    now: () => new Date(now),
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      slept.push(ms)
      now += ms
    },
  }
  return { clock, slept, pass: (ms: number) => (now += ms) }
}

function fakePart(outcomes: ('runs' | 'fails')[]) {
  const ends: ((reason: string) => void)[] = []
  let started = 0
  let stopped = 0
  const waiting: (() => void)[] = []
  const start = async (): Promise<Running> => {
    const outcome = outcomes[started++] ?? 'runs'
    for (const wake of waiting.splice(0)) wake()
    if (outcome === 'fails') throw new Error('it cannot')
    const { promise: ended, resolve } = Promise.withResolvers<string>()
    ends.push(resolve)
    return {
      pid: 1000 + started,
      ended,
      async stop() {
        stopped++
        resolve('told to')
      },
    }
  }
  return {
    part: { name: 'server' as const, start },
    end: (reason: string) => ends.pop()?.(reason),
    starts: () => started,
    stops: () => stopped,
    nextStart: () => new Promise<void>((resolve) => waiting.push(resolve)),
  }
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

test('[CTL-1.supervised] an end is answered at once the first time, then with growing waits', async () => {
  const { clock, slept } = fakeClock()
  const fake = fakePart([])
  const kept = keepRunning(fake.part, { clock, log })
  await kept.ready
  for (let round = 0; round < 5; round++) {
    const again = fake.nextStart()
    fake.end('it was ended by SIGKILL')
    await again
    await settled()
  }
  expect(kept.state).toMatchObject({ state: 'running', restarts: 5, problem: 'it was ended by SIGKILL' })
  expect(slept[0]).toBe(0)
  const waits = slept.slice(1)
  for (const [index, wait] of waits.entries()) {
    expect(wait).toBeGreaterThanOrEqual(250 * 2 ** index * 0.5)
    expect(wait).toBeLessThanOrEqual(250 * 2 ** index)
  }
  await kept.stop()
})

test('having run well, an end is answered at once again', async () => {
  const { clock, slept, pass } = fakeClock()
  const fake = fakePart([])
  const kept = keepRunning(fake.part, { clock, log })
  await kept.ready
  for (let round = 0; round < 3; round++) {
    pass(60_000)
    const again = fake.nextStart()
    fake.end('it ended')
    await again
    await settled()
  }
  expect(slept).toEqual([0, 0, 0])
  await kept.stop()
})

test('three failures before it ever served give up waiting, with the reason; it is tried on', async () => {
  const { clock } = fakeClock()
  const fake = fakePart(['fails', 'fails', 'fails', 'runs'])
  const kept = keepRunning(fake.part, { clock, log })
  await expect(kept.ready).rejects.toThrow('it cannot')
  await settled()
  await settled()
  expect(kept.state.state).toBe('running')
  await kept.stop()
})

test('after a stop it is ended once and never started again', async () => {
  const { clock } = fakeClock()
  const fake = fakePart([])
  const kept = keepRunning(fake.part, { clock, log })
  await kept.ready
  await kept.stop()
  await kept.stop()
  expect([fake.starts(), kept.state.state, kept.state.pid]).toEqual([1, 'stopped', null])
  expect(fake.stops()).toBe(1)
})
