/** Words and figures as people read them. */
import { fail } from '@kalnet/contracts/errors'
import { expect, test } from 'vitest'
import { ago, size, table } from './output.ts'
import { EXIT, explain, failed } from './problem.ts'
import { keptOutput } from './testing.ts'

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1536, '1.5 KB'],
  [250_000_000, '250 MB'],
  [4_200_000_000, '4.2 GB'],
])('size of %i', (bytes, words) => expect(size(bytes)).toBe(words))

test.each([
  [1, '1 second'],
  [59, '59 seconds'],
  [60, '1 minute'],
  [7200, '2 hours'],
  [100_000, '1 day'],
])('%i seconds ago', (seconds, words) => expect(ago(new Date(0), new Date(seconds * 1000))).toBe(words))

test('columns are as wide as their content', () => {
  expect(
    table(
      ['a', 'b'],
      [
        ['long', 'x'],
        ['s', 'y'],
      ],
    ),
  ).toEqual(['A     B', 'long  x', 's     y'])
})

const errors: [string, unknown, number, string][] = [
  ['of the table', fail('template.unknown', { id: 'x' }), EXIT.failed, 'template.unknown'],
  ['a refusal of the table', fail('permission.denied'), EXIT.refused, 'permission.denied'],
  ['of ours', failed('No.', 'Try.'), EXIT.failed, 'cli.failed'],
  [
    'no right to a file',
    Object.assign(new Error('x'), { code: 'EACCES', path: '/x' }),
    EXIT.refused,
    'cli.not-allowed',
  ],
  ['a full disk', Object.assign(new Error('x'), { code: 'ENOSPC' }), EXIT.failed, 'store.full'],
  ['something thrown', 'words', EXIT.failed, 'cli.failed'],
]
test.each(errors)('a failure %s has an exit code, a sentence and a next step', (_name, error, exit, code) => {
  const explained = explain(error)
  expect(explained).toMatchObject({ exit, code })
  expect(explained.message.length).toBeGreaterThan(0)
  expect(explained.next.length).toBeGreaterThan(0)
})

test('a long step says its beginning and its end, on standard error only', async () => {
  const { output, out, err } = keptOutput()
  expect(await output.step('Working', async () => 7)).toBe(7)
  await expect(output.step('Failing', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(err()).toMatch(/Working …\nWorking: done in 0\.\d s\nFailing …\nFailing: failed after 0\.\d s\n/)
  expect(out()).toBe('')
})

test('without a terminal nothing is agreed to', async () => {
  const { output } = keptOutput()
  expect(await output.ask('Really?')).toBe(false)
  expect(await output.askWord('Really?', 'purge')).toBe(false)
})
