/** What the control plane knows of gateways of their own: names, counts that outlive a restart, and whom it believes. */
import type { RouteFigures } from '@kalnet/contracts/gateway'
import { type GatewayReport, gatewayReport } from '@kalnet/contracts/gateway-joined'
import { systemClock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { describe, expect, it } from 'vitest'
import { createKnownGateways } from './known.ts'
import { mergeFigures } from './merge.ts'

const HOME = newId()
const ROUTE = newId()
const figures = (more: Partial<RouteFigures> = {}): RouteFigures => ({
  routeId: ROUTE,
  requests: 0,
  failures: 0,
  bytesIn: 0,
  bytesOut: 0,
  open: 0,
  retries: 0,
  rejected: 0,
  breaker: null,
  p50Ms: null,
  p99Ms: null,
  ...more,
})
const report = (more: Partial<GatewayReport> = {}): GatewayReport =>
  gatewayReport.parse({
    name: 'attic',
    run: 'one',
    version: '0',
    ports: [],
    machine: null,
    figures: [],
    signIns: [],
    problems: [],
    ...more,
  })
function begin() {
  let now = 0
  const known = createKnownGateways({ ...systemClock, now: () => new Date(now) })
  return { known, pass: (ms: number) => (now += ms) }
}

describe('[MSH-6.gateways] figures of several gateways', () => {
  it.each<[string, Partial<RouteFigures>, Partial<RouteFigures>, Partial<RouteFigures>]>([
    [
      'counts are added',
      { requests: 2, failures: 1, open: 1 },
      { requests: 3, open: 2 },
      { requests: 5, failures: 1, open: 3 },
    ],
    ['the slower time is told', { p99Ms: 5 }, { p99Ms: 9 }, { p99Ms: 9 }],
    ['a time that nobody has is none', { p99Ms: null }, { p99Ms: null }, { p99Ms: null }],
    ['the worst breaker is told', { breaker: 'closed' }, { breaker: 'open' }, { breaker: 'open' }],
  ])('%s', (_, one, other, both) => {
    expect(mergeFigures([figures(one)], [figures(other)])).toEqual([figures({ ...one, ...other, ...both })])
  })
})

describe('[MSH-6.gateways] a gateway of its own', () => {
  it('counts on when it begins anew, and what was open is not', () => {
    const { known, pass } = begin()
    known.heard(HOME, report({ figures: [figures({ requests: 7, open: 2 })] }))
    known.heard(HOME, report({ figures: [figures({ requests: 9, open: 1 })] }))
    expect(known.figures()).toEqual([figures({ requests: 9, open: 1 })])
    pass(5_000)
    expect(known.heard(HOME, report({ run: 'two', figures: [figures({ requests: 1 })] })).isNew).toBe(true)
    expect(known.figures()).toEqual([figures({ requests: 10 })])
    known.heard(HOME, report({ run: 'two', leaving: true, figures: [figures({ requests: 4 })] }))
    expect(known.figures()).toEqual([figures({ requests: 13 })])
  })
  it('has its name for itself while it is heard, and in its own household only', () => {
    const { known, pass } = begin()
    known.heard(HOME, report())
    expect(() => known.heard(HOME, report({ run: 'two' }))).toThrow(/attic/)
    expect(known.heard(newId(), report({ run: 'two' })).isNew).toBe(true)
    pass(5_000)
    expect(known.heard(HOME, report({ run: 'two' })).isNew).toBe(true)
  })
  it('tells what is wrong there until it is silent', () => {
    const { known, pass } = begin()
    known.heard(HOME, report({ problems: [{ routeId: null, problem: 'port 80 is held' }] }))
    expect(known.problems(HOME)).toEqual([{ gateway: 'attic', routeId: null, problem: 'port 80 is held' }])
    expect(known.problems(newId())).toEqual([])
    pass(30_000)
    expect(known.problems(HOME)).toEqual([])
  })
})

describe('[SEC-7.forwarded] who spoke to a gateway that passes a request on', () => {
  const { known, pass } = begin()
  const { proof } = known.heard(HOME, report())
  it.each([
    ['nothing is said', undefined],
    ['an address alone', '203.0.113.9'],
    ['an invented proof', `${'x'.repeat(43)} 203.0.113.9 https`],
    ['no proof', ' 203.0.113.9 https'],
    ['what is no address', `${proof} everywhere https`],
  ])('%s: nobody is believed', (_, said) => {
    expect(known.before(said)).toBeNull()
  })
  it('its proof is believed while it is heard', () => {
    expect(known.before(`${proof} 203.0.113.9 https`)).toEqual({ address: '203.0.113.9', secure: true })
    expect(known.before(`${proof} ::1 http`)).toEqual({ address: '::1', secure: false })
    pass(30_000)
    expect(known.before(`${proof} 203.0.113.9 https`)).toBeNull()
  })
})
