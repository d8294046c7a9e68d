import type { HomesThere } from '@kalnet/contracts/kept'
import type { KeptHome } from '@kalnet/contracts/session'
import { expect, it } from 'vitest'
import { keptAmount, keptThere, keptWords } from './kept.ts'

const AT = '2026-01-01T00:00:00.000Z'
const home = (it: Partial<KeptHome>): KeptHome => ({
  ...{ bytes: null, reservedBytes: null, place: null, measuredAt: AT },
  ...it,
})
it.each<[string, KeptHome | null, RegExp, string]>([
  ['measured', home({ bytes: 1_240_000_000 }), /^1\.2 GB of files are kept on Attic\.$/, '1.2 GB'],
  ['empty', home({ bytes: 0 }), /^0 kB of files/, '0 kB'],
  [
    'set aside',
    home({ reservedBytes: 1e10 }),
    /10 GB is set aside .* not known\.$/,
    'Up to 10 GB; how much is not known',
  ],
  ['not measurable', home({}), /How large they are is not known\.$/, 'Not known'],
  ['not looked at yet', home({ bytes: 5, measuredAt: null }), /not known yet\.$/, 'Not known yet'],
])('[SES-1.home-size] %s', (_name, it, words, amount) => {
  expect(keptWords({ home: it, controllerName: 'Attic' })).toMatch(words)
  expect(it && keptAmount(it)).toBe(amount)
})

const there = (it: Partial<HomesThere>): HomesThere => ({
  ...{ controllerId: 'c', homes: 1, bytes: 0, reservedBytes: 0, unknown: 0 },
  ...it,
})
it.each<[HomesThere | undefined, string | null]>([
  [undefined, null],
  [there({ bytes: 2e9 }), 'Keeps the files of 1 session that does not run: 2 GB'],
  [there({}), 'Keeps the files of 1 session that does not run: 0 kB'],
  [there({ unknown: 1 }), 'Keeps the files of 1 session that does not run: 1 of unknown size'],
  [
    there({ homes: 4, bytes: 2e9, reservedBytes: 1e10, unknown: 1 }),
    'Keeps the files of 4 sessions that do not run: 2 GB, 10 GB set aside, 1 of unknown size',
  ],
])('[SES-1.home-size] of a machine: %j', (it, words) => {
  expect(keptThere(it)).toBe(words)
})
