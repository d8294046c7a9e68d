/** Everything that was called is drawn once, callers before called, nothing on top of another. */
import type { Call } from '@kalnet/contracts/gateway'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BOX, draw } from './layout.ts'

const call = (from: string | null, to: string, calls = 1, failures = 0): Call => ({
  from,
  to,
  calls,
  failures,
  lastAt: '2026-11-21T12:00:00.000Z',
})
const columnOf = (calls: Call[], name: string | null) =>
  (draw(calls).nodes.find((it) => it.name === name)?.x ?? Number.NaN) / (BOX.width + 96)

describe('[DSH-1.topology] the drawing', () => {
  test.each<[string, Call[], [string | null, number][]]>([
    ['nothing', [], []],
    [
      'from outside to one',
      [call(null, 'web')],
      [
        [null, 0],
        ['web', 1],
      ],
    ],
    [
      'a chain',
      [call(null, 'web'), call('web', 'data')],
      [
        [null, 0],
        ['web', 1],
        ['data', 2],
      ],
    ],
    [
      'nobody outside',
      [call('web', 'data')],
      [
        ['web', 0],
        ['data', 1],
      ],
    ],
    [
      'a circle',
      [call('a', 'b'), call('b', 'a')],
      [
        ['a', 0],
        ['b', 1],
      ],
    ],
  ])('%s', (_, calls, columns) => {
    expect(draw(calls).nodes).toHaveLength(columns.length)
    for (const [name, column] of columns) expect(columnOf(calls, name)).toBe(column)
  })

  test('what fails is marked, and more calls make a thicker line', () => {
    const { edges } = draw([call(null, 'a', 1000), call(null, 'b', 10, 5)])
    expect(edges.map(({ failing }) => failing)).toEqual([false, true])
    expect(edges[0]?.width).toBeGreaterThan(edges[1]?.width ?? 0)
  })

  test('whatever calls whatever: every service once, every call a line, no two in one place', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
    const calls = fc.uniqueArray(fc.record({ from: fc.option(name), to: name, calls: fc.nat(1000) }), {
      selector: ({ from, to }) => `${from}>${to}`,
      maxLength: 20,
    })
    fc.assert(
      fc.property(calls, (some) => {
        const given = some.map((it) => call(it.from, it.to, it.calls))
        const { nodes, edges, width, height } = draw(given)
        expect(nodes).toHaveLength(new Set(given.flatMap(({ from, to }) => [from, to])).size)
        expect(edges).toHaveLength(given.length)
        expect(new Set(nodes.map(({ x, y }) => `${x}/${y}`)).size).toBe(nodes.length)
        for (const { x, y } of nodes) {
          expect(x + BOX.width).toBeLessThanOrEqual(width)
          expect(y + BOX.height).toBeLessThanOrEqual(height + 0.001)
        }
      }),
    )
  })
})
