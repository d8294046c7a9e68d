/** Why something is where it is, in words. */
import type { Placed } from '@kalnet/contracts/placing'
import { expect, it } from 'vitest'
import { whyThere } from './why-there.ts'

const ID = '01890000-0000-7000-8000-000000000001'
const machine = (
  name: string,
  points: [number, number, number, number] | null,
  problem: string | null = null,
) => ({
  controllerId: ID,
  name,
  points: points && { image: points[0], memory: points[1], cpu: points[2], person: points[3] },
  problem,
})
const placed = (...considered: Placed['considered']): Placed => ({ placing: 'spread', considered, others: 0 })

it.each<[string, Placed, string[]]>([
  [
    'others could not',
    placed(machine('attic', [0, 1, 1, 0]), machine('cellar', null, 'cellar takes nothing new')),
    ['No other machine could take it.', 'cellar takes nothing new.'],
  ],
  [
    'by what it is better at, and not by what is alike',
    placed(machine('attic', [3, 2, 1, 0]), machine('cellar', [0, 1, 1, 0])),
    [
      'Of the machines that could take it: what it needs lies there already; it has the most memory free.',
      'cellar could have taken it, too.',
    ],
  ],
  [
    'packed',
    { ...placed(machine('attic', [0, 2, 0, 1]), machine('cellar', [0, 1, 1, 0])), placing: 'pack' },
    [
      'Of the machines that could take it: it is the fullest that has room; something of theirs is there.',
      'cellar could have taken it, too.',
    ],
  ],
  [
    'by all together',
    {
      ...placed(
        machine('attic', [0, 2, 1, 0]),
        machine('cellar', [0, 1, 2, 0]),
        machine('barn', [0, 3, 0, 0]),
      ),
      others: 490,
    },
    [
      'Taken together it fitted best.',
      'cellar could have taken it, too.',
      'barn could have taken it, too.',
      'And 490 more machines.',
    ],
  ],
])('[CTL-5.why] %s', (_, it, lines) => {
  expect(whyThere(it)).toEqual({ name: 'attic', lines })
})

it.each<[string, Placed]>([
  ['nothing was looked at', placed()],
  ['there is one machine', placed(machine('attic', [0, 1, 1, 0]))],
  ['what is there now was not chosen', placed(machine('attic', null, 'attic is full'))],
])('[CTL-5.why] nothing is said where %s', (_, it) => expect(whyThere(it)).toBeNull())
