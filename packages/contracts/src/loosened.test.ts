/** What a later release adds is left out, wherever it stands; what is wrong stays wrong. */
import { expect, test } from 'vitest'
import { z } from 'zod'
import { exactly, loosened } from './loosened.ts'

const strict = z.strictObject({
  inner: z.strictObject({ a: z.number().max(5).default(1) }).prefault({}),
  list: z.array(z.strictObject({ b: z.string() })).max(2),
  either: z.union([z.strictObject({ tcp: z.number() }), z.strictObject({ unix: z.string() })]).nullable(),
  kind: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('x'), c: z.string() }),
      z.strictObject({ kind: z.literal('y') }),
    ])
    .optional(),
  named: z.record(z.string(), z.strictObject({ d: z.number() })),
})
const good = {
  inner: { a: 2 },
  list: [{ b: '1' }],
  either: { tcp: 1 },
  kind: { kind: 'x' as const, c: '2' },
  named: { one: { d: 3 } },
}
const more = { later: true }

test.each<[string, object]>([
  ['the whole', { ...good, ...more }],
  ['an object within', { ...good, inner: { a: 2, ...more } }],
  ['one of a list', { ...good, list: [{ b: '1', ...more }] }],
  ['one of several', { ...good, either: { tcp: 1, ...more } }],
  ['one of several by its kind', { ...good, kind: { kind: 'x', c: '2', ...more } }],
  ['one of a record', { ...good, named: { one: { d: 3, ...more } } }],
])('%s', (_, value) => {
  expect(strict.safeParse(value).success).toBe(false)
  expect(loosened(strict).parse(value)).toEqual(good)
})

test('what is absent has its default as before', () =>
  expect(loosened(strict).parse({ list: [], either: null, named: {} })).toEqual({
    inner: { a: 1 },
    list: [],
    either: null,
    named: {},
  }))

test.each<[string, object]>([
  ['too much', { ...good, inner: { a: 6 } }],
  ['too many', { ...good, list: [{ b: '' }, { b: '' }, { b: '' }] }],
  ['of no kind', { ...good, kind: { kind: 'z' } }],
  ['of a wrong type', { ...good, either: { tcp: '1' } }],
  ['not there', { ...good, list: undefined }],
])('wrong: %s', (_, value) => expect(loosened(strict).safeParse(value).success).toBe(false))

test('what is exact stays so within', () => {
  const recipe = loosened(z.strictObject({ recipe: z.array(exactly(z.strictObject({ a: z.number() }))) }))
  expect(recipe.parse({ recipe: [{ a: 1 }], ...more })).toEqual({ recipe: [{ a: 1 }] })
  expect(recipe.safeParse({ recipe: [{ a: 1, ...more }] }).success).toBe(false)
})
