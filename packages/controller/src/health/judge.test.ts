/** What answers in a row come to, as a table; and when it is asked again. */
import { describe, expect, test } from 'vitest'
import { statusIn } from './http.ts'
import { freshStanding, judge, type Verdict, waitAfter } from './judge.ts'

const limits = { failuresToUnhealthy: 3, answersToHealthy: 2, startPeriodMs: 1000 }
const words: Record<string, Verdict> = { '+': 'fine', '-': 'failed', '?': null }
const letters = { starting: 's', healthy: 'h', unhealthy: 'u' }

/** `+` answers, `-` fails, `?` cannot tell; the state after each, by its first letter. */
const cases: [
  name: string,
  ageMs: number,
  from: 'starting' | 'healthy' | 'unhealthy',
  asked: string,
  then: string,
][] = [
  ['answers in a row make it healthy', 0, 'starting', '++', 'sh'],
  ['a failure between starts the count again', 5000, 'starting', '+-++', 'sssh'],
  ['failures of the start do not count', 999, 'starting', '-----', 'sssss'],
  ['after its start they do', 1000, 'starting', '---', 'ssu'],
  ['one that has answered is excused no more', 0, 'starting', '+---', 'sssu'],
  ['one failure of a healthy one is nothing', 5000, 'healthy', '-+--+', 'hhhhh'],
  ['failures in a row make it unhealthy', 5000, 'healthy', '---', 'hhu'],
  ['unhealthy comes back by answers in a row', 5000, 'unhealthy', '+-++', 'uuuh'],
  ['not knowing counts neither way', 5000, 'healthy', '--?-', 'hhhu'],
  ['a platform that waits leaves it starting', 5000, 'starting', '????', 'ssss'],
]
test.each(cases)('[OBS-2.thresholds] %s', (_name, ageMs, from, asked, then) => {
  let standing = freshStanding(from)
  const seen = [...asked].map((it) => {
    standing = judge(standing, words[it] ?? null, ageMs, limits)
    return letters[standing.state]
  })
  expect(seen.join('')).toBe(then)
})

test.each([
  ['fine', { state: 'healthy', failures: 0 }, 10_000],
  ['healthy with a failure', { state: 'healthy', failures: 1 }, 2_000],
  ['starting', { state: 'starting', failures: 0 }, 2_000],
  ['unhealthy', { state: 'unhealthy', failures: 9 }, 2_000],
] as const)('[MSH-7.faster] %s is asked again in its time, give or take a tenth', (_name, change, about) => {
  const probe = { intervalMs: 10_000, failingIntervalMs: 2_000 }
  const standing = { ...freshStanding(), ...change }
  const at = (random: number) => waitAfter(standing, probe, () => random)
  expect([at(0), at(0.5), at(1)]).toEqual([about * 0.9, about, about * 1.1])
})

describe('[OBS-2.http] the status of an answer', () => {
  const answers: [text: string, status: number | null | 'no HTTP'][] = [
    ['', null],
    ['HTTP/1.1 20', null],
    ['HTTP/1.1 204 No Content\r\n', 204],
    ['HTTP/1.0 503\r\nx: y', 503],
    ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n', 200],
    ['HTTP/1.1 103 Early Hints\r\nlink: x\r\n', null],
    ['HTTP/1.1 101 Switching Protocols\r\n', 101],
    ['SSH-2.0-OpenSSH\r\n', 'no HTTP'],
    ['H', null],
    ['X', 'no HTTP'],
    ['HTTP/1.1 999 What\r\n', 'no HTTP'],
    ['HTTP/1.1 2000 OK\r\n', 'no HTTP'],
    ['HTTP/2 200\r\n', 'no HTTP'],
  ]
  test.each(answers)('%j', (text, status) => {
    const read = () => statusIn(text)
    if (status === 'no HTTP') expect(read).toThrow('It does not speak HTTP')
    else expect(read()).toBe(status)
  })
})
