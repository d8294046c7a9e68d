/** Few letters for many kinds of names. */
import { expect, test } from 'vitest'
import { initials, ROLE_WORDS, upTo } from './words.ts'

test.each([
  ['Ada Larch', 'AL'],
  ['ada', 'A'],
  ['Maximiliane-Friederike von Hohenlohe-Lang', 'MH'],
  ['  zoë  ', 'Z'],
  ['👩‍🚀 Ripley', '👩R'],
  ['李小龍', '李'],
  ['', '?'],
])('%s: %s', (name, expected) => expect(initials(name)).toBe(expected))

test('nobody gives more than he is', () => {
  expect(upTo('admin')).toEqual(['admin', 'member', 'child', 'guest'])
  expect(upTo('owner')[0]).toBe('owner')
  expect(ROLE_WORDS.household.owner).not.toBe(ROLE_WORDS.team.owner)
})
