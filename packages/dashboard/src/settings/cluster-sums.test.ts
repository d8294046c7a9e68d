import type { ClusterMachine } from '@kalnet/contracts/cluster'
import { describe, expect, test } from 'vitest'
import { inOrder, shareOf, sumOf } from './cluster-sums.ts'
import { joinedBy } from './joined-by.ts'

const of = (cpus: number, memoryBytes: number) => ({ cpus, memoryBytes, pods: 1 })
const machine = (name: string, change: Partial<ClusterMachine> = {}): ClusterMachine => ({
  name,
  ready: true,
  detail: '',
  cordoned: false,
  capacity: of(4, 9),
  allocatable: of(4, 8),
  ours: of(1, 2),
  others: of(0.5, 3),
  ...change,
})

describe('[CTL-5.cluster-room] a cluster on its page', () => {
  test('is the sum of the machines that take something', () => {
    const { memory, cpus, mostFree } = sumOf([
      machine('a'),
      machine('b', { ours: of(0, 0) }),
      machine('c', { cordoned: true }),
    ])
    expect(memory).toEqual({ ours: 2, others: 6, all: 16 })
    expect(cpus).toEqual({ ours: 1, others: 1, all: 8 })
    expect(mostFree).toBe(5)
    expect(shareOf(memory)).toBe(0.5)
  })
  test('where others are not known says nothing of them, and is full at most', () => {
    const { memory } = sumOf([machine('a', { others: null, ours: of(1, 99) })])
    expect(memory.others).toBeNull()
    expect(shareOf(memory)).toBe(1)
    expect(shareOf(sumOf([]).memory)).toBe(0)
  })
  test('shows first what takes nothing, then by name as people count', () => {
    const names = inOrder([
      machine('m-10'),
      machine('m-9'),
      machine('z', { cordoned: true }),
      machine('y', { ready: false }),
    ])
    expect(names.map(({ name }) => name)).toEqual(['y', 'z', 'm-9', 'm-10'])
  })
})

test('whoever was there before has not joined now', () => {
  const one = { id: '1', name: 'Cloud', state: 'online' as const, fingerprints: [] }
  expect(joinedBy([one], 'Cloud', new Set(['1']))).toBeUndefined()
  expect(joinedBy([one, { ...one, id: '2' }], 'Cloud', new Set(['1']))?.id).toBe('2')
})
