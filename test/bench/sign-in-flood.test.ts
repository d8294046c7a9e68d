/** What the bench of signing in demands, and that the kept figures meet it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Figure, missedMusts, quantile } from './sign-in-flood.ts'

const figure = (name: string, ratio: number): Figure => ({
  figure: name,
  unit: 'ms',
  quiet: 10,
  flood: 10 * ratio,
  ratio,
  n: 500,
})

describe('bench sign-in-flood', () => {
  it.each([
    ['all is well', 1.9, 1, []],
    ['the API slows down', 2.1, 1, ['API p99: × 2.1 is not within 0 and 2']],
    ['the unknown are quicker', 1, 0.5, ['wrong password, unknown person: × 0.5 is not within 0.9 and 1.1']],
    ['the unknown are slower', 1, 1.2, ['wrong password, unknown person: × 1.2 is not within 0.9 and 1.1']],
  ])('%s', (_, api, unknown, missed) => {
    expect(missedMusts([figure('API p99', api), figure('wrong password, unknown person', unknown)])).toEqual(
      missed,
    )
    expect(missedMusts([]).length).toBe(2)
  })
  it('quantiles', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect([quantile(values, 0.5), quantile(values, 0.99), quantile([], 0.5)]).toEqual([51, 100, 0])
  })
  it('[IDN-1.flood] [IDN-1.equal] the kept figures meet what is demanded', async () => {
    const kept = await readFile(join(import.meta.dirname, '../results/sign-in-flood.json'), 'utf8')
    expect(missedMusts(JSON.parse(kept) as Figure[])).toEqual([])
  })
})
