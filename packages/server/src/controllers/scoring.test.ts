import { performance } from 'node:perf_hooks'
import { instanceSpec, wish } from '@kalnet/contracts/instance'
import { recipe } from '@kalnet/contracts/recipe'
import { digestsOf, imageParts } from '@kalnet/io/image-digest'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PlacementRequest, place, placeApart } from './placement.ts'
import { type Candidate, score, total } from './scoring.ts'
import { openController } from './testing.ts'

const GB = 1e9
const text = { sha256: 'a'.repeat(64), packed: 'AAAA' }
const chain = ['base', 'desktop', 'paint'].map((name) =>
  recipe.parse({ name, packages: ['hello'], npm: { manifest: text, lock: text } }),
)
const digests = digestsOf(chain)
const spec = instanceSpec.parse({
  image: { recipe: chain },
  command: ['x'],
  resources: { cpus: 1, memoryBytes: 1 * GB },
})
const capacity = { cpus: 4, memoryBytes: 16 * GB, memoryFreeBytes: 12 * GB, diskFreeBytes: 1e11, load1: 0 }
type Change = Partial<Omit<Candidate, 'capacity'>> & {
  capacity?: Partial<typeof capacity> | null
  images?: readonly string[]
}
const machine = (name: string, { images = [], capacity: told = {}, ...change }: Change = {}): Candidate =>
  openController(name, { capacity: told && { ...capacity, ...told }, ...change }, { images: [...images] })
const starting = (instances: number) => ({ instances, memoryBytes: instances * GB, cpus: instances })
const chosen = (all: Candidate[], more: Partial<PlacementRequest> = {}) =>
  place(all, { spec, platforms: ['process'], ...more }).controllerId

describe('[CTL-5.image] a controller that has the image', () => {
  it.each<[string, Change, number]>([
    ['has nothing of it', {}, 0],
    ['has what it begins with', { images: digests.slice(0, 1) }, 1],
    ['has all below it', { images: digests.slice(0, 2) }, 2],
    ['has it', { images: digests }, 3],
    ['ran it before, and its platform does not tell', { ran: ['process'] }, 3],
    ['ran it elsewhere', { ran: ['kubernetes'] }, 0],
    ['has another', { images: ['f'.repeat(64)] }, 0],
  ])('%s', (_name, change, points) => {
    const wanted = {
      asked: spec.resources,
      placing: 'spread',
      image: digests,
      near: new Set<string>(),
    } as const
    expect(score(machine('a', change), 'process', wanted).image).toBe(points)
  })
  it('is named alike on both sides of the link', () => {
    const id = '01920000-0000-7000-8000-000000000001'
    const said = { id, generation: 1, organisationId: id, platform: 'process', state: 'running', spec }
    const heard = wish.parse(JSON.parse(JSON.stringify(said)))
    if ('unreadable' in heard) throw new Error('it could not be read')
    expect(imageParts(heard.spec.image)).toEqual(digests)
  })
  it('somebody else’s image is known by its reference', () => {
    expect(imageParts({ reference: 'nginx:1.27' })).toEqual(['nginx:1.27'])
  })
  it.each<[string, Change, Change, string]>([
    [
      'comes before one that is empty',
      { images: digests, capacity: { memoryFreeBytes: 6 * GB, load1: 2 } },
      {},
      'a',
    ],
    ['comes before one that has a part', { images: digests }, { images: digests.slice(0, 2) }, 'a'],
    ['not when it is full', { images: digests, capacity: { memoryFreeBytes: 1.2 * GB, load1: 4 } }, {}, 'b'],
    ['not when it has no room', { images: digests, capacity: { memoryFreeBytes: 0.3 * GB } }, {}, 'b'],
    ['not when it takes nothing new', { images: digests, cordoned: true }, {}, 'b'],
    ['not for ever: what is starting there counts', { images: digests, starting: starting(12) }, {}, 'b'],
  ])('%s', (_name, a, b, expected) => {
    expect(chosen([machine('a', a), machine('b', b)])).toBe(expected)
    expect(chosen([machine('b', b), machine('a', a)])).toBe(expected)
  })
})

describe('[CTL-5.spread] what is free', () => {
  it.each<[string, Change, Change, 'spread' | 'pack', string]>([
    ['spread: more memory', { capacity: { memoryFreeBytes: 8 * GB } }, {}, 'spread', 'b'],
    ['packed: less memory', { capacity: { memoryFreeBytes: 8 * GB } }, {}, 'pack', 'a'],
    ['spread: more CPU', { capacity: { load1: 2 } }, {}, 'spread', 'b'],
    ['packed: less CPU', { capacity: { load1: 2 } }, {}, 'pack', 'a'],
    ['packed: never where more is asked of CPU than there is', { capacity: { load1: 3.5 } }, {}, 'pack', 'b'],
    ['packed: nor of memory', { capacity: { memoryFreeBytes: 0.9 * GB } }, {}, 'pack', 'b'],
    [
      'spread: the large one that is half full before the small one that it would fill',
      { capacity: { memoryBytes: 64 * GB, memoryFreeBytes: 32 * GB, cpus: 16, load1: 4 } },
      { capacity: { memoryBytes: 2 * GB, memoryFreeBytes: 1.8 * GB } },
      'spread',
      'a',
    ],
    [
      'what is not known speaks neither for nor against',
      { capacity: null },
      { capacity: { load1: 9 } },
      'spread',
      'b',
    ],
    ['among equals the one that runs less', { instances: 3 }, { instances: 2 }, 'spread', 'b'],
  ])('%s', (_name, a, b, placing, expected) => {
    expect(chosen([machine('a', a), machine('b', b)], { placing })).toBe(expected)
  })

  const most = { memoryBytes: 8 * GB, memoryFreeBytes: 4 * GB, cpus: 4, cpusFree: 2 }
  const cluster = (name: string, change: Change = {}): Candidate => {
    const own = machine(name, change)
    return {
      ...own,
      capacity: own.capacity && { most, ...own.capacity },
      fingerprints: own.fingerprints.map((it) => ({ ...it, platform: 'kubernetes' as const })),
    }
  }
  it.each<[string, Candidate, string]>([
    [
      'the load of its controller means nothing',
      cluster('b', { capacity: { load1: 4, memoryFreeBytes: 14 * GB } }),
      'b',
    ],
    ['what begins in it counts', cluster('b', { startingElsewhere: starting(3) }), 'a'],
    ['what begins beside it does not', cluster('b', { starting: starting(3), instances: -1 }), 'b'],
  ])('of a cluster: %s', (_name, b, expected) => {
    const placing = 'spread'
    expect(place([cluster('a'), b], { spec, platforms: ['kubernetes'], placing }).controllerId).toBe(expected)
  })
})

describe('[CTL-5.person] what is theirs', () => {
  it.each<[string, Change, string]>([
    ['draws the next one there', {}, 'a'],
    ['also where a little less is free', { capacity: { memoryFreeBytes: 10 * GB } }, 'a'],
    ['not where much less is free', { capacity: { memoryFreeBytes: 5 * GB } }, 'b'],
    ['not where there is no room', { capacity: { memoryFreeBytes: 0.3 * GB } }, 'b'],
    ['nor against an image', {}, 'c'],
  ])('%s', (_name, a, expected) => {
    const others = expected === 'c' ? [machine('c', { images: digests })] : [machine('b')]
    expect(chosen([...others, machine('a', a)], { near: new Set(['a']) })).toBe(expected)
  })
})

describe('[CTL-5.replicas] replicas of a service', () => {
  it.each<[string, string[], 'spread' | 'pack', Candidate[], string]>([
    [
      'the first goes where it is best',
      [],
      'pack',
      [machine('a', { capacity: { load1: 1 } }), machine('b')],
      'a',
    ],
    [
      'the second is elsewhere, also packed',
      ['a'],
      'pack',
      [machine('a', { capacity: { load1: 1 } }), machine('b')],
      'b',
    ],
    [
      'the third where the fewest are',
      ['a', 'b', 'a'],
      'spread',
      [machine('a'), machine('b', { instances: 9 })],
      'b',
    ],
    [
      'beside another where nobody else could run it',
      ['a'],
      'spread',
      [machine('a'), machine('b', { cordoned: true })],
      'a',
    ],
  ])('%s', (_name, replicas, placing, all, expected) => {
    expect(placeApart(all, replicas, { spec, platforms: ['process'], placing }).controllerId).toBe(expected)
  })
  it('says why not where one is', () => {
    const { placed } = placeApart([machine('a'), machine('b')], ['a'], { spec, platforms: ['process'] })
    expect(placed.considered.map(({ name, problem }) => [name, problem])).toEqual([
      ['b', null],
      ['a', 'a runs a replica of it'],
    ])
  })
})

describe('[CTL-5.starting] what began a moment ago', () => {
  /** As the control plane counts it: each that was placed, until it is told. */
  function many(count: number, all: Candidate[], more: Partial<PlacementRequest> = {}) {
    const on = new Map(all.map((it) => [it.id, 0]))
    for (let n = 0; n < count; n++) {
      const id = chosen(
        all.map((it) => ({ ...it, starting: starting(on.get(it.id) ?? 0) })),
        more,
      )
      on.set(id, (on.get(id) ?? 0) + 1)
    }
    return Object.fromEntries(on)
  }
  it.each<[string, Candidate[], Partial<PlacementRequest>, Record<string, number>]>([
    ['ten on two alike', [machine('a'), machine('b')], {}, { a: 5, b: 5 }],
    [
      'ten of one person on two alike',
      [machine('a'), machine('b')],
      { near: new Set(['a']) },
      { a: 6, b: 4 },
    ],
    [
      'ten packed: one is filled before the other',
      [machine('a'), machine('b')],
      { placing: 'pack' },
      { a: 5, b: 5 },
    ],
    ['ten where one has the image', [machine('a', { images: digests }), machine('b')], {}, { a: 8, b: 2 }],
    [
      'ten on one that is twice as large',
      [machine('a'), machine('b', { capacity: { cpus: 8, memoryBytes: 32 * GB, memoryFreeBytes: 24 * GB } })],
      {},
      { a: 3, b: 7 },
    ],
  ])('%s', (_name, all, more, expected) => {
    expect(many(10, all, more)).toEqual(expected)
  })
  it('packed, four are together where four have room', () => {
    expect(many(4, [machine('a'), machine('b')], { placing: 'pack' })).toEqual({ a: 4, b: 0 })
  })
  it('until there is no room, and then it says so', () => {
    const small = machine('a', { capacity: { memoryFreeBytes: 1 * GB }, starting: starting(3) })
    expect(() => chosen([small])).toThrow('a has too little free memory beside the 3 that are starting there')
    expect(() => chosen([{ ...small, starting: starting(1) }])).not.toThrow()
  })
})

describe('[CTL-5.why] why one was chosen', () => {
  it('is told with points, and of the others with words', () => {
    const all = [
      machine('away', { state: 'offline' }),
      machine('closed', { cordoned: true }),
      machine('full', { capacity: { memoryFreeBytes: 0.2 * GB } }),
      machine('good', { images: digests }),
      machine('other'),
    ]
    const { placed } = place(all, { spec, platforms: ['docker', 'process'], near: new Set(['other']) })
    expect(placed).toMatchObject({
      placing: 'spread',
      others: 0,
      considered: [
        { name: 'good', points: { image: 3, person: 0 }, problem: null },
        { name: 'other', points: { image: 0, person: 1 }, problem: null },
        { name: 'away', points: null, problem: 'away is not connected' },
        { name: 'closed', points: null, problem: 'closed takes nothing new' },
        { name: 'full', problem: 'full has no docker; full has too little free memory' },
      ],
    })
  })
  it('of many only the first ten are kept', () => {
    const all = Array.from({ length: 30 }, (_, n) => machine(`m${n}`, { cordoned: n > 20 }))
    const { placed } = place(all, { spec, platforms: ['process'] })
    expect([placed.considered.length, placed.others]).toEqual([10, 20])
  })
})

it('[CTL-5.spread] whatever is free, the chosen one has room and no other has more points', () => {
  const free = fc.record({
    memoryFreeBytes: fc.integer({ min: 0, max: 16 * GB }),
    load1: fc.float({ min: 0, max: 50, noNaN: true }),
    there: fc.integer({ min: 0, max: 3 }),
    begun: fc.integer({ min: 0, max: 30 }),
  })
  fc.assert(
    fc.property(
      fc.array(free, { minLength: 1, maxLength: 8 }),
      fc.constantFrom('spread', 'pack'),
      (each, placing) => {
        const all = each.map(({ there, begun, ...told }, n) =>
          machine(`m${n}`, { capacity: told, images: digests.slice(0, there), starting: starting(begun) }),
        )
        const room = all.filter(
          (it) =>
            (it.capacity?.memoryFreeBytes ?? 0) - 128 * 2 ** 20 - (it.starting?.instances ?? 0) * (GB / 4) >=
            GB / 4,
        )
        if (room.length === 0) {
          expect(() => chosen(all, { placing })).toThrow()
          return
        }
        const { controllerId, placed } = place(all, { spec, platforms: ['process'], placing })
        expect(room.map((it) => it.id)).toContain(controllerId)
        const points = placed.considered.flatMap((it) => (it.points ? [total(it.points)] : []))
        expect(points[0]).toBeGreaterThanOrEqual(Math.max(...points) - 0.001)
      },
    ),
  )
})

it('[CTL-5.spread] among 500 controllers one is chosen; how long that takes is printed', () => {
  const all = Array.from({ length: 500 }, (_, n) =>
    machine(`m${n}`, {
      capacity: { memoryFreeBytes: ((n * 7919) % 12) * GB, load1: n % 5 },
      images: Array.from({ length: 40 }, (_, image) =>
        image === n % 60 ? (digests[2] ?? '') : `${n}-${image}`,
      ),
      starting: starting(n % 3),
    }),
  )
  const rounds = 50
  const begun = performance.now()
  for (let n = 0; n < rounds; n++) expect(chosen(all)).toMatch(/^m\d+$/)
  console.info(`place() over 500 controllers: ${((performance.now() - begun) / rounds).toFixed(2)} ms`)
})
