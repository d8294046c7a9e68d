/** What is typed into the field of labels is judged as the control plane will judge it. */
import { labels } from '@kalnet/contracts/controller'
import { describe, expect, test } from 'vitest'
import { labelsOf, labelsProblem, textOf } from './labels-text.ts'

const lines = (count: number) => Array.from({ length: count }, (_, at) => `l${at}=x`).join('\n')

describe('[CTL-4.labels] labels as text', () => {
  test.each<[string, boolean]>([
    ['', true],
    ['room=attic', true],
    ['  room=attic \n\n node-version=v24.1_a ', true],
    ['room', false],
    ['=attic', false],
    ['room=', false],
    ['Room=attic', false],
    ['room=the attic', false],
    ['room=a=b', false],
    [`room=${'x'.repeat(63)}`, true],
    [`room=${'x'.repeat(64)}`, false],
    [lines(20), true],
    [lines(21), false],
  ])('%j: %s', (text, valid) => {
    expect(labelsProblem(text) === undefined).toBe(valid)
    if (valid) expect(labels.parse(labelsOf(text))).toEqual(labelsOf(text))
    else if (text.includes('=') && !text.startsWith('='))
      expect(labels.safeParse(labelsOf(text)).success).toBe(false)
  })

  test('there and back is the same', () => {
    const some = { room: 'attic', gpu: 'none' }
    expect(labelsOf(textOf(some))).toEqual(some)
  })
})
