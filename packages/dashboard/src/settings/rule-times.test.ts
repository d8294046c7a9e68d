/** Times of rules as people say them. */
import { expect, test } from 'vitest'
import { IDLE, inWords, withCurrent } from './rule-times.ts'

test.each([
  [3_600_000, '1 hour'],
  [12 * 3_600_000, '12 hours'],
  [24 * 3_600_000, '1 day'],
  [30 * 24 * 3_600_000, '30 days'],
  [5 * 60_000, '5 minutes'],
  [90 * 60_000, '90 minutes'],
])('%i ms is %s', (ms, words) => expect(inWords(ms)).toBe(words))

test('what was set elsewhere stands among the choices, in order', () => {
  expect(withCurrent(IDLE, 3 * 3_600_000).indexOf(3 * 3_600_000)).toBe(1)
  expect(withCurrent(IDLE, 3_600_000)).toEqual(IDLE)
})
