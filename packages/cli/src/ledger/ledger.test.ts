/** The ledger's arithmetic: what is claimed, named, run and proved. */
import { expect, test } from 'vitest'
import { compare } from './audit.ts'
import { parseRequirements } from './requirements.ts'
import { mergeResults, resultsOf, type TestResult } from './results.ts'
import { clausesIn } from './titles.ts'

const { requirements } = parseRequirements(`
SES-1:
  what: Life of a session
  clauses:
    launch: It starts.
    hibernate: { open: It sleeps. }
`)
const named = (clause: string, file = 'a.test.ts') => ({ clause, file, line: 1 })
const result = (
  outcome: TestResult['result'],
  clause = 'SES-1.launch',
  file = 'a.test.ts',
  title = 't',
): TestResult => ({
  file,
  title,
  clauses: [clause],
  result: outcome,
  commit: 'abc',
})

const states: [string, TestResult[], string, string][] = [
  ['passed', [result('passed')], 'proved', 'part'],
  ['failed', [result('failed')], 'part', 'part'],
  ['skipped', [result('skipped')], 'part', 'part'],
  [
    'one passed, one failed',
    [result('passed'), result('failed', 'SES-1.launch', 'a.test.ts', 'u')],
    'part',
    'part',
  ],
  ['never run', [], 'part', 'part'],
  [
    'a result of a file that no longer names it',
    [result('passed', 'SES-1.launch', 'gone.test.ts')],
    'part',
    'part',
  ],
]
test.each(states)('%s', (_name, results, clause, whole) => {
  const { lines, problems } = compare(requirements, [named('SES-1.launch')], [], results)
  expect(problems).toEqual([])
  expect(lines[0]?.clauses.map(({ state }) => state)).toEqual([clause, 'open'])
  expect(lines[0]?.state).toBe(whole)
})

test('a claim without a test and a test without a claim are problems', () => {
  expect(compare(requirements, [named('SES-1.lunch')], [], []).problems).toEqual([
    'a.test.ts:1 names SES-1.lunch, which docs/requirements.yaml does not have',
    'SES-1.launch is claimed, but no test names it',
  ])
})

test('a page may not claim what is open or unknown', () => {
  const pages = [
    named('SES-1.hibernate', 'README.md'),
    named('SES-9.x', 'README.md'),
    named('SES-1.launch', 'README.md'),
  ]
  expect(compare(requirements, [named('SES-1.launch')], pages, []).problems).toHaveLength(2)
})

test.each([
  ["test('[SES-1.launch] it starts')", ['SES-1.launch']],
  ['[SES-1.launch, CTL-3.fencing] both', ['SES-1.launch', 'CTL-3.fencing']],
  ['[SES-1.launch][CTL-3.fencing]', ['SES-1.launch', 'CTL-3.fencing']],
  ['an array[0] and [x] and SES-1.launch', []],
])('clauses in %j', (text, expected) => expect(clausesIn(text)).toEqual(expected))

test.each([
  ['no clauses', 'SES-1:\n  what: x\n', /no clauses/],
  ['a wrong id', 'session:\n  what: x\n  clauses: { a: b }\n', /not an id/],
  ['a wrong word', 'SES-1:\n  what: x\n  clauses: { A_b: c }\n', /small letters/],
  ['an unknown key', 'SES-1:\n  what: x\n  state: done\n  clauses: { a: b }\n', /unknown key state/],
  ['a list', '- SES-1\n', /by id/],
  ['no YAML', 'SES-1: [', /requirements\.yaml/],
])('%s is a problem in words', (_name, text, expected) => {
  expect(parseRequirements(text).problems.join('; ')).toMatch(expected)
})

test('results come from the report, and a skipped run does not undo what was seen', () => {
  const assertion = {
    ancestorTitles: ['on docker'],
    title: '[SES-1.launch] it starts',
    fullName: '',
    status: 'passed',
  }
  const report = {
    testResults: [
      { name: '/tree/a.test.ts', assertionResults: [assertion, { ...assertion, title: 'other' }] },
    ],
  }
  const fresh = resultsOf(report, '/tree', 'abc')
  expect(fresh).toEqual([
    {
      file: 'a.test.ts',
      title: 'on docker › [SES-1.launch] it starts',
      clauses: ['SES-1.launch'],
      result: 'passed',
      commit: 'abc',
    },
  ])
  const skipped = fresh.map((it) => ({ ...it, result: 'skipped' as const, commit: 'def' }))
  expect(mergeResults(fresh, skipped)).toEqual(fresh)
  expect(
    mergeResults(
      fresh,
      fresh.map((it) => ({ ...it, result: 'failed' as const })),
    )[0]?.result,
  ).toBe('failed')
  expect(mergeResults([result('passed', 'SES-1.launch', 'b.test.ts')], fresh)).toHaveLength(2)
})
