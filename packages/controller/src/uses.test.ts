/** What a controller answers when it is asked what its instances use. */
import { expect, test } from 'vitest'
import type { Running } from './entries.ts'
import type { Handle, Platform, Used } from './platforms/platform.ts'
import { readUses } from './uses.ts'

const never = new AbortController().signal
const AT = '2026-01-01T00:00:00Z'
const running = (id: string, use: Platform['use'], platforms: Map<Platform['use'], Platform>): Running => {
  // Of one platform are those that share it.
  const platform = platforms.get(use) ?? ({ use } as Platform)
  platforms.set(use, platform)
  const handle: Handle = { platform: 'fake', instanceId: id, generation: 2, data: {} }
  return { id, generation: 2, platform, handle } as Running
}
const read = (of: Record<string, Platform['use']>, ids = Object.keys(of), signal = never) => {
  const platforms = new Map<Platform['use'], Platform>()
  return readUses((id) => (id in of ? running(id, of[id], platforms) : null), ids, signal)
}
const known: Platform['use'] = async (handles) => ({
  known: true,
  instances: handles.map(({ instanceId, generation }) => ({
    ...{ instanceId, generation, cpus: 1, memoryBytes: 2, at: AT },
  })),
})
const measured = { cpus: 1, memoryBytes: 2, at: '2026-01-01T00:00:00.000Z' }

test('[CTL-4.use] each platform is asked once, for its own, and only for what runs', async () => {
  const asked: string[][] = []
  const one: Platform['use'] = (handles, signal) => {
    asked.push(handles.map((it) => it.instanceId))
    return known(handles, signal)
  }
  const answer = await read({ a: one, b: known, c: one }, ['a', 'b', 'c', 'gone', 'a'])
  expect(asked).toEqual([['a', 'c']])
  expect(answer.toSorted((left, right) => left.id.localeCompare(right.id))).toEqual(
    ['a', 'b', 'c'].map((id) => ({ id, generation: 2, measured, why: null })),
  )
})

test.each<[string, Platform['use'], string]>([
  ['cannot tell', undefined, 'Nobody measures what instances of this kind use'],
  [
    'says that nobody measures',
    async (): Promise<Used> => ({ known: false, why: 'Nobody does' }),
    'Nobody does',
  ],
  ['says very much', async (): Promise<Used> => ({ known: false, why: 'x'.repeat(900) }), 'x'.repeat(300)],
  ['fails', () => Promise.reject(new Error('the engine is away')), 'the engine is away'],
  [
    'has not measured it yet',
    async (): Promise<Used> => ({ known: true, instances: [] }),
    'It was not measured yet',
  ],
  [
    'tells of another generation',
    async () => ({
      known: true,
      instances: [{ instanceId: 'a', generation: 1, cpus: 1, memoryBytes: 1, at: AT }],
    }),
    'It was not measured yet',
  ],
])(
  '[CTL-4.use] a platform that %s: not known, with the reason, and the others are told',
  async (_, use, why) => {
    const [strange, other] = await read({ a: use, b: known })
    expect(strange).toEqual({ id: 'a', generation: 2, measured: null, why })
    expect(other?.measured).toEqual(measured)
  },
)

test('[CTL-4.use] one that never answers ends with the signal', async () => {
  const stop = new AbortController()
  const answer = read({ a: () => new Promise(() => undefined) }, ['a'], stop.signal)
  stop.abort(new Error('stopping'))
  expect(await answer).toEqual([
    { id: 'a', generation: 2, measured: null, why: 'It was not measured in time' },
  ])
})
