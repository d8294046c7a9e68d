/** The stretches of a day's health: in order, within the day, and no word about what is not known. */
import type { HealthChange } from '@kalnet/contracts/service'
import { describe, expect, test } from 'vitest'
import { uuid } from '../../dev/fixtures.ts'
import { lines } from './timeline.ts'

const change = (at: number, state: HealthChange['state'], number = 0): HealthChange => ({
  instanceId: uuid(number),
  part: 'web',
  number,
  state,
  detail: '',
  tookMs: null,
  at: new Date(at).toISOString(),
})

describe('[DSH-1.health] the timeline', () => {
  test.each([
    { what: 'nothing known', changes: [], expected: [] },
    {
      what: 'before the first change it is open',
      changes: [change(50, 'healthy')],
      expected: [{ spans: [['healthy', 0.5, 1]], well: 1 }],
    },
    {
      what: 'what began before the day begins with it',
      changes: [change(75, 'unhealthy'), change(-100, 'healthy')],
      expected: [
        {
          spans: [
            ['healthy', 0, 0.75],
            ['unhealthy', 0.75, 1],
          ],
          well: 0.75,
        },
      ],
    },
    {
      what: 'what ended before the day is left out',
      changes: [change(-50, 'healthy'), change(-100, 'unhealthy')],
      expected: [{ spans: [['healthy', 0, 1]], well: 1 }],
    },
    {
      what: 'each replica has its line',
      changes: [change(50, 'healthy', 1), change(0, 'starting')],
      expected: [
        { spans: [['starting', 0, 1]], well: 0 },
        { spans: [['healthy', 0.5, 1]], well: 1 },
      ],
    },
  ])('$what', ({ changes, expected }) => {
    const found = lines(changes, 0, 100).map(({ spans, well }) => ({
      spans: spans.map(({ state, from, to }) => [state, from, to]),
      well,
    }))
    expect(found).toEqual(expected)
  })
})
