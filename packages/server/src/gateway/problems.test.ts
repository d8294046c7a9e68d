/** What people are told of the way in: theirs only, with the address it is about. */
import { describe, expect, it } from 'vitest'
import { idOf, routeOf } from './engine/testing/bench.ts'
import { type WayIn, wayInProblems } from './problems.ts'

const game = routeOf({ id: idOf(1), match: { kind: 'tcp', listen: 25_565 } })
const NONE: WayIn = { routes: [game], shut: null, own: [], joined: [], names: [] }
const told = (change: Partial<WayIn>) =>
  wayInProblems({ ...NONE, ...change }).map(({ part, gateway, address, problem }) => [
    part,
    gateway,
    address,
    problem,
  ])

describe('[NET-3.told] what keeps the way in from working', () => {
  it.each<[string, Partial<WayIn>, unknown[]]>([
    ['nothing', {}, []],
    [
      'a door that is shut',
      { shut: 'Port 8080 is held by nginx.' },
      [['gateway', null, null, 'Port 8080 is held by nginx.']],
    ],
    [
      'a port that is held, with its address',
      { own: [{ routeId: game.id, problem: 'held' }] },
      [['gateway', null, 'tcp 25565', 'held']],
    ],
    ["another household's is not told", { own: [{ routeId: idOf(2), problem: 'held' }] }, []],
    [
      'a gateway of its own is named',
      { joined: [{ gateway: 'attic', routeId: game.id, problem: 'held' }] },
      [['gateway', 'attic', 'tcp 25565', 'held']],
    ],
    [
      'names that are not answered',
      { names: ['Port 53 is held.'] },
      [['names', null, null, 'Port 53 is held.']],
    ],
  ])('%s', (_, change, expected) => {
    expect(told(change)).toEqual(expected)
  })
})
