/** A controller that could take something, for the tables of placing: each changes what it is about. */
import type { Controller, Fingerprint } from '@kalnet/contracts/controller'

export const openController = (
  name: string,
  change: Partial<Controller> = {},
  process: Partial<Fingerprint> = {},
): Controller => ({
  id: name,
  name,
  hostname: name,
  version: '1',
  state: 'online',
  lastSeenAt: null,
  instances: 0,
  cordoned: false,
  labels: {},
  installation: false,
  createdAt: '2026-01-01T00:00:00.000Z',
  capacity: { cpus: 2, memoryBytes: 8e9, memoryFreeBytes: 4e9, diskFreeBytes: 1e11, load1: 0 },
  fingerprints: [
    {
      platform: 'process',
      usable: true,
      detail: '',
      version: '1',
      isolation: 'uid',
      limits: true,
      network: true,
      images: [],
      ...process,
    },
  ],
  ...change,
})
