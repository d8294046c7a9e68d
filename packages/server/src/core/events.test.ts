/** The outbox under concurrent writers, broken lines, pruning and a replaced epoch. */
import { setTimeout as pause } from 'node:timers/promises'
import { createLog } from '@kalnet/io/log'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAfter, parseCursor } from './cursor.ts'
import { statements } from './events.store.ts'
import { createEvents, type Events, type Heard } from './events.ts'
import { sql } from './store.ts'
import { type TestStore, testStore } from './testing.ts'

let test: TestStore
let events: Events
beforeAll(async () => {
  test = await testStore()
  events = test.events
})
afterAll(() => test.end())

const nowhere = { organisationId: null, userId: null }
const numbered = (index: number) => `01920000-0000-7000-8000-${String(index).padStart(12, '0')}`
const publish = (index: number) =>
  test.store.system.transaction((tx) =>
    events.publish(tx, 'session.removed', nowhere, { id: numbered(index) }),
  )

/** Follows until `count` things were heard. */
async function hear(
  after: string | null,
  count: number,
  of = events,
  signal = AbortSignal.timeout(15_000),
): Promise<Heard[]> {
  const heard: Heard[] = []
  if (count === 0) return heard
  for await (const one of of.subscribe({ after, signal })) {
    heard.push(one)
    if (heard.length === count) break
  }
  return heard
}
const ids = (heard: Heard[]) =>
  heard.map((one) => (one.kind === 'event' ? (one.event.data as { id: string }).id : one.kind))

describe('[CTL-1.outbox] events', () => {
  it('a hundred concurrent writers lose nothing, in one order for every reader', async () => {
    const from = await events.cursor()
    const early = hear(from, 200)
    const second = createEvents({ store: test.store, log: createLog('second', 'silent') })
    const other = hear(from, 200, second)
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        await test.store.system.transaction(async (tx) => {
          await events.publish(tx, 'session.removed', nowhere, { id: numbered(index * 2) })
          // Commits arrive in another order than the numbers were given.
          await pause((index * 37) % 23)
          await events.publish(tx, 'session.removed', nowhere, { id: numbered(index * 2 + 1) })
        })
      }),
    )
    const [one, two, late] = [ids(await early), ids(await other), ids(await hear(from, 200))]
    second.close()
    expect([one.length, new Set(one).size, one.filter((it) => it === 'gap').length]).toEqual([200, 200, 0])
    expect(two).toEqual(one)
    expect(late).toEqual(one)
  })
  it('the order is that of numbers, also where they grow by a digit', async () => {
    const [epoch] = (await events.cursor()).split('.')
    await test.store.system.transaction((tx) =>
      sql`insert into events (xid, type, at, data)
        select n::text::xid8, 'session.removed', now(), jsonb_build_object('id', n::text)
        from generate_series(5, 105) n order by random()`.execute(tx),
    )
    const heard = ids(await hear(`${epoch}.5.0`, 101))
    expect(heard).toEqual(Array.from({ length: 101 }, (_, index) => String(index + 5)))
  })
  it('an older transaction that commits later is not overtaken', async () => {
    const from = await events.cursor()
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let wrote: () => void = () => undefined
    const written = new Promise<void>((resolve) => {
      wrote = resolve
    })
    const slow = test.store.system.transaction(async (tx) => {
      await events.publish(tx, 'session.removed', nowhere, { id: numbered(1) })
      wrote()
      await held
    })
    await written
    await publish(2)
    const heard = hear(from, 2)
    await pause(50)
    release()
    await slow
    expect(ids(await heard)).toEqual([numbered(1), numbered(2)])
  })
  it('a reader goes on from its cursor, and from the middle', async () => {
    const from = await events.cursor()
    for (const index of [1, 2, 3, 4]) await publish(index)
    const all = await hear(from, 4)
    const second = all[1]
    if (second?.kind !== 'event') throw new Error('expected an event')
    expect(ids(await hear(second.event.cursor, 2))).toEqual([numbered(3), numbered(4)])
  })
  it('what was rolled back is never heard', async () => {
    const from = await events.cursor()
    const broken = test.store.system.transaction(async (tx) => {
      await events.publish(tx, 'session.removed', nowhere, { id: numbered(8) })
      throw new Error('no')
    })
    await expect(broken).rejects.toThrow('no')
    await publish(9)
    expect(ids(await hear(from, 1))).toEqual([numbered(9)])
  })
  it('only the types asked for', async () => {
    const from = await events.cursor()
    await publish(1)
    await test.store.system.transaction((tx) =>
      events.publish(tx, 'sign-in.ended', nowhere, { signInId: 'x' }),
    )
    for await (const one of events.subscribe({
      after: from,
      types: ['sign-in.ended'],
      signal: AbortSignal.timeout(15_000),
    })) {
      expect(one.kind === 'event' && one.event.type).toBe('sign-in.ended')
      break
    }
  })
  it('a slow reader misses nothing though its queue ran over', async () => {
    const from = await events.cursor()
    const heard: string[] = []
    const stop = new AbortController()
    const writing = (async () => {
      await publish(0)
      await pause(50)
      await test.store.system.transaction(async (tx) => {
        await sql`insert into events (type, at, data)
          select 'session.removed', now(), jsonb_build_object('id', n::text) from generate_series(1, 5000) n order by n`.execute(
          tx,
        )
      })
      await pause(100)
    })()
    const reading = (async () => {
      for await (const one of events.subscribe({ after: from, signal: stop.signal })) {
        if (heard.length === 0) await writing
        heard.push(ids([one])[0] ?? '')
        if (heard.length === 5001) stop.abort()
      }
    })()
    await Promise.all([reading, writing])
    expect(heard.slice(1)).toEqual(Array.from({ length: 5000 }, (_, index) => String(index + 1)))
  })
  it('pruned past a reader: an explicit gap, and on from there', async () => {
    const from = await events.cursor()
    await publish(1)
    await hear(from, 1)
    await pause(5)
    await events.prune(0)
    const after = hear(from, 2)
    await pause(50)
    await publish(5)
    expect(ids(await after)).toEqual(['gap', numbered(5)])
  })
  it.each([
    '',
    'x',
    '1.2',
    'ab.1.2',
    `ab.${2n ** 64n}.1`,
    `ab.1.${2n ** 63n}`,
    "';drop table events",
    'ab.-1.2',
  ])('a cursor that is not ours (%s) is a gap', async (cursor) => {
    expect(ids(await hear(cursor, 1))).toEqual(['gap'])
  })
  it('a restore replaces the epoch: everybody gets a gap, those who follow too', async () => {
    const from = await events.cursor()
    await publish(1)
    const following = hear(from, 2)
    await hear(from, 1)
    await pause(30)
    await test.store.system.transaction((tx) => statements.replaceEpoch({ epoch: 'feed' }).execute(tx))
    await publish(2)
    expect(ids(await following)).toEqual([numbered(1), 'gap'])
    expect(ids(await hear(from, 1))).toEqual(['gap'])
    expect((await events.cursor()).startsWith('feed.')).toBe(true)
  })
})

describe('cursors', () => {
  it.each([
    ['ab.5.1', 'ab.5.0', true],
    ['ab.6.0', 'ab.5.9', true],
    ['ab.5.1', 'ab.5.1', false],
    ['ab.9.1', 'ab.10.0', false],
  ])('%s after %s: %s', (one, other, after) => {
    expect(isAfter(parseCursor(one)!, parseCursor(other)!)).toBe(after)
  })
})
