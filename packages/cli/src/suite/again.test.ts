/** What goes a second time, and what is said of it. */
import { expect, test } from 'vitest'
import { filesToRepeat, mergeRepeated } from './again.ts'

const file = (name: string, ...states: string[]) => ({
  name,
  status: states.includes('failed') ? 'failed' : 'passed',
  assertionResults: states.map((status, index) => ({
    ancestorTitles: [],
    title: `test ${index}`,
    fullName: `test ${index}`,
    status,
  })),
})
const REAL = '/tree/packages/a/b.real.test.ts'
const TABLE = '/tree/packages/a/b.test.ts'
const JOURNEY = '/tree/test/journeys/c.test.ts'

test.each([
  ['nothing failed', [file(REAL, 'passed')], []],
  ['real parts and journeys', [file(REAL, 'failed'), file(JOURNEY, 'passed', 'failed')], [REAL, JOURNEY]],
  ['a table too: its server waits as well', [file(REAL, 'passed'), file(TABLE, 'failed')], [TABLE]],
  ['a run that broke', [file('vitest', 'failed')], []],
  [
    'too much for an accident',
    [1, 2, 3, 4, 5].map((it) => file(`/tree/test/journeys/${it}.test.ts`, 'failed')),
    [],
  ],
  ['a file that could not be loaded', [{ name: REAL, status: 'failed', assertionResults: [] }], [REAL]],
])('%s', (_, testResults, files) => expect(filesToRepeat({ testResults })).toEqual(files))

test('the second result counts; what passed only then is known', () => {
  const first = {
    testResults: [file('x', 'passed'), file(REAL, 'failed', 'passed'), file(JOURNEY, 'failed')],
  }
  const second = { testResults: [file(REAL, 'passed', 'passed'), file(JOURNEY, 'failed')] }
  const { report, shaky } = mergeRepeated(first, second)
  expect(report.testResults).toEqual([file('x', 'passed'), ...second.testResults])
  expect(shaky.testResults).toEqual([file(REAL, 'failed', 'passed')])
})

test('what did not run the second time is as it was', () => {
  const first = { testResults: [file(REAL, 'failed')] }
  const { report, shaky } = mergeRepeated(first, { testResults: [] })
  expect(report).toEqual(first)
  expect(shaky.testResults).toEqual([])
})
