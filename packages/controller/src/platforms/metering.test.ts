/** Two looks at a counter, as a table; time is the test's. */
import type { Clock } from '@kalnet/io/clock'
import { describe, expect, it } from 'vitest'
import { AT_ONCE, createMetering, LEAST_MS, MOST_MS, type Reading } from './metering.ts'
import type { Handle } from './platform.ts'

const handle = (instanceId: string, generation = 1): Handle => ({
  ...{ platform: 'fake', instanceId, generation, data: {} },
})
const never = new AbortController().signal

/** Each program keeps so many processors busy all the time. */
function machine(busy: Record<string, number>) {
  let now = 1_000_000
  const reads: string[] = []
  const clock: Clock = {
    now: () => new Date(now),
    sleep: async (ms) => {
      now += ms
    },
  }
  const use = createMetering({
    clock,
    async read({ instanceId }): Promise<Reading | null> {
      reads.push(instanceId)
      const cpus = busy[instanceId]
      return cpus === undefined ? null : { cpuSeconds: (cpus * now) / 1000, memoryBytes: 7 }
    },
  })
  return {
    busy,
    reads,
    async cpus(...ids: string[]) {
      const used = await use(
        ids.map((id) => handle(id)),
        never,
      )
      if (!used.known) throw new Error(used.why)
      return Object.fromEntries(
        used.instances.map((it) => [it.instanceId, Math.round(it.cpus * 1000) / 1000]),
      )
    },
    now: () => now,
    move(ms: number) {
      now += ms
    },
  }
}

describe('[CTL-4.use] figures from what a machine counts', () => {
  it('the first look takes a moment, for all of them together; those that do not run are not in it', async () => {
    const { cpus, now } = machine({ a: 1.5, b: 0 })
    const began = now()
    expect(await cpus('a', 'b', 'gone')).toEqual({ a: 1.5, b: 0 })
    expect(now() - began).toBe(LEAST_MS)
  })
  it('while somebody goes on looking the last look serves: one read each, and no waiting', async () => {
    const { cpus, move, reads, now } = machine({ a: 0.25 })
    await cpus('a')
    move(5_000)
    reads.splice(0)
    const began = now()
    expect(await cpus('a')).toEqual({ a: 0.25 })
    expect([reads, now() - began]).toEqual([['a'], 0])
  })
  it.each([
    ['too old', MOST_MS + 1],
    ['of a time to come: the clock was set back', -60_000],
  ])('a look that is %s does not serve', async (_, ms) => {
    const { cpus, move, reads } = machine({ a: 1 })
    await cpus('a')
    move(ms)
    reads.splice(0)
    expect(await cpus('a')).toEqual({ a: 1 })
    expect(reads).toEqual(['a', 'a'])
  })
  it('two who look at one at the same time both get true figures', async () => {
    const { cpus } = machine({ a: 2 })
    expect(await Promise.all([cpus('a'), cpus('a')])).toEqual([{ a: 2 }, { a: 2 }])
  })
  it('of many only some are read at one time', async () => {
    let [reading, most] = [0, 0]
    const use = createMetering({
      clock: { now: () => new Date(), sleep: async () => undefined },
      async read() {
        reading += 1
        most = Math.max(most, reading)
        await Promise.resolve()
        reading -= 1
        return { cpuSeconds: 1, memoryBytes: 1 }
      },
    })
    const all = Array.from({ length: 3 * AT_ONCE }, (_, index) => handle(`i${index}`))
    const used = await use(all, never)
    expect([used.known && used.instances.length, most]).toEqual([all.length, AT_ONCE])
  })
  it('a counter that went back is nothing used, and one that ended meanwhile is left out', async () => {
    const { cpus, busy, move } = machine({ a: 1, b: 1 })
    await cpus('a', 'b')
    move(1_000)
    busy.a = 0.5
    delete busy.b
    expect(await cpus('a', 'b')).toEqual({ a: 0 })
  })
})
