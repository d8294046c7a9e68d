/** Where things go, through the whole control plane: controllers of a few lines say what they have, and people launch. */
import type { Capacity, Fingerprint } from '@kalnet/contracts/controller'
import type { Placed } from '@kalnet/contracts/placing'
import { sql } from '@kalnet/server/core/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Bare, bareMachine, CAPACITY, FINGERPRINT, seen } from './bare.ts'
import { type Person, type Plane, startPlane } from './support.ts'

const template = (id: string, more: string) => `id: ${id}
version: 1.0.0
name: ${id}
summary: Runs nothing
category: tools
licence: MIT
kind: session
platforms: [fake]
network: none
command: [program]
${more}
`
const ROOM = { ...CAPACITY, cpus: 8, memoryBytes: 16e9, memoryFreeBytes: 14e9 }
/** Each of them starts one session at the same moment. */
const PEOPLE = 12

let plane: Plane
let ada: Person
const links: Bare[] = []
let attic: Awaited<ReturnType<typeof bareMachine>>
let cellar: Awaited<ReturnType<typeof bareMachine>>
/** The installation packs; what these templates say goes before. */
beforeAll(async () => {
  plane = await startPlane({
    placing: 'pack',
    templates: {
      wide: template('wide', 'image: { reference: none }\nplacing: spread'),
      large: template('large', 'image: { reference: large }\nplacing: spread'),
      usual: template('usual', 'image: { reference: none }'),
    },
  })
  ada = await plane.claim()
  attic = await bareMachine(plane, links, 'attic')
  cellar = await bareMachine(plane, links, 'cellar')
}, 120_000)
afterAll(async () => {
  for (const link of links) link.close()
  await plane.end()
})

let beats = 0
/** Both say what they have, and it is recorded. */
async function tell(
  its: Record<'attic' | 'cellar', Partial<Capacity> & { images?: string[] }> = { attic: {}, cellar: {} },
) {
  for (const [name, { link }] of Object.entries({ attic, cellar })) {
    const { images = [], ...capacity } = its[name as 'attic' | 'cellar']
    beats += 1
    const marked = { ...ROOM, ...capacity, diskFreeBytes: beats }
    const fingerprint: Fingerprint = { ...FINGERPRINT, images }
    link.say({ type: 'heartbeat', capacity: marked, fingerprints: [fingerprint] })
    await eventually(`${name} is heard`, async () => {
      const { items } = (await plane.ask('GET', '/api/controllers', { as: ada.secret })).body as unknown as {
        items: { name: string; capacity: Capacity }[]
      }
      return items.some((it) => it.name === name && it.capacity.diskFreeBytes === marked.diskFreeBytes)
    })
  }
}
type Running = Awaited<ReturnType<Plane['launch']>>
const nameOf = (it: Running) => it.controllerName ?? ''
const says = (it: Running, state: 'running' | 'stopped') => {
  const { link } = nameOf(it) === 'attic' ? attic : cellar
  link.say({ type: 'observed', instance: seen(it, state) })
}
const count = (all: Running[]) =>
  Object.entries(Object.groupBy(all, nameOf)).map(([name, of]) => [name, of?.length])
async function end(all: Running[], who = ada) {
  for (const it of all) {
    await plane.act(who, it.id, 'stop')
    says(it, 'stopped')
    await plane.until(who, it.id, { state: 'stopped' })
  }
}
const shown = async (it: Running, who = ada): Promise<Placed | undefined> =>
  (await plane.read(who, it.id)).placed
const starting = () =>
  plane.store.system.read(
    async (tx) =>
      (
        await sql<{ instances: number }>`select coalesce(sum(s.instances), 0)::int as instances
          from (select array_agg(id) as ids from controllers) c, kalnet_starting(c.ids) s`.execute(tx)
      ).rows[0]?.instances,
  )

describe('at once', () => {
  it('[CTL-5.starting] launches of one moment, of several people and households, are spread; each counts until its machine has told', async () => {
    await tell()
    // Of other households, too: what is theirs is not seen, and counts all the same.
    const people = await Promise.all(
      Array.from({ length: PEOPLE }, (_, n) =>
        n % 3 === 0 ? plane.person('owner') : plane.person('member', ada.organisationId),
      ),
    )
    const launched = await Promise.all(
      people.map(async (who) => ({ who, it: await plane.launch(who, { templateId: 'wide' }) })),
    )
    expect(new Map(count(launched.map(({ it }) => it)) as [string, number][])).toEqual(
      new Map([
        ['attic', 6],
        ['cellar', 6],
      ]),
    )
    expect(await starting()).toBe(12)

    // They run: that alone says nothing of what they use.
    for (const { who, it } of launched) {
      says(it, 'running')
      await plane.until(who, it.id, { state: 'running' })
    }
    expect(await starting()).toBe(12)
    const before = await plane.launch(ada, { templateId: 'wide' })
    await end([before])
    await tell({ attic: { memoryFreeBytes: 10e9 }, cellar: { memoryFreeBytes: 9e9 } })
    expect(await starting()).toBe(0)
    // From now on only what was told counts: (10 GB - 128 MiB - 512 MiB of its own) of 16 GB, and 7 of 8 CPU.
    const after = await plane.launch(ada, { templateId: 'wide' })
    const points = (await shown(after))?.considered[0]?.points
    expect(points?.memory).toBeCloseTo(3 * ((10e9 - 640 * 2 ** 20) / 16e9), 1)
    expect(points?.cpu).toBeCloseTo(2 * (7 / 8), 2)
    const then = (await shown(before))?.considered[0]?.points
    expect(then?.cpu).toBeLessThan(0.5)
    await end([after])
    for (const { who, it } of launched) await end([it], who)
    // A new start is not known yet either.
    const [first] = launched
    if (!first) throw new Error('nothing was launched')
    await plane.act(first.who, first.it.id, 'restart')
    expect(await starting()).toBe(1)
    const again = await plane.read(first.who, first.it.id)
    await end([again], first.who)
    expect(plane.errors).toEqual([])
  }, 120_000)
})

describe('one after the other', () => {
  it('[CTL-5.image] where the image is, or has been run, comes before where more is free', async () => {
    await tell({ attic: {}, cellar: { memoryFreeBytes: 9e9, load1: 2, images: ['large'] } })
    const there = await plane.launch(ada, { templateId: 'large' })
    expect(nameOf(there)).toBe('cellar')
    says(there, 'running')
    await plane.until(ada, there.id, { state: 'running' })
    await end([there])
    // It does not tell its images any more: it is known by what ran.
    await tell({ attic: {}, cellar: { memoryFreeBytes: 9e9, load1: 2 } })
    const ran = await plane.launch(ada, { templateId: 'large' })
    expect(nameOf(ran)).toBe('cellar')
    await end([ran])
    await tell({ attic: {}, cellar: { memoryFreeBytes: 0.6e9, load1: 9 } })
    const full = await plane.launch(ada, { templateId: 'large' })
    expect(nameOf(full)).toBe('attic')
    await end([full])
  }, 120_000)

  it('[CTL-5.spread] packed where the setting says so, spread where its template says so', async () => {
    await tell({ attic: {}, cellar: { memoryFreeBytes: 9e9, load1: 2 } })
    const usual = await plane.launch(ada, { templateId: 'usual' })
    expect(nameOf(usual)).toBe('cellar')
    await end([usual])
    const spread = await plane.launch(ada, { templateId: 'wide' })
    expect(nameOf(spread)).toBe('attic')
    await end([spread])
  }, 120_000)

  it('[CTL-5.person] where something of theirs is kept draws the next one; what is kept wakes there and nowhere else', async () => {
    await tell()
    const bea = await plane.person('member', ada.organisationId)
    const first = await plane.launch(bea, { templateId: 'wide' })
    const home = nameOf(first)
    const other = home === 'attic' ? 'cellar' : 'attic'
    says(first, 'running')
    await plane.until(bea, first.id, { state: 'running' })
    await plane.act(bea, first.id, 'hibernate')
    says(first, 'stopped')
    await plane.until(bea, first.id, { state: 'hibernated' })
    // A little less is free there.
    const little = { [home]: { memoryFreeBytes: 13e9 }, [other]: {} } as Record<'attic' | 'cellar', object>
    await tell(little)
    const next = await plane.launch(bea, { templateId: 'wide' })
    expect(nameOf(next)).toBe(home)
    await end([next], bea)
    const stranger = await plane.person('member', ada.organisationId)
    const theirs = await plane.launch(stranger, { templateId: 'wide' })
    expect(nameOf(theirs)).toBe(other)
    await end([theirs], stranger)
    // Nothing is free there: a wish gives way, a home does not.
    await tell({ [home]: { memoryFreeBytes: 1e9, load1: 8 }, [other]: {} } as Record<
      'attic' | 'cellar',
      object
    >)
    const away = await plane.launch(bea, { templateId: 'wide' })
    expect(nameOf(away)).toBe(other)
    await plane.act(bea, first.id, 'wake')
    expect(nameOf(await plane.read(bea, first.id))).toBe(home)
    await end([away, await plane.read(bea, first.id)], bea)
  }, 120_000)

  it('[CTL-5.why] who may see machines is told why it is there and why not elsewhere; nobody else is', async () => {
    await tell({ attic: {}, cellar: { memoryFreeBytes: 0.1e9 } })
    const it = await plane.launch(ada, { templateId: 'wide' })
    expect(await shown(it)).toMatchObject({
      placing: 'spread',
      others: 0,
      considered: [
        { name: 'attic', problem: null },
        { name: 'cellar', points: null, problem: 'cellar has too little free memory' },
      ],
    })
    await end([it])
    const child = await plane.person('child', ada.organisationId)
    const theirs = await plane.launch(child, { templateId: 'wide' })
    expect(await shown(theirs, child)).toBeUndefined()
    expect((await shown(theirs))?.considered[0]?.name).toBe('attic')
    await end([theirs], child)
    expect(plane.errors).toEqual([])
  }, 120_000)
})
