/** Trouble of the way in, as a line. */
import type { WayInProblem } from '@kalnet/contracts/gateway'
import { describe, expect, it } from 'vitest'
import type { Api } from './api.ts'
import { wayInLine, wayInProblems } from './way-in.ts'

const held: WayInProblem = {
  part: 'gateway',
  gateway: null,
  routeId: null,
  address: null,
  problem: 'Port 8080 is held.',
}

describe('[NET-3.told] status and doctor network', () => {
  it.each<[WayInProblem, string]>([
    [held, '! gateway: Port 8080 is held.'],
    [{ ...held, gateway: 'attic', address: 'tcp 25565' }, '! gateway attic: tcp 25565: Port 8080 is held.'],
    [{ ...held, part: 'names' }, '! names: Port 8080 is held.'],
  ])('%o', (problem, line) => {
    expect(wayInLine(problem)).toBe(line)
  })
  it('is nothing where it cannot be asked', async () => {
    const api = { call: () => Promise.reject(new Error('not running')) } as unknown as Api
    expect(await wayInProblems(api)).toEqual([])
    const told = { call: async () => ({ wayIn: [held] }) } as unknown as Api
    expect(await wayInProblems(told)).toEqual([held])
  })
})
