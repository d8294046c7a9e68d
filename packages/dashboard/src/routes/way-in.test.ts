/** Which trouble of the way in is shown where, and in which words. */
import type { WayInProblem } from '@kalnet/contracts/gateway'
import { describe, expect, it } from 'vitest'
import * as m from '../messages/index.ts'
import { shownProblems } from './words.ts'

const problem = (change: Partial<WayInProblem> = {}): WayInProblem => ({
  part: 'gateway',
  gateway: null,
  routeId: null,
  address: null,
  problem: 'Port 8080 is held by nginx.',
  ...change,
})
const mine = problem({ routeId: 'a', address: 'tcp 25565', problem: 'port 25565 is held by another program' })

describe('[NET-3.told] the notice above addresses', () => {
  it.each<[string, WayInProblem, ReadonlySet<string> | null, boolean]>([
    ['about all, among all', problem(), null, true],
    ['about all, on the page of a service', problem(), new Set(['a']), true],
    ['about one, among all', mine, null, true],
    ['about its own address, on the page of a service', mine, new Set(['a']), true],
    ["about another's address, on the page of a service", mine, new Set(['b']), false],
  ])('%s', (_, one, ids, shown) => {
    expect(shownProblems([one], ids)).toEqual(shown ? [one] : [])
  })
  it.each<[WayInProblem, string]>([
    [problem(), 'Port 8080 is held by nginx.'],
    [mine, 'tcp 25565: port 25565 is held by another program'],
    [problem({ gateway: 'attic', problem: 'held' }), 'At the gateway attic: held'],
    [problem({ part: 'names', problem: 'Port 53 is held.' }), 'Names: Port 53 is held.'],
  ])('%o', (one, words) => {
    expect(m.wayInProblem(one)).toBe(words)
  })
})
