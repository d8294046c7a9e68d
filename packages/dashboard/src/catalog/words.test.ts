/** Searching the catalog finds what people mean, best first. */
import { describe, expect, test } from 'vitest'
import { TEMPLATES } from '../../dev/fixtures.ts'
import { find, mustAsk } from './words.ts'

const names = (text: string) => find(TEMPLATES, text).map((it) => it.name)

describe('[TPL-1.search]', () => {
  test.each([
    ['fire', ['Firefox']],
    ['TERM', ['Terminal', 'Development desktop']],
    ['browse', ['Firefox', 'Chromium']],
    ['web browser', ['Firefox']],
    ['spreadsheet machine', []],
  ])('%s', (text, expected) => expect(names(text)).toEqual(expected))
})

test('[TPL-1.questions] a needed answer without a default is asked before the start', () => {
  const [entry] = TEMPLATES
  if (!entry) throw new Error('no templates')
  const input = {
    name: 'where',
    label: 'Where',
    type: 'text',
    required: true,
    maxLength: 200,
    environment: 'WHERE',
  } as const
  expect(mustAsk(entry)).toBe(false)
  expect(mustAsk({ ...entry, inputs: [input] })).toBe(true)
  expect(mustAsk({ ...entry, inputs: [{ ...input, default: 'here' }] })).toBe(false)
})
