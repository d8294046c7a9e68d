/** Reconciling against the fake platform: one runtime per generation whatever the link and the machine do. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DesiredInstance, ObservedInstance } from '@kalnet/contracts/instance'
import { instanceSpec, wish } from '@kalnet/contracts/instance'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Journal, openJournal } from './journal.ts'
import { InstanceLost, PlatformAway } from './platforms/away.ts'
import { createFakePlatform } from './platforms/fake/fake.ts'
import { createFakeWorld, type FakeWorld } from './platforms/fake/world.ts'
import type { Handle, Platform } from './platforms/platform.ts'
import { createReconciler, type Reconciler } from './reconcile.ts'

const log = createLog('test', 'silent')
const idOf = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`
const ORGANISATION = idOf(999)

const desired = (n: number, generation = 1, changes: Partial<DesiredInstance> = {}): DesiredInstance => ({
  id: idOf(n),
  generation,
  organisationId: ORGANISATION,
  platform: 'fake',
  state: 'running',
  spec: instanceSpec.parse({
    image: { reference: 'none' },
    command: ['program'],
    ports: [{ name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } }],
    ready: { port: 'display', withinMs: 1000 },
  }),
  ...changes,
})

interface Machine {
  reconciler: Reconciler
  observed: ObservedInstance[]
  last(n: number): ObservedInstance | undefined
  /** As kill -9 does: nothing is finished, nothing is told. */
  kill(): void
}
let folder: string
let world: FakeWorld
const machines: Machine[] = []

function boot(more: Platform[] = []): Machine {
  const stopper = new AbortController()
  const journal: Journal = openJournal(join(folder, 'journal.sqlite'))
  const observed: ObservedInstance[] = []
  const reconciler = createReconciler({
    platforms: [createFakePlatform({ world, clock: systemClock }), ...more],
    journal,
    clock: systemClock,
    log,
    report: (it) => void observed.push(it),
    signal: stopper.signal,
  })
  void reconciler.run()
  const machine: Machine = {
    reconciler,
    observed,
    last: (n) => observed.findLast((it) => it.id === idOf(n)),
    kill() {
      if (stopper.signal.aborted) return
      stopper.abort(new Error('killed'))
      journal.close()
    },
  }
  machines.push(machine)
  return machine
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kalnet-reconcile-'))
  world = createFakeWorld({ clock: systemClock })
})
afterEach(() => {
  for (const machine of machines.splice(0)) machine.kill()
  rmSync(folder, { recursive: true, force: true })
})
/** The fake one as a cluster that goes away, says what it does not know for sure, and leaves behind what it refused. */
function leaving() {
  const fake = createFakePlatform({ world, clock: systemClock })
  let isAway = false
  let said: { doubt?: string; lost?: string } = {}
  let refusal: string | null = null
  const there = async () => {
    if (isAway) throw new PlatformAway('the cluster does not answer')
  }
  const platform: Platform = {
    ...fake,
    name: 'kubernetes',
    async ensure(request, signal, progress) {
      await there()
      const handle: Handle = { ...(await fake.ensure(request, signal, progress)), platform: 'kubernetes' }
      if (refusal) throw new Error(refusal)
      return handle
    },
    async observe(handle) {
      await there()
      if (said.lost) throw new InstanceLost(said.lost)
      return { ...(await fake.observe(handle)), ...(said.doubt && { doubt: said.doubt }) }
    },
    async list() {
      await there()
      return (await fake.list()).map((it) => ({ ...it, platform: 'kubernetes' as const }))
    },
  }
  return {
    platform,
    away: (now: boolean) => {
      isAway = now
    },
    say: (now: typeof said) => {
      said = now
    },
    fail: (now: string) => {
      refusal = now
    },
  }
}
const reaches = (machine: Machine, n: number, state: ObservedInstance['state']) =>
  expect.poll(() => machine.last(n)?.state, { timeout: 30_000, interval: 5 }).toBe(state)

test('[CTL-3.observed] each stage is reported with the generation it saw and its time', async () => {
  const machine = boot()
  machine.reconciler.desired(desired(1))
  await reaches(machine, 1, 'running')
  const states = machine.observed.map((it) => it.state)
  expect([...new Set(states)]).toEqual(['preparing', 'creating', 'running'])
  expect(Object.keys(machine.last(1)?.times ?? {}).sort()).toEqual([
    'created',
    'prepared',
    'ready',
    'received',
  ])
})

test('[NET-5.addresses] where its ports answer on this machine is told while it runs, and no longer', async () => {
  const machine = boot()
  const addresses = { web: { host: '10.213.0.2', port: 8080 } }
  world.programs.told.addresses.set(idOf(1), addresses)
  machine.reconciler.desired(desired(1))
  await reaches(machine, 1, 'running')
  expect(machine.last(1)?.addresses).toEqual(addresses)
  expect(machine.observed.filter((it) => it.state !== 'running').every((it) => !it.addresses)).toBe(true)
  world.end(idOf(1), 0, 'Its program ended')
  await reaches(machine, 1, 'stopped')
  expect(machine.last(1)?.addresses).toBeUndefined()
})

test('[CTL-3.fencing] an older generation is refused and a higher one replaces', async () => {
  const machine = boot()
  machine.reconciler.desired(desired(1, 2))
  await reaches(machine, 1, 'running')
  machine.reconciler.desired(desired(1, 1))
  await machine.reconciler.idle()
  expect([...world.runtimes.keys()]).toEqual([`${idOf(1)}/2`])
  machine.reconciler.desired(desired(1, 3))
  await expect.poll(() => [...world.runtimes.keys()], { timeout: 30_000 }).toEqual([`${idOf(1)}/3`])
  expect(world.mostAtOnce).toBe(1)
})

test.each([
  {
    name: 'ended with a code',
    end: () => world.end(idOf(1), 3, 'Its program ended with code 3'),
    state: 'failed',
    reason: 'Its program ended with code 3',
  },
  {
    name: 'ended well',
    end: () => world.end(idOf(1), 0, 'Its program ended'),
    state: 'stopped',
    reason: 'Its program ended',
  },
  {
    name: 'vanished',
    end: () => world.lose(idOf(1)),
    state: 'failed',
    reason: 'It is no longer there: it was removed from outside',
  },
] as const)(
  '[SES-1.killed] one that $name is told with its reason and never started again',
  async ({ end, state, reason }) => {
    const machine = boot()
    machine.reconciler.desired(desired(1))
    await reaches(machine, 1, 'running')
    end()
    await reaches(machine, 1, state)
    expect(machine.last(1)?.reason).toBe(reason)
    machine.reconciler.desired(desired(1))
    machine.reconciler.desiredAll([desired(1)])
    await machine.reconciler.idle()
    expect(world.created.get(`${idOf(1)}/1`)).toBe(1)
    expect(machine.last(1)?.state).toBe(state)
  },
)

test('[SES-1.failed-in-words] a display that never comes up fails with the reason and the last log lines', async () => {
  world.displaysComeUp = false
  const machine = boot()
  machine.reconciler.desired(desired(1))
  await reaches(machine, 1, 'failed')
  expect(machine.last(1)?.reason).toBe('The screen did not come up within 1 seconds')
  expect(machine.last(1)?.logTail).toEqual(['started program'])
})

test('[SES-1.failed-in-words] what has no screen is not told to have one', async () => {
  world.displaysComeUp = false
  const machine = boot()
  const { spec } = desired(1)
  const ports = [{ name: 'display', kind: 'http' as const, at: { tcp: 8080 } }]
  machine.reconciler.desired(desired(1, 1, { spec: { ...spec, ports } }))
  await reaches(machine, 1, 'failed')
  expect(machine.last(1)?.reason).toBe('It did not answer within 1 seconds')
})

test('[CTL-3.retry] a creation that fails is tried again, and fails in words in the end', async () => {
  const machine = boot()
  world.fail('ensure', 'no room', 2)
  machine.reconciler.desired(desired(1))
  await reaches(machine, 1, 'running')
  world.fail('ensure', 'no room', 99)
  machine.reconciler.desired(desired(2))
  await reaches(machine, 2, 'failed')
  expect(machine.last(2)?.reason).toBe('It could not be started: no room')
})

test('[CTL-3.admission] what may not run is refused here again', async () => {
  const machine = boot()
  const it = desired(1)
  machine.reconciler.desired({ ...it, spec: { ...it.spec, wants: ['privileged'] } })
  await reaches(machine, 1, 'failed')
  expect(machine.last(1)?.reason).toContain('privileged')
  expect(world.created.size).toBe(0)
})

test('[SES-1.stop] stopping takes everything away, and a late "running" does not bring it back', async () => {
  const machine = boot()
  machine.reconciler.desired(desired(1))
  await reaches(machine, 1, 'running')
  machine.reconciler.desired(desired(1, 1, { state: 'stopped' }))
  await reaches(machine, 1, 'stopped')
  machine.reconciler.desired(desired(1))
  await machine.reconciler.idle()
  expect(world.runtimes.size).toBe(0)
})

test('[CTL-3.interrupt] a stop that comes while it is being created ends the creation', async () => {
  world.delay('ensure', 60_000)
  const machine = boot()
  machine.reconciler.desired(desired(1))
  await reaches(machine, 1, 'preparing')
  machine.reconciler.desired(desired(1, 1, { state: 'stopped' }))
  await reaches(machine, 1, 'stopped')
  expect(world.runtimes.size).toBe(0)
})

test('[CTL-3.forget] what is forgotten is removed and stays away', async () => {
  const machine = boot()
  machine.reconciler.desired(desired(1))
  await reaches(machine, 1, 'running')
  machine.reconciler.forget(idOf(1), 1)
  await expect.poll(() => world.runtimes.size, { timeout: 30_000 }).toBe(0)
  await machine.reconciler.idle()
  machine.reconciler.desired(desired(1))
  await machine.reconciler.idle()
  expect(world.runtimes.size).toBe(0)
  expect(machine.reconciler.inventory()).toEqual([])
})

test('[CTL-4.adopt] after a kill the next start adopts what runs and tells the same', async () => {
  const first = boot()
  first.reconciler.desired(desired(1))
  await reaches(first, 1, 'running')
  const before = first.reconciler.inventory()
  first.kill()
  const second = boot()
  await second.reconciler.idle()
  expect(second.reconciler.inventory()).toEqual(before)
  expect(world.created.get(`${idOf(1)}/1`)).toBe(1)
  expect(second.reconciler.find(idOf(1))?.handle.generation).toBe(1)
})

test('[CTL-4.ended-unseen] what ended while the controller was away is told as failed', async () => {
  const first = boot()
  first.reconciler.desired(desired(1))
  await reaches(first, 1, 'running')
  first.kill()
  world.end(idOf(1), 137, 'It was killed from outside (signal 9)')
  const second = boot()
  await reaches(second, 1, 'failed')
  expect(second.last(1)?.reason).toBe('It was killed from outside (signal 9)')
})

test('[CTL-4.reap] runtimes nobody desires are reaped, but not before the full set was heard', async () => {
  const first = boot()
  first.reconciler.desired(desired(1))
  first.reconciler.desired(desired(2))
  await reaches(first, 1, 'running')
  await reaches(first, 2, 'running')
  first.kill()
  rmSync(join(folder, 'journal.sqlite'))
  const second = boot()
  await second.reconciler.idle()
  expect(world.runtimes.size).toBe(2)
  second.reconciler.desiredAll([desired(2)])
  await expect.poll(() => [...world.runtimes.keys()], { timeout: 30_000 }).toEqual([`${idOf(2)}/1`])
  await reaches(second, 2, 'running')
  expect(world.created.get(`${idOf(2)}/1`)).toBe(1)
})

test('[CTL-3.lost] a platform that does not answer makes its instances lost, and found again', async () => {
  const machine = boot()
  machine.reconciler.desired(desired(1))
  await reaches(machine, 1, 'running')
  world.fail('observe', 'the engine is away', 4)
  machine.reconciler.desired(desired(1))
  await reaches(machine, 1, 'lost')
  await reaches(machine, 1, 'running')
})

test('[CTL-4.away] a platform that cannot be asked makes nothing lost or failed; what is made waits for it', async () => {
  const { platform, away } = leaving()
  const machine = boot([platform])
  const cluster = { platform: 'kubernetes' } as const
  machine.reconciler.desired(desired(1, 1, cluster))
  await reaches(machine, 1, 'running')
  away(true)
  // More often than what makes others lost or failed.
  for (let time = 0; time < 5; time += 1) {
    machine.reconciler.desired(desired(1, 1, cluster))
    machine.reconciler.desired(desired(2, 1, cluster))
    await systemClock.sleep(120)
  }
  expect(machine.reconciler.inventory().map((it) => it.state)).toEqual(['running', 'preparing'])
  expect(machine.last(2)?.progress?.text).toBe('the cluster does not answer')
  away(false)
  await reaches(machine, 2, 'running')
  expect(machine.observed.map((it) => it.state)).not.toContain('lost')
  expect(machine.observed.map((it) => it.state)).not.toContain('failed')
})

test('[CTL-4.away] what cannot be told for sure is said beside, and taken back; given up it is lost, with the reason', async () => {
  const { platform, say } = leaving()
  const machine = boot([platform])
  const poke = () => machine.reconciler.desired(desired(1, 1, { platform: 'kubernetes' }))
  poke()
  await reaches(machine, 1, 'running')
  const told = () => [machine.last(1)?.state, machine.last(1)?.reason]
  say({ doubt: 'its machine is silent' })
  poke()
  await expect.poll(told).toEqual(['running', 'its machine is silent'])
  say({ lost: 'it was given up' })
  poke()
  await expect.poll(told).toEqual(['lost', 'it was given up'])
  say({})
  await expect.poll(told).toEqual(['running', null])
})

test('[CTL-4.away] what was begun and could not be taken away when making it failed goes later', async () => {
  const { platform, fail } = leaving()
  const machine = boot([platform])
  fail('it was refused')
  machine.reconciler.desiredAll([desired(1, 1, { platform: 'kubernetes' })])
  await reaches(machine, 1, 'failed')
  expect(world.runtimes.size).toBe(1)
  machine.reconciler.desiredAll([desired(1, 1, { platform: 'kubernetes' })])
  await expect.poll(() => world.runtimes.size, { timeout: 30_000 }).toBe(0)
  expect(machine.last(1)?.reason).toMatch(/it was refused/)
})

test('[CTL-3.lost] what is stopped before it was made ends, also where another platform does not answer', async () => {
  const away: Platform = {
    ...createFakePlatform({ world: createFakeWorld({ clock: systemClock }), clock: systemClock }),
    name: 'docker',
    list: () => Promise.reject(new Error('the engine is away')),
  }
  const machine = boot([away])
  world.delay('ensure', 500)
  machine.reconciler.desired(desired(1))
  await expect.poll(() => machine.last(1)?.state, { interval: 5 }).toMatch(/preparing|creating/)
  machine.reconciler.desired(desired(1, 1, { state: 'stopped' }))
  await reaches(machine, 1, 'stopped')
  expect(world.runtimes.size).toBe(0)
})

test('[CTL-3.one-runtime] the same desired state 100 times, reordered, repeated, with kills in between: one runtime per generation', async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('desired' as const),
        n: fc.integer({ min: 1, max: 3 }),
        generation: fc.integer({ min: 1, max: 4 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('breathe' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('trouble' as const),
        operation: fc.constantFrom(
          'ensure' as const,
          'stop' as const,
          'remove' as const,
          'list' as const,
          'observe' as const,
        ),
      }),
    },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 100 }), async (steps) => {
      const own = folder
      folder = mkdtempSync(join(own, 'run-'))
      world = createFakeWorld({ clock: systemClock })
      for (const operation of ['ensure', 'stop', 'remove'] as const) world.delay(operation, 1)
      let machine = boot()
      let creationTroubles = 0
      const newest = new Map<number, number>()
      for (const it of steps) {
        if (it.kind === 'desired') {
          newest.set(it.n, Math.max(newest.get(it.n) ?? 0, it.generation))
          machine.reconciler.desired(desired(it.n, it.generation))
        } else if (it.kind === 'kill') {
          machine.kill()
          machine = boot()
        } else if (it.kind === 'trouble') {
          // Three failed creations are a reason to give up; two are not.
          if (it.operation === 'ensure') creationTroubles += 1
          if (it.operation !== 'ensure' || creationTroubles <= 2) world.fail(it.operation, 'trouble', 1)
        } else await new Promise((resolve) => setTimeout(resolve, 3))
      }
      // On every connect the whole state is exchanged; from then on it must converge.
      machine.reconciler.desiredAll([...newest].map(([n, generation]) => desired(n, generation)))
      const wanted = [...newest].map(([n, generation]) => `${idOf(n)}/${generation}`).sort()
      await expect
        .poll(() => [...world.runtimes.keys()].sort(), { timeout: 10_000, interval: 5 })
        .toEqual(wanted)
      await expect
        .poll(() => machine.reconciler.inventory().every((it) => it.state === 'running'), {
          timeout: 10_000,
          interval: 5,
        })
        .toBe(true)
      machine.kill()
      expect([...world.created.values()].every((times) => times === 1)).toBe(true)
      expect(world.mostAtOnce).toBeLessThanOrEqual(1)
      folder = own
    }),
    { numRuns: 20, endOnFailure: true },
  )
}, 60_000)

describe('[CTL-4.skew] a later release asks for what this one cannot read', () => {
  const later = (n: number, generation = 1, state = 'running') =>
    wish.parse({
      ...desired(n, generation),
      state,
      spec: { ...desired(n).spec, network: 'of a later release' },
    })

  test('it is told as failed, in words, and the others run', async () => {
    const machine = boot()
    machine.reconciler.desiredAll([later(1), desired(2)])
    await reaches(machine, 2, 'running')
    expect(machine.last(1)).toMatchObject({
      state: 'failed',
      generation: 1,
      reason: expect.stringContaining('too old'),
    })
    expect([...world.runtimes.keys()].length).toBe(1)
  })

  test('what runs of it runs on, until it is to stop', async () => {
    const machine = boot()
    machine.reconciler.desired(desired(1))
    await reaches(machine, 1, 'running')
    machine.reconciler.desiredAll([later(1)])
    await machine.reconciler.idle()
    expect(machine.last(1)?.state).toBe('running')
    machine.reconciler.desiredAll([later(1, 1, 'stopped')])
    await reaches(machine, 1, 'stopped')
  })

  test('a newer generation ends the older one and is told as failed', async () => {
    const machine = boot()
    machine.reconciler.desired(desired(1))
    await reaches(machine, 1, 'running')
    machine.reconciler.desiredAll([later(1, 2)])
    await machine.reconciler.idle()
    expect(machine.observed.findLast((it) => it.id === idOf(1) && it.generation === 1)?.state).toBe('stopped')
    expect(machine.observed.findLast((it) => it.id === idOf(1) && it.generation === 2)?.state).toBe('failed')
  })

  test('an older generation of it changes nothing, and one that never was here is over when it is to stop', async () => {
    const machine = boot()
    machine.reconciler.desired(desired(1, 3))
    await reaches(machine, 1, 'running')
    machine.reconciler.desired(later(1, 2, 'stopped'))
    machine.reconciler.desired(later(2, 1, 'stopped'))
    await machine.reconciler.idle()
    expect(machine.last(1)?.state).toBe('running')
    expect(machine.last(2)).toMatchObject({ state: 'stopped', reason: null })
  })
})
