/** Who is asked what instances use, how often, and what is said where it is not known. */
import { fail } from '@kalnet/contracts/errors'
import { USE_FRESH_MS, USE_MOST, type UseOfInstance } from '@kalnet/contracts/use'
import type { Clock } from '@kalnet/io/clock'
import { describe, expect, it } from 'vitest'
import { createUses, type Looked } from './uses.ts'

const AT = '2026-01-01T00:00:00.000Z'
const looked = (instanceId: string, more: Partial<Looked> = {}): Looked => ({
  instanceId,
  generation: 1,
  controllerId: 'attic',
  isRunning: true,
  ...more,
})
const measured = (id: string, more: Partial<UseOfInstance> = {}): UseOfInstance => ({
  ...{ id, generation: 1, measured: { cpus: 0.5, memoryBytes: 100, at: AT }, why: null },
  ...more,
})
const everything = async (_: string, ids: string[]): Promise<UseOfInstance[] | null> =>
  ids.map((id) => measured(id))

function house(read = everything) {
  let now = 1_000_000
  const asked: string[] = []
  const clock: Clock = { now: () => new Date(now), sleep: () => Promise.resolve() }
  const uses = createUses({
    clock,
    read: (controllerId, ids) => {
      asked.push(`${controllerId}: ${ids.join(' ')}`)
      return read(controllerId, ids)
    },
    mostOf: async (_, ids) =>
      new Map(
        ids
          .filter((id) => id !== 'removed')
          .map((id) => [id, { cpus: 2, memoryBytes: 1000, processes: 16, sharedMemoryBytes: 0 }]),
      ),
  })
  return {
    asked,
    look: (...all: Looked[]) => uses('home', all),
    move(ms: number) {
      now += ms
    },
  }
}

describe('[CTL-4.use-asked] only looking asks', () => {
  it('all who look within a short time share one question, those at once too', async () => {
    const { look, asked, move } = house()
    expect(asked).toEqual([])
    const [first, second] = await Promise.all([look(looked('a')), look(looked('a'))])
    expect(second).toEqual(first)
    move(USE_FRESH_MS - 1)
    await look(looked('a'))
    expect(asked).toEqual(['attic: a'])
    move(1)
    await look(looked('a'))
    expect(asked).toEqual(['attic: a', 'attic: a'])
  })
  it('each machine is asked once for all that are looked at there, and only for those that nobody asked for', async () => {
    const { look, asked } = house()
    await look(looked('a'), looked('b', { controllerId: 'cellar' }), looked('c'))
    await look(looked('c'), looked('d'))
    expect(asked).toEqual(['attic: a c', 'cellar: b', 'attic: d'])
  })
  it('more than one question holds are several', async () => {
    const { look, asked } = house()
    const all = Array.from({ length: USE_MOST + 1 }, (_, index) => looked(`i${index}`))
    expect(await look(...all)).toHaveLength(USE_MOST + 1)
    expect(asked).toHaveLength(2)
  })
  it('what does not run is not asked for', async () => {
    const { look, asked } = house()
    const none = { known: false, because: 'idle', why: null }
    expect(await look(looked('a', { isRunning: false }), looked('b', { controllerId: null }))).toEqual([
      { instanceId: 'a', generation: 1, most: { cpus: 2, memoryBytes: 1000 }, now: none },
      { instanceId: 'b', generation: 1, most: { cpus: 2, memoryBytes: 1000 }, now: none },
    ])
    expect(asked).toEqual([])
  })
})

describe('[CTL-4.use] what is not known is never nothing', () => {
  it.each<[string, typeof everything, object]>([
    ['measured', everything, { known: true, cpus: 0.5, memoryBytes: 100, at: AT }],
    [
      'measured as nothing',
      async () => [measured('a', { measured: { cpus: 0, memoryBytes: 0, at: AT } })],
      { known: true, cpus: 0, memoryBytes: 0, at: AT },
    ],
    [
      'not measured',
      async () => [measured('a', { measured: null, why: 'Nobody measures' })],
      { known: false, because: 'unmeasured', why: 'Nobody measures' },
    ],
    [
      'of another generation',
      async () => [measured('a', { generation: 2 })],
      { known: false, because: 'idle' },
    ],
    ['not there', async () => [], { known: false, because: 'idle' }],
    ['on an older machine', async () => null, { known: false, because: 'older' }],
    [
      'on a machine that is away',
      () => Promise.reject(fail('controller.offline')),
      { known: false, because: 'offline' },
    ],
  ])('%s', async (_, read, now) => {
    const [use] = await house(read).look(looked('a'))
    expect(use?.now).toMatchObject(now)
  })
  it('what it may use at most is not known of what was just removed', async () => {
    expect((await house().look(looked('removed')))[0]).toMatchObject({ most: null, now: { known: true } })
  })
  it('one machine that is away keeps nobody from the others', async () => {
    const { look } = house(async (controllerId, ids) =>
      controllerId === 'attic' ? everything(controllerId, ids) : Promise.reject(fail('controller.offline')),
    )
    const uses = await look(looked('a'), looked('b', { controllerId: 'cellar' }))
    expect(uses.map((it) => it.now.known)).toEqual([true, false])
  })
  it('what goes wrong here is no word about the machine', async () => {
    const { look } = house(() => Promise.reject(new Error('a bug')))
    await expect(look(looked('a'))).rejects.toThrow('a bug')
  })
})
