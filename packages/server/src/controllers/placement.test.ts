import type { Controller } from '@kalnet/contracts/controller'
import { instanceSpec } from '@kalnet/contracts/instance'
import { describe, expect, it } from 'vitest'
import { offeredBy, place } from './placement.ts'
import { openController } from './testing.ts'

const spec = instanceSpec.parse({ image: { reference: 'x' }, command: ['x'] })
const machine = (name: string, change: Partial<Controller> = {}, usable = true): Controller =>
  openController(name, change, { usable, detail: 'no bubblewrap' })

describe('offeredBy', () => {
  it.each([
    ['nothing without machines', [], []],
    ['what a machine can do', [machine('a')], ['process']],
    ['nothing of one that is offline', [machine('a', { state: 'offline' })], []],
    ['nothing of one that takes nothing new', [machine('a', { cordoned: true })], []],
    ['nothing that cannot be used', [machine('a', {}, false)], []],
    ['each once', [machine('a'), machine('b')], ['process']],
  ])('[CTL-3.offered] is %s', (_name, controllers, expected) => {
    expect(offeredBy(controllers)).toEqual(expected)
  })
})

describe('place', () => {
  const small = { cpus: 2, memoryBytes: 8e9, memoryFreeBytes: 1e8, diskFreeBytes: 1e11, load1: 0 }
  it.each([
    ['the only one', [machine('a')], 'a'],
    [
      'the one with more free memory',
      [machine('a', { capacity: { ...small, memoryFreeBytes: 3e9 } }), machine('b')],
      'b',
    ],
    ['not one that is offline', [machine('a', { state: 'offline' }), machine('b')], 'b'],
    ['not one whose platform is unusable', [machine('a', {}, false), machine('b')], 'b'],
  ])('[CTL-3.placed] takes %s', (_name, controllers, expected) => {
    expect(place(controllers, { spec, platforms: ['docker', 'process'] })).toMatchObject({
      controllerId: expected,
      platform: 'process',
    })
  })

  it.each([
    ['the one that takes new things', {}, [machine('a', { cordoned: true }), machine('b')], 'b'],
    [
      'the one that carries every label',
      { room: 'attic', gpu: 'none' },
      [
        machine('a', { labels: { room: 'attic' } }),
        machine('b', { labels: { room: 'attic', gpu: 'none', size: 'big' } }),
      ],
      'b',
    ],
  ])('[CTL-3.placed] [CTL-5.labels] takes %s', (_name, labels, controllers, expected) => {
    expect(place(controllers, { spec, platforms: ['process'], labels }).controllerId).toBe(expected)
  })

  it.each([
    ['the only one takes nothing new', machine('a', { cordoned: true }), 'a takes nothing new'],
    ['none carries the labels', machine('a', { labels: { room: 'cellar' } }), 'a is not labelled room=attic'],
  ])('[CTL-3.placed] [CTL-5.labels] says why when %s', (_name, one, words) => {
    const wanted = () => place([one], { spec, platforms: ['docker', 'process'], labels: { room: 'attic' } })
    expect(wanted).toThrow(`No machine can run this now: ${words}.`)
  })

  it.each([
    ['nothing is connected', [machine('a', { state: 'offline' })], 'no controller is connected'],
    ['nothing is usable', [machine('a', {}, false)], 'process on a is not usable: no bubblewrap'],
    ['memory is short', [machine('a', { capacity: small })], 'a has too little free memory'],
  ])('[CTL-3.placed] says why when %s', (_name, controllers, words) => {
    expect(() => place(controllers, { spec, platforms: ['process'] })).toThrow(words)
  })

  it('[NET-5.network-local] what needs a network of its own is not put where none is possible, unlike what needs none', () => {
    const lacking = machine('a')
    const without = lacking.fingerprints.map((it) => ({ ...it, localNetwork: false }))
    const one = { ...lacking, fingerprints: without }
    const platforms = ['process'] as const
    expect(place([one], { spec, platforms }).controllerId).toBe('a')
    const local = { ...spec, network: 'local' as const }
    expect(() => place([one], { spec: local, platforms })).toThrow('process on a has no networks of its own')
    expect(place([one, machine('b')], { spec: local, platforms }).controllerId).toBe('b')
  })

  const cluster = (change: Partial<NonNullable<Controller['capacity']>> = {}): Controller => {
    const own = machine('c')
    return {
      ...own,
      capacity: {
        cpus: 64,
        memoryBytes: 64e9,
        memoryFreeBytes: 40e9,
        diskFreeBytes: 1e11,
        load1: 0,
        ...change,
      },
      fingerprints: own.fingerprints.map((it) => ({ ...it, platform: 'kubernetes' as const })),
    }
  }
  const most = { memoryBytes: 8e9, memoryFreeBytes: 3e9, cpus: 4, cpusFree: 0.5 }
  const asking = (memoryBytes: number, cpus = 1) => ({
    ...spec,
    resources: { ...spec.resources, memoryBytes, cpus },
  })
  it.each([
    [
      'more than any machine has',
      asking(16e9),
      '16.0 GB of memory, and no machine of c has more than 8.0 GB for instances',
    ],
    [
      'more than any machine has free',
      asking(4e9),
      '4.0 GB of memory, and no machine of c has more than 3.0 GB free',
    ],
    ['more CPU than any machine has', asking(1e9, 64), '64 CPU, and no machine of c has enough'],
    [
      'more CPU than any machine has free',
      asking(1e9, 8),
      '8 CPU, and no machine of c has enough of it free',
    ],
  ])('[CTL-5.fits-nowhere] in a cluster with room in all, %s is told', (_name, wanted, words) => {
    const where = [cluster({ most })]
    expect(() => place(where, { spec: wanted, platforms: ['kubernetes'] })).toThrow(words)
    // Another place takes it.
    const other = { ...machine('a'), capacity: { ...cluster().capacity!, cpus: 64 } }
    expect(
      place([...where, other], { spec: wanted, platforms: ['kubernetes', 'process'] }).controllerId,
    ).toBe('a')
  })
  it('[CTL-5.fits-nowhere] what fits one machine goes there; of machines that nobody may read nothing is judged', () => {
    const where = { spec: asking(3e9), platforms: ['kubernetes'] as const }
    expect(place([cluster({ most })], where).controllerId).toBe('c')
    expect(place([cluster({ memoryFreeBytes: 1e6 })], where).controllerId).toBe('c')
  })
})
