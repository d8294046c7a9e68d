/** What stands in the fields of an address's fine tuning is what the address gets. */

import { policy } from '@kalnet/contracts/gateway'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { fromForm, type PolicyForm, problemsOf, toForm } from './policy-form.ts'

describe('[DSH-1.routes] fields and back', () => {
  test.each<[string, z.input<typeof policy>]>([
    ['the usual rules', {}],
    [
      'all of them',
      {
        balance: 'least-connections',
        sticky: true,
        canary: [
          { release: 3, percent: 10 },
          { release: 2, percent: 5 },
        ],
        timeouts: { connectMs: 1500, answerMs: 30_000, idleMs: 600_000 },
        retries: { attempts: 1, budgetPercent: 10 },
        breaker: { failurePercent: 20, requests: 7, windowMs: 3_000, openMs: 9_000, onFault: 'open' },
        rate: { perSecond: 0.5, burst: 3, by: 'route' },
        bodyBytes: 1000,
        outlier: null,
        safetyHeaders: false,
      },
    ],
  ])('%s', (_, given) => {
    const before = policy.parse(given)
    expect(fromForm(toForm(before), before)).toEqual(before)
    expect(problemsOf(toForm(before))).toEqual({})
  })

  test.each<[string, Partial<PolicyForm>, string[]]>([
    ['an empty number', { answer: '' }, ['answer']],
    ['no number', { connect: 'soon' }, ['connect']],
    ['too much', { attempts: '9' }, ['attempts']],
    ['a part of a try', { attempts: '1.5' }, ['attempts']],
    ['a share without its release', { canaryPercent: '10' }, ['canaryRelease']],
    ['what is switched off is not judged', { rate: false, rateBurst: 'x' }, []],
    ['what is switched on is', { rate: true, rateBurst: 'x' }, ['rateBurst']],
    ['a comma is a point', { connect: '1,5' }, []],
  ])('%s', (_, change, wrong) => {
    expect(Object.keys(problemsOf({ ...toForm(policy.parse({})), ...change }))).toEqual(wrong)
  })
})
