/** What the bench of lookups demands. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Figure, missedMusts, quantile } from './lookup.ts'

const figure = (name: string, p99: number): Figure => ({
  figure: name,
  unit: 'ms',
  p50: 0.1,
  p99,
  quietP99: p99,
  cpuMs: null,
  n: 2_000,
})
const all = ['HTTP by key', 'HTTP by cookie', 'DNS A', 'DNS SRV']

describe('bench lookup', () => {
  it.each([
    ['all is well', 0.9, 40, []],
    ['a lookup is late', 1.2, 40, all.map((name) => `${name}: p99 1.2 ms is more than 1`)],
    ['a change is late', 0.9, 60, ['a change is seen: p99 60 ms is more than 50']],
  ])('%s', (_, lookup, seen, missed) => {
    expect(
      missedMusts([...all.map((name) => figure(name, lookup)), figure('a change is seen', seen)]),
    ).toEqual(missed)
  })
  it('what was not measured is missed', () => expect(missedMusts([])).toHaveLength(5))
  it('[MSH-2.fast] [MSH-1.seen] the kept figures meet what is demanded', async () => {
    const kept = await readFile(join(import.meta.dirname, '../results/lookup.json'), 'utf8')
    const { endpoints, figures } = JSON.parse(kept)
    expect(endpoints).toBeGreaterThanOrEqual(10_000)
    expect(missedMusts(figures)).toEqual([])
  })
  it('quantiles', () => expect([quantile([3, 1, 2], 0.5), quantile([], 0.5)]).toEqual([2, 0]))
})
