import { describe, expect, it } from 'vitest'
import { changeController } from './controller.ts'

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`l${at}`, 'x']))

describe('[CTL-4.labels] a change of a controller', () => {
  it.each<[string, boolean, unknown]>([
    ['nothing', false, {}],
    ['nothing, said twice', false, { name: undefined, cordoned: undefined }],
    ['an empty name', false, { name: '  ' }],
    ['something unknown', false, { cordoned: true, color: 'red' }],
    ['a name', true, { name: 'Attic box' }],
    ['whether it takes new things', true, { cordoned: false }],
    ['no labels at all', true, { labels: {} }],
    ['labels', true, { labels: { room: 'attic', 'node-version': 'v24.1_a' } }],
    ['a key with a capital', false, { labels: { Room: 'attic' } }],
    ['a value with a blank', false, { labels: { room: 'the attic' } }],
    ['an empty value', false, { labels: { room: '' } }],
    ['a value of 63 letters', true, { labels: { room: 'x'.repeat(63) } }],
    ['a value of 64 letters', false, { labels: { room: 'x'.repeat(64) } }],
    ['20 labels', true, { labels: many(20) }],
    ['21 labels', false, { labels: many(21) }],
  ])('of %s: %s', (_name, valid, change) => {
    expect(changeController.safeParse(change).success).toBe(valid)
  })
})
