/** The policies as tables and by random input, with a clock that a test moves. */
import { next } from '@kalnet/contracts/machine'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { choose } from './balance.ts'
import { BREAKER_TABLE, type BreakerState, createBreaker } from './breaker.ts'
import { createBucket } from './bucket.ts'
import { createBudget } from './budget.ts'
import { createSpread, releaseFor } from './canary.ts'
import { noteOutcome } from './outlier.ts'
import { stickyCookie, stickyTag, tagOf } from './sticky.ts'
import { createWindow } from './window.ts'

const member = (weight: number, open = 0) => ({ weight, open, credit: 0 })

describe('[MSH-3.balance]', () => {
  it('weighted: each has its share within one, however many are chosen', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 1, max: 300 }),
        (weights, turns) => {
          const all = weights.map((weight) => member(weight))
          const times = new Map(all.map((it) => [it, 0]))
          for (let turn = 0; turn < turns; turn += 1) {
            const chosen = choose(all, 'weighted')
            if (chosen) times.set(chosen, (times.get(chosen) ?? 0) + 1)
          }
          const sum = weights.reduce((one, other) => one + other, 0)
          // When all weigh nothing they take turns: somebody must answer.
          for (const [it, count] of times) {
            const share = sum === 0 ? 1 / all.length : it.weight / sum
            expect(Math.abs(count - share * turns)).toBeLessThanOrEqual(all.length)
          }
        },
      ),
    )
  })
  it('round robin: in turn', () => {
    const all = [member(1), member(9), member(0)]
    expect([...Array(6)].map(() => all.indexOf(choose(all, 'round-robin')!))).toEqual([0, 1, 2, 0, 1, 2])
  })
  it('least connections: the emptiest, equals in turn', () => {
    const all = [member(1, 3), member(1, 1), member(1, 1)]
    expect([...Array(4)].map(() => all.indexOf(choose(all, 'least-connections')!))).toEqual([1, 2, 1, 2])
    expect(choose([], 'least-connections')).toBe(null)
  })
})

describe('[MSH-3.canary]', () => {
  it.each([1, 5, 10, 33.3, 50, 90])('%s %% of 5,000 within two points', (percent) => {
    const spread = createSpread()
    let fresh = 0
    for (let turn = 0; turn < 5_000; turn += 1)
      if (releaseFor([{ release: 2, percent }], [1, 2], spread()) === 2) fresh += 1
    expect(Math.abs((fresh / 5_000) * 100 - percent)).toBeLessThan(0.2)
  })
  it.each([
    ['nothing is tried out of rotation', [{ release: 3, percent: 50 }], [1, 2], 10, 2],
    ['the rest goes to the newest without a share', [{ release: 3, percent: 10 }], [1, 2, 3], 50, 2],
    ['all have a share: the newest', [{ release: 1, percent: 10 }], [1], 50, 1],
    ['nobody is there', [{ release: 1, percent: 10 }], [], 5, null],
    [
      'the second share',
      [
        { release: 3, percent: 10 },
        { release: 2, percent: 10 },
      ],
      [1, 2, 3],
      15,
      2,
    ],
  ])('%s', (_, shares, there, point, release) => {
    expect(releaseFor(shares, there, point)).toBe(release)
  })
})

describe('[MSH-3.breaker]', () => {
  const rules = { failurePercent: 50, requests: 4, windowMs: 1_000, openMs: 500, onFault: 'closed' as const }
  it.each<
    [BreakerState, 'too-many-failures' | 'rested' | 'trial-answered' | 'trial-failed', BreakerState | null]
  >([
    ['closed', 'too-many-failures', 'open'],
    ['closed', 'trial-answered', null],
    ['open', 'rested', 'half-open'],
    ['open', 'too-many-failures', null],
    ['half-open', 'trial-answered', 'closed'],
    ['half-open', 'trial-failed', 'open'],
  ])('%s, %s: %s', (state, event, to) => expect(next(BREAKER_TABLE, state, event)).toBe(to))
  it('opens at its share and number, lets one through after its rest, and closes', () => {
    const breaker = createBreaker(rules)
    const fail = (now: number) => breaker.told(now, 'failed', false)
    breaker.told(0, 'answered', false)
    fail(1)
    fail(2)
    expect(breaker.state(3)).toBe('closed')
    fail(3)
    expect(breaker.admit(4)).toEqual({ pass: false, seconds: 1 })
    expect(breaker.admit(503)).toEqual({ pass: true, trial: true })
    expect(breaker.admit(504).pass).toBe(false)
    breaker.told(505, 'failed', true)
    expect(breaker.state(506)).toBe('open')
    expect(breaker.admit(1_005)).toEqual({ pass: true, trial: true })
    // Given up by its client: the next one tries.
    breaker.told(1_006, 'given-up', true)
    expect(breaker.admit(1_007)).toEqual({ pass: true, trial: true })
    breaker.told(1_008, 'answered', true)
    expect(breaker.state(1_009)).toBe('closed')
  })
  it('old failures do not count, and open on fault lets all through', () => {
    const breaker = createBreaker({ ...rules, onFault: 'open' })
    for (const now of [0, 1, 2]) breaker.told(now, 'failed', false)
    breaker.told(2_000, 'failed', false)
    expect(breaker.state(2_000)).toBe('closed')
    for (const now of [2_001, 2_002, 2_003]) breaker.told(now, 'failed', false)
    expect(breaker.state(2_004)).toBe('open')
    expect(breaker.admit(2_005)).toEqual({ pass: true, trial: false })
  })
})

describe('[MSH-3.rate]', () => {
  it('lets through what it should within 5 %, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 20 }),
        (perSecond, burst, stepMs) => {
          const bucket = createBucket({ perSecond, burst })
          const seconds = 200 / perSecond + 5
          let passed = 0
          // Twice as much is asked as is allowed, or more.
          const each = Math.max(1, Math.ceil((2 * perSecond * stepMs) / 1000))
          for (let now = 0; now < seconds * 1000; now += stepMs)
            for (let one = 0; one < each; one += 1) if (bucket.take('a', now) === 0) passed += 1
          const due = burst + perSecond * seconds
          // What does not fit into a bucket between two looks is lost by its nature.
          if ((perSecond * stepMs) / 1000 + 1 > burst) return
          expect(passed).toBeLessThanOrEqual(due * 1.05 + 1)
          expect(passed).toBeGreaterThanOrEqual(due * 0.95 - 2)
        },
      ),
      { numRuns: 40 },
    )
  })
  it('clients apart, and says how long to wait', () => {
    const bucket = createBucket({ perSecond: 0.5, burst: 1 })
    expect([bucket.take('a', 0), bucket.take('a', 0), bucket.take('b', 0)]).toEqual([0, 2, 0])
    expect([bucket.take('a', 1_000), bucket.take('a', 2_001)]).toEqual([1, 0])
  })
  it('remembers no more clients than it has place for', () => {
    const bucket = createBucket({ perSecond: 0.01, burst: 10 })
    for (let client = 0; client < 60_000; client += 1) bucket.take(String(client), client)
    expect(bucket.size()).toBeLessThanOrEqual(50_000)
  })
})

describe('[MSH-3.retries] the budget', () => {
  it('is a share of what was asked, but a few always', () => {
    const budget = createBudget(() => 20)
    const taken = (now: number) => {
      let count = 0
      while (budget.take(now)) count += 1
      return count
    }
    expect(taken(0)).toBe(10)
    for (let asked = 0; asked < 1_000; asked += 1) budget.asked(1)
    expect(taken(1)).toBe(190)
    expect(taken(20_000)).toBe(10)
    expect(createBudget(() => 0).take(0)).toBe(false)
  })
})

describe('[MSH-3.outlier]', () => {
  it('never leaves out more than half, and takes back after a while', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.tuple(fc.nat(7), fc.boolean()), { maxLength: 200 }),
        (size, events) => {
          const all = Array.from({ length: size }, () => ({ failuresInARow: 0, leftOutUntil: 0 }))
          events.forEach(([at, good], now) => {
            const one = all[at % size]
            if (one) noteOutcome(one, all, good, { failures: 3, ejectMs: 50 }, now)
            expect(all.filter((it) => it.leftOutUntil > now).length).toBeLessThanOrEqual(Math.floor(size / 2))
          })
        },
      ),
    )
    const [one, other] = [
      { failuresInARow: 0, leftOutUntil: 0 },
      { failuresInARow: 0, leftOutUntil: 0 },
    ]
    for (const now of [0, 1, 2]) noteOutcome(one, [one, other], false, { failures: 3, ejectMs: 50 }, now)
    expect(one.leftOutUntil).toBe(52)
    // On trial: one more failure is enough.
    noteOutcome(one, [one, other], false, { failures: 3, ejectMs: 50 }, 60)
    expect(one.leftOutUntil).toBe(110)
  })
})

describe('[MSH-3.sticky]', () => {
  it('the tag is found among other cookies, and tells nothing', () => {
    const tag = tagOf('01920000-0000-7000-8000-000000000001')
    const [pair = ''] = stickyCookie(tag, '/', true).split(';')
    expect(stickyTag(`a=b; ${pair}; c=d`)).toBe(tag)
    expect(stickyTag('a=b')).toBe(null)
    expect(stickyTag('xkalnet-at=1')).toBe(null)
    expect(tag).not.toContain('0192')
  })
})

it('a window forgets piece by piece', () => {
  const window = createWindow(1_000)
  window.add(0, 1, 0)
  window.add(950, 0, 1)
  expect(window.sum(999)).toEqual({ good: 1, bad: 1 })
  expect(window.sum(1_000)).toEqual({ good: 0, bad: 1 })
  expect(window.sum(5_000)).toEqual({ good: 0, bad: 0 })
})
