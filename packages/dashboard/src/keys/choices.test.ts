/** The choices on screen are those of the contracts, and a key says how it stands. */
import { SCOPE_WORDS as CONTRACT_WORDS, SCOPE_PRESETS, type ServiceKey } from '@kalnet/contracts/key'
import { SCOPES } from '@kalnet/contracts/permission'
import { describe, expect, test } from 'vitest'
import { ALL_SCOPES, mayWords, PRESETS, SCOPE_WORDS, stateOf } from './choices.ts'

const DAY = 24 * 3600_000
const NOW = Date.UTC(2026, 5, 1)
const at = (days: number) => new Date(NOW + days * DAY).toISOString()
const key = (expires: number | null, more: Partial<ServiceKey> = {}): ServiceKey => ({
  id: '01920000-0000-7000-8000-000000000001',
  begins: 'kal_x',
  name: 'x',
  userId: '01920000-0000-7000-8000-000000000002',
  userName: 'Ada',
  userKind: 'person',
  scopes: [],
  createdAt: at(-60),
  expiresAt: expires === null ? null : at(expires),
  lastUsedAt: null,
  lastUsedAddress: null,
  overlapUntil: null,
  ...more,
})

describe('[IDN-4.key-screens] choices of keys', () => {
  test('every scope has its words, and the ready choices are those of the contracts', () => {
    expect([...ALL_SCOPES].sort()).toEqual([...SCOPES].sort())
    expect(Object.keys(SCOPE_WORDS).sort()).toEqual(Object.keys(CONTRACT_WORDS).sort())
    for (const [name, { scopes }] of Object.entries(SCOPE_PRESETS))
      expect([...PRESETS[name as keyof typeof PRESETS]].sort()).toEqual([...scopes].sort())
  })
  test.each([
    [PRESETS.read, 'Only look'],
    [[...PRESETS.launch].reverse(), 'Launch and use sessions'],
    [ALL_SCOPES, 'Everything a key may do'],
    [['me.read'], 'See whose key it is'],
    [['me.read', 'group.read'], 'See whose key it is · See groups'],
    [['me.read', 'group.read', 'event.read'], '3 things'],
  ] as const)('%s is called %s', (scopes, words) => {
    expect(mayWords(scopes)).toBe(words)
  })
  test.each([
    [key(null), 'good'],
    [key(60), 'good'],
    [key(13), 'soon'],
    [key(-1), 'over'],
    [key(5, { createdAt: at(-1) }), 'good'],
    [key(60, { overlapUntil: at(0.1) }), 'two'],
    [key(60, { overlapUntil: at(-0.1) }), 'good'],
    [key(-1, { overlapUntil: at(0.1) }), 'over'],
  ] as const)('%# stands as %s', (one, state) => {
    expect(stateOf(one, NOW)).toBe(state)
  })
})
