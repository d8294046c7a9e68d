import type { Controller } from '@kalnet/contracts/controller'
import { instanceSpec } from '@kalnet/contracts/instance'
import { describe, expect, it } from 'vitest'
import { place } from './placement.ts'

const spec = instanceSpec.parse({ image: { reference: 'x' }, command: ['x'] })
const machine = (name: string, change: Partial<Controller> = {}, usable = true): Controller => ({
  id: name,
  name,
  hostname: name,
  version: '1',
  state: 'online',
  lastSeenAt: null,
  instances: 0,
  createdAt: '2026-01-01T00:00:00.000Z',
  capacity: { cpus: 2, memoryBytes: 8e9, memoryFreeBytes: 4e9, diskFreeBytes: 1e11, load1: 0 },
  fingerprints: [
    {
      platform: 'process',
      usable,
      detail: 'no bubblewrap',
      version: '1',
      isolation: 'uid',
      limits: true,
      network: true,
      images: [],
    },
  ],
  ...change,
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
    expect(place(controllers, { spec, platforms: ['docker', 'process'] })).toEqual({
      controllerId: expected,
      platform: 'process',
    })
  })

  it.each([
    ['nothing is connected', [machine('a', { state: 'offline' })], 'no controller is connected'],
    ['nothing is usable', [machine('a', {}, false)], 'process on a is not usable: no bubblewrap'],
    ['memory is short', [machine('a', { capacity: small })], 'a has too little free memory'],
  ])('[CTL-3.placed] says why when %s', (_name, controllers, words) => {
    expect(() => place(controllers, { spec, platforms: ['process'] })).toThrow(words)
  })
})
