/** The fake platform passes the suite of the real ones. */
import { systemClock } from '@kalnet/io/clock'
import { describePlatform } from '../conformance.ts'
import { endedInWords } from '../reasons.ts'
import { createFakePlatform } from './fake.ts'
import { createFakeWorld } from './world.ts'

const world = createFakeWorld({ clock: systemClock })
describePlatform('fake', {
  isReal: false,
  image: { reference: 'none' },
  end: (handle, code) => world.end(handle.instanceId, code, endedInWords(code)),
  open: async () => ({
    platform: createFakePlatform({ world, clock: systemClock }),
    again: async () => createFakePlatform({ world, clock: systemClock }),
    close: async () => undefined,
    limits: false,
    network: false,
    local: 'sockets',
    exec: true,
    outside: null,
  }),
})
