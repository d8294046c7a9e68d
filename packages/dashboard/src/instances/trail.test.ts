/** What a page keeps of figures while it is open, and the line they are drawn as. */
import type { InstanceUse } from '@kalnet/contracts/use'
import { expect, test } from 'vitest'
import { follow, lineOf, NO_TRAIL, TRAIL_MS } from './trail.ts'

const START = Date.UTC(2026, 0, 1)
const use = (ms: number, cpus: number, generation = 1): InstanceUse => ({
  ...{ instanceId: 'a', generation, most: { cpus: 1, memoryBytes: 100 } },
  now: { known: true, cpus, memoryBytes: 50, at: new Date(START + ms).toISOString() },
})
const unknown = (generation = 1): InstanceUse => ({
  ...{ ...use(0, 0, generation), now: { known: false, because: 'offline', why: null } },
})
const cpusOf = (all: InstanceUse[]) => all.reduce(follow, NO_TRAIL).points.map((it) => it.cpus)

test.each<[string, InstanceUse[], number[]]>([
  ['one after the other', [use(0, 0.1), use(5_000, 0.2)], [0.1, 0.2]],
  ['the same again is one', [use(0, 0.1), use(0, 0.1)], [0.1]],
  ['what is older than the window goes', [use(0, 0.1), use(1, 0.2), use(TRAIL_MS + 1, 0.3)], [0.2, 0.3]],
  ['a gap stays a gap', [use(0, 0.1), unknown(), use(10_000, 0.3)], [0.1, 0.3]],
  ['a new start begins anew', [use(0, 0.1), use(5_000, 0.2, 2)], [0.2]],
  ['a new start of which nothing is known yet, too', [use(0, 0.1), unknown(2)], []],
  ['a clock that was set back begins anew', [use(60_000, 0.1), use(0, 0.2)], [0.2]],
])('[UI-2.use] %s', (_, all, expected) => {
  expect(cpusOf(all)).toEqual(expected)
})

test('[UI-2.use] nothing new is the same trail, so that nothing is drawn anew', () => {
  const trail = follow(NO_TRAIL, use(0, 0.1))
  expect(follow(trail, use(0, 0.1))).toBe(trail)
  expect(follow(trail, unknown())).toBe(trail)
})

test.each<[string, number[][], number, string]>([
  ['one point is no line', [[0, 1]], 1, ''],
  [
    'a minute fills the width at first, the newest on the right',
    [
      [0, 0.25],
      [15, 1],
    ],
    1,
    '75,75 100,0',
  ],
  [
    'what takes longer fills it whole',
    [
      [0, 0.25],
      [150, 0.5],
      [300, 1],
    ],
    1,
    '0,75 50,50 100,0',
  ],
  [
    'more than the most stays in the box',
    [
      [0, 0],
      [60, 3],
    ],
    1,
    '0,100 100,0',
  ],
  [
    'without a most it lies at the bottom',
    [
      [0, 1],
      [60, 1],
    ],
    0,
    '0,100 100,100',
  ],
])('[UI-2.use] %s', (_, values, most, line) => {
  const points = values.map(([seconds = 0, value = 0]) => ({ at: START + seconds * 1000, value }))
  expect(lineOf(points, most)).toBe(line)
})
