/** Probes of whole instances on the fake platform: told on change only, one that never answers holds nobody up, adopted ones are asked again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import type { ProbeInput } from '@kalnet/contracts/health'
import { type DesiredInstance, instanceSpec, type ObservedInstance } from '@kalnet/contracts/instance'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openJournal } from '../journal.ts'
import { createFakePlatform } from '../platforms/fake/fake.ts'
import { createFakeWorld, type FakeWorld } from '../platforms/fake/world.ts'
import type { Handle, Platform } from '../platforms/platform.ts'
import { createReconciler, type Reconciler } from '../reconcile.ts'
import { createProber, type Prober } from './prober.ts'

const log = createLog('test', 'silent')
const idOf = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`
const quick = { intervalMs: 500, failingIntervalMs: 500, failuresToUnhealthy: 2, timeoutMs: 100 }

/** How each instance answers; by default with status 200. */
type Manner = (handle: Handle, signal: AbortSignal) => Duplex | Promise<Duplex>
const answering = (text: string): Duplex => {
  const stream = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      requests.push(String(chunk))
      if (String(chunk).endsWith('\r\n\r\n')) stream.push(text)
      done()
    },
  })
  return stream
}
const ok = () => answering('HTTP/1.1 200 OK\r\n\r\n')
const silent = () => answering('')
const never: Manner = (_handle, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

let requests: string[] = []
let folder: string
let world: FakeWorld
let manners: Map<string, Manner>
let extra: Partial<Platform>
let machine: { reconciler: Reconciler; prober: Prober; told: ObservedInstance[]; kill(): void }

function boot() {
  const stopper = new AbortController()
  const { signal } = stopper
  const journal = openJournal(join(folder, 'journal.sqlite'))
  const told: ObservedInstance[] = []
  /** Waits a twentieth: the rhythm is a matter of the table. */
  const clock = { ...systemClock, sleep: (ms: number, by?: AbortSignal) => systemClock.sleep(ms / 20, by) }
  const platform: Platform = {
    ...createFakePlatform({ world, clock: systemClock }),
    dial: async (handle, _port, by) => (manners.get(handle.instanceId) ?? ok)(handle, by),
    ...extra,
  }
  const reconciler = createReconciler({
    platforms: [platform],
    ...{ journal, clock: systemClock, log, signal },
    report: (it) => void told.push(it),
    changed: (id) => prober.follow(id),
  })
  const prober = createProber({
    running: reconciler.running,
    report: reconciler.noteHealth,
    ...{ clock, log, signal },
  })
  void reconciler.run()
  const kill = () => {
    if (signal.aborted) return
    stopper.abort(new Error('killed'))
    journal.close()
  }
  machine = { reconciler, prober, told, kill }
}
const desired = (n: number, probe: ProbeInput, changes: Partial<DesiredInstance> = {}): DesiredInstance => ({
  id: idOf(n),
  generation: 1,
  organisationId: idOf(999),
  platform: 'fake',
  state: 'running',
  spec: instanceSpec.parse({
    image: { reference: 'none' },
    command: ['program'],
    ports: [{ name: 'web', kind: 'http', at: { tcp: 8080 } }],
    probe: { ...quick, startPeriodMs: 0, ...probe },
  }),
  ...changes,
})
const healthOf = (n: number) => machine.told.findLast((it) => it.id === idOf(n))?.health
const states = (n: number) =>
  machine.told.flatMap((it) => (it.id === idOf(n) && it.health ? it.health.state : []))
const becomes = (n: number, state: string) =>
  expect.poll(() => healthOf(n)?.state, { timeout: 30_000, interval: 5 }).toBe(state)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kalnet-health-'))
  world = createFakeWorld({ clock: systemClock })
  manners = new Map()
  extra = {}
  requests = []
  boot()
})
afterEach(() => {
  machine.kill()
  rmSync(folder, { recursive: true, force: true })
})

test('[OBS-2.changes] healthy, broken, unhealthy, healthy: each is told once, in words', async () => {
  machine.reconciler.desired(desired(1, { kind: 'http', port: 'web', path: '/up?x=1' }))
  await becomes(1, 'healthy')
  expect(requests[0]).toMatch(/^GET \/up\?x=1 HTTP\/1\.1\r\nhost: localhost:8080\r\n/)
  const asked = requests.length
  await expect.poll(() => requests.length, { timeout: 30_000 }).toBeGreaterThan(asked + 3)
  manners.set(idOf(1), () => answering('HTTP/1.1 503 Busy\r\n\r\n'))
  await becomes(1, 'unhealthy')
  expect(healthOf(1)?.detail).toBe('It answered with status 503')
  manners.delete(idOf(1))
  await becomes(1, 'healthy')
  expect(states(1).filter((state, at, all) => state !== all[at - 1])).toEqual([
    'healthy',
    'unhealthy',
    'healthy',
  ])
  expect(machine.told.filter((it) => it.health).length).toBe(3)
})

const failing: [
  name: string,
  probe: ProbeInput,
  manner: Manner | null,
  more: Partial<Platform>,
  detail: RegExp,
][] = [
  [
    'a status out of range',
    { kind: 'http', port: 'web', statusTo: 299 },
    () => answering('HTTP/1.1 302 Found\r\n'),
    {},
    /status 302/,
  ],
  [
    'no HTTP at all',
    { kind: 'http', port: 'web' },
    () => answering('220 mail ready\r\n'),
    {},
    /does not speak HTTP/,
  ],
  ['no answer in time', { kind: 'http', port: 'web' }, silent, {}, /^No answer within 0\.1 s$/],
  ['a connection that never comes', { kind: 'tcp', port: 'web' }, never, {}, /^No answer within 0\.1 s$/],
  [
    'nothing listens',
    { kind: 'tcp', port: 'web' },
    () => Promise.reject(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })),
    {},
    /^Nothing listens there$/,
  ],
  [
    'a command that fails',
    { kind: 'command', command: ['check'] },
    null,
    { exec: async () => ({ code: 2, lastLine: 'no\tdisk' }) },
    /^The check ended with 2: no disk$/,
  ],
  [
    'what the image says',
    { kind: 'container' },
    null,
    { healthOf: async () => ({ state: 'unhealthy', detail: 'curl failed' }) },
    /^curl failed$/,
  ],
]
test.each(failing)('[OBS-2.kinds] %s is unhealthy', async (_name, probe, manner, more, detail) => {
  machine.kill()
  extra = more
  boot()
  if (manner) manners.set(idOf(1), manner)
  machine.reconciler.desired(desired(1, probe))
  await becomes(1, 'unhealthy')
  expect(healthOf(1)?.detail).toMatch(detail)
})

const fine: [name: string, probe: ProbeInput, more: Partial<Platform>, detail: RegExp][] = [
  ['a port that takes connections', { kind: 'tcp', port: 'web' }, {}, /takes connections/],
  [
    'a command that ends well',
    { kind: 'command', command: ['check'] },
    { exec: async () => ({ code: 0, lastLine: '' }) },
    /^The check passed$/,
  ],
  [
    'what the image says',
    { kind: 'container' },
    { healthOf: async () => ({ state: 'healthy', detail: '' }) },
    /healthy/,
  ],
  [
    'a command where none can be run',
    { kind: 'command', command: ['check'] },
    { exec: async () => null },
    /^It runs; nothing more/,
  ],
  ['an image that says nothing', { kind: 'container' }, {}, /^It runs; nothing more/],
]
test.each(fine)('[OBS-2.kinds] %s is healthy', async (_name, probe, more, detail) => {
  machine.kill()
  extra = more
  boot()
  machine.reconciler.desired(desired(1, probe))
  await becomes(1, 'healthy')
  expect(healthOf(1)?.detail).toMatch(detail)
})

test('[OBS-2.apart] a hundred that never answer hold up neither the others nor a stop', async () => {
  for (let n = 100; n < 200; n += 1) {
    manners.set(idOf(n), never)
    machine.reconciler.desired(desired(n, { kind: 'tcp', port: 'web', timeoutMs: 60_000 }))
  }
  await expect.poll(() => machine.prober.count(), { timeout: 30_000 }).toBe(100)
  for (let n = 100; n < 200; n += 1) machine.reconciler.forget(idOf(n), 1)
  await expect.poll(() => machine.prober.count(), { timeout: 30_000 }).toBe(0)
  for (let n = 200; n < 300; n += 1) {
    manners.set(idOf(n), never)
    machine.reconciler.desired(desired(n, { kind: 'tcp', port: 'web' }))
  }
  await becomes(299, 'unhealthy')
  // All of them wait in the lane of the late; a new one is asked at once.
  machine.reconciler.desired(desired(1, { kind: 'tcp', port: 'web' }))
  await becomes(1, 'healthy')
})

test('[OBS-2.start-period] what fails in its start is starting, once it answers healthy', async () => {
  manners.set(idOf(1), silent)
  machine.reconciler.desired(desired(1, { kind: 'http', port: 'web', startPeriodMs: 60_000 }))
  await becomes(1, 'starting')
  manners.delete(idOf(1))
  await becomes(1, 'healthy')
})

test('[OBS-2.adopted] after a restart of the controller its health is known at once and asked again', async () => {
  machine.reconciler.desired(desired(1, { kind: 'http', port: 'web' }))
  await becomes(1, 'healthy')
  machine.kill()
  manners.set(idOf(1), silent)
  boot()
  expect(machine.reconciler.inventory()[0]?.health?.state).toBe('healthy')
  await becomes(1, 'unhealthy')
})

test('[OBS-2.ended] a new generation begins anew, and what has ended has no health', async () => {
  machine.reconciler.desired(desired(1, { kind: 'http', port: 'web' }))
  await becomes(1, 'healthy')
  manners.set(idOf(1), silent)
  machine.reconciler.desired(
    desired(1, { kind: 'http', port: 'web', startPeriodMs: 60_000 }, { generation: 2 }),
  )
  await becomes(1, 'starting')
  expect(machine.told.findLast((it) => it.health)?.generation).toBe(2)
  world.end(idOf(1), 3, 'It ended')
  await expect.poll(() => machine.told.at(-1)?.state).toBe('failed')
  expect(machine.told.at(-1)?.health).toBeUndefined()
  expect(machine.prober.count()).toBe(0)
})
