/** What the test runner says at the end: counts, files that could not be loaded, what was skipped and why. */
import { expect, test } from 'vitest'
import { peerCache } from './peers.ts'
import { count, failureLines, longestLines, longestOf, skipLines } from './report.ts'

const one = (title: string, status: string, ...ancestorTitles: string[]) => ({
  title,
  status,
  ancestorTitles,
  fullName: title,
})

test('passed, failed, skipped, and files that could not be loaded', () => {
  const { tally, skips, failures } = count({
    testResults: [
      {
        name: 'a',
        status: 'failed',
        assertionResults: [
          one('x', 'passed'),
          {
            ...one('y', 'failed'),
            failureMessages: ['\u001b[31mexpected\u001b[39m 1 to be 2\n at /x/node_modules/y'],
          },
          one('z', 'pending'),
        ],
      },
      { name: 'b', status: 'failed', message: 'SyntaxError: oops\nat', assertionResults: [] },
    ],
  })
  expect(tally).toEqual({ passed: 1, failed: 2, skipped: 1 })
  expect(skips).toEqual([{ file: 'a', title: 'z' }])
  expect(failureLines(failures, '/tree')).toEqual([
    '  ✗ a: y',
    '      expected 1 to be 2',
    '  ✗ b: the file itself',
    '      SyntaxError: oops',
    '      at',
  ])
})

test('skipped parts are listed by their reason, with what each would prove', () => {
  const skips = [
    { file: '/tree/a.test.ts', title: 'on docker (skipped: no engine) › it starts' },
    { file: '/tree/a.test.ts', title: 'on docker (skipped: no engine) › it stops' },
    { file: '/tree/b.test.ts', title: 'later' },
  ]
  expect(skipLines(skips, '/tree')).toEqual([
    '  no engine; it would prove:',
    '    a.test.ts: on docker › it starts',
    '    a.test.ts: on docker › it stops',
    '  left out by the test itself; it would prove:',
    '    b.test.ts: later',
  ])
})

test.each([
  [{ KALNET_PEER_CACHE: '/c' }, 0, '/c'],
  [{}, 0, '/var/cache/kalnet-peers'],
  [{ HOME: '/home/a' }, 1000, '/home/a/.cache/kalnet-peers'],
])('peers are kept in %j for %i', (env, uid, expected) => expect(peerCache(env, uid)).toBe(expected))

test('where the time of a run went: longest first, and nothing that took none', () => {
  const took = (name: string, ms: number) => ({
    name,
    startTime: 1_000,
    endTime: 1_000 + ms,
    assertionResults: [],
  })
  const testResults = [took('/tree/a', 2_400), took('/tree/b', 61_000), took('/tree/c', 100)]
  expect(
    longestLines(
      longestOf({ testResults: [...testResults, { name: '/tree/d', assertionResults: [] }] }),
      '/tree',
    ),
  ).toEqual(['    61 s  b', '     2 s  a'])
})
