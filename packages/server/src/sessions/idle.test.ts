import { describe, expect, it } from 'vitest'
import { dueOf, endOf, type IdleRule, reasonOf, ruleOf, type Unused } from './idle.ts'

const START = Date.parse('2026-03-01T12:00:00.000Z')
const at = (minutes: number) => new Date(START + minutes * 60_000)
const RULE: IdleRule = { action: 'hibernate', afterMinutes: 30, watching: false }
const unused = (rest: Partial<Unused> = {}): Unused => ({
  state: 'running',
  idle: RULE,
  used_at: at(0).toISOString(),
  warned_at: null,
  ...rest,
})
const warned = (minutes: number, rest: Partial<Unused> = {}) =>
  unused({ warned_at: at(minutes).toISOString(), ...rest })

describe('what is due', () => {
  it.each<[string, Unused, number, string]>([
    ['used just now', unused(), 0, 'nothing'],
    ['a moment before the warning', unused(), 27.99, 'nothing'],
    ['two minutes before', unused(), 28, 'warn'],
    ['long after, and nobody was warned: we were away', unused(), 600, 'warn'],
    ['warned, and there is time', warned(28), 29.99, 'nothing'],
    ['warned, and the time is over', warned(28), 30, 'hibernate'],
    ['warned late: two minutes from then', warned(600), 601.99, 'nothing'],
    ['warned late, two minutes later', warned(600), 602, 'hibernate'],
    ['stopping is what its template says', warned(28, { idle: { ...RULE, action: 'stop' } }), 30, 'stop'],
    ['no rule', unused({ idle: null }), 600, 'nothing'],
    ['it starts', unused({ state: 'starting' }), 600, 'nothing'],
    ['it wakes', warned(28, { state: 'waking' }), 600, 'nothing'],
    ['it sleeps already', warned(28, { state: 'hibernated' }), 600, 'nothing'],
    ['never ready', unused({ used_at: null }), 600, 'nothing'],
  ])('[TPL-1.idle] %s', (_name, it, minutes, due) => {
    expect(dueOf(it, at(minutes))).toBe(due)
  })

  it('[TPL-1.idle] whoever is warned is told when', () => {
    expect(endOf(unused())).toBeNull()
    expect(endOf(warned(28))).toEqual(at(30))
    expect(endOf(warned(100))).toEqual(at(102))
  })
})

it.each([
  [30, 'Nobody used it for 30 minutes.'],
  [60, 'Nobody used it for 1 hour.'],
  [720, 'Nobody used it for 12 hours.'],
  [90, 'Nobody used it for 90 minutes.'],
  [2880, 'Nobody used it for 2 days.'],
])('[TPL-1.idle] after %s minutes it says why', (afterMinutes, words) => {
  expect(reasonOf({ ...RULE, afterMinutes })).toBe(words)
})

it.each([
  ['nothing', 'kept', null],
  ['hibernate', 'kept', 'hibernate'],
  // Without a home it cannot sleep: left alone rather than stopped.
  ['hibernate', 'private', null],
  ['stop', 'private', 'stop'],
] as const)('[TPL-1.idle] a template that says %s, home %s', (action, home, expected) => {
  const rule = ruleOf({ idle: { action, afterMinutes: 30, watching: false }, home })
  expect(rule?.action ?? null).toBe(expected)
})
