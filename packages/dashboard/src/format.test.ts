/** Figures and times as people read them. */
import { describe, expect, test } from 'vitest'
import { ago, between, duration, size } from './format.ts'

const NOW = Date.UTC(2026, 10, 21, 12)
const before = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()

describe('ago', () => {
  test.each([
    [5, 'just now'],
    [70, '1 minute ago'],
    [59 * 60, '59 minutes ago'],
    [7_300, '2 hours ago'],
    [86_400 * 1.2, 'yesterday'],
    [86_400 * 12, '12 days ago'],
    [86_400 * 400, 'last year'],
  ])('%d seconds: %s', (seconds, words) => {
    expect(ago(before(seconds), NOW, 'just now')).toBe(words)
  })
})

test.each([
  [840, '840 ms'],
  [1_440, '1.4 s'],
  [125_000, '2 min 5 s'],
  [120_000, '2 min'],
])('%d ms: %s', (ms, words) => expect(duration(ms)).toBe(words))

test.each([
  [900, '1 kB'],
  [52_000, '52 kB'],
  [1_500_000, '2 MB'],
  [2_500_000_000, '2.5 GB'],
  [33_500_000_000, '34 GB'],
])('%d bytes: %s', (bytes, words) => expect(size(bytes)).toBe(words))

test('between needs both ends, and never goes back', () => {
  expect(between(null, before(1))).toBeNull()
  expect(between(before(3), before(1))).toBe(2_000)
  expect(between(before(1), before(3))).toBe(0)
})
