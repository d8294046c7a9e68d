/** An address reads as people say it, and only unusual rules are spoken of. */
import type { Match, Policy } from '@kalnet/contracts/gateway'
import { policy } from '@kalnet/contracts/gateway'
import { describe, expect, test } from 'vitest'
import { addressOf, perMinute, rulesOf } from './words.ts'

describe('[DSH-1.routes] an address', () => {
  test.each<[string, Match, string | null, string]>([
    [
      'http',
      { kind: 'http', host: 'notes.home', pathPrefix: '/', strip: false },
      'https://notes.home/',
      'notes.home',
    ],
    [
      'http with a port and a path',
      { kind: 'http', host: 'notes.home', pathPrefix: '/hook', strip: false },
      'https://notes.home:7443/hook',
      'notes.home:7443/hook',
    ],
    [
      'http unserved',
      { kind: 'http', host: 'notes.home', pathPrefix: '/a', strip: true },
      null,
      'notes.home/a',
    ],
    ['tcp', { kind: 'tcp', listen: 5432, sni: null }, null, 'TCP port 5432'],
    ['tcp by name', { kind: 'tcp', listen: 5432, sni: 'db.home' }, null, 'TCP port 5432 for db.home'],
    ['udp', { kind: 'udp', listen: 30000 }, null, 'UDP port 30000'],
  ])('%s', (_, match, url, words) => {
    expect(addressOf({ match, url })).toBe(words)
  })
})

describe('[DSH-1.routes] rules', () => {
  const usual = policy.parse({})
  test.each<[string, Partial<Policy>, string[]]>([
    ['the usual ones are not spoken of', {}, []],
    ['sticky', { sticky: true }, ['A visitor stays with the same instance.']],
    ['canary', { canary: [{ release: 4, percent: 10 }] }, ['10 % of requests go to release 4.']],
    ['no retries', { retries: { attempts: 0, budgetPercent: 20 } }, ['What fails is not tried again.']],
    ['rate', { rate: { perSecond: 5, burst: 10, by: 'client' } }, ['At most 5 a second for each visitor.']],
    [
      'breaker',
      { breaker: { failurePercent: 50, requests: 20, windowMs: 10_000, openMs: 5_000, onFault: 'closed' } },
      ['When 50 % fail, it is left alone for 5 s.'],
    ],
  ])('%s', (_, change, words) => {
    expect(rulesOf({ ...usual, ...change })).toEqual(words)
  })
})

describe('[DSH-1.routes] requests a minute', () => {
  test.each([
    { what: 'nothing to compare with', before: null, count: 5, at: 10_000, expected: null },
    { what: 'five in ten seconds', before: { count: 0, at: 0 }, count: 5, at: 10_000, expected: 30 },
    { what: 'the gateway began anew', before: { count: 9, at: 0 }, count: 5, at: 10_000, expected: null },
  ])('$what', ({ before, count, at, expected }) => {
    expect(perMinute(before, count, at)).toBe(expected)
  })
})
