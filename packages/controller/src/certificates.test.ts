/** Certificates of instances on the fake platform: there before the start, renewed while it runs, and not waited for for ever. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DesiredInstance, instanceSpec } from '@kalnet/contracts/instance'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Certificates, createCertificates } from './certificates.ts'
import { openJournal } from './journal.ts'
import { createFakePlatform } from './platforms/fake/fake.ts'
import { createFakeWorld, type FakeWorld, runtimeKey } from './platforms/fake/world.ts'
import { createReconciler, type Reconciler } from './reconcile.ts'

const ID = '01890000-0000-7000-8000-000000000001'
const wait = { timeout: 30_000, interval: 5 }
const log = createLog('test', 'silent')

let folder: string
let world: FakeWorld
let reconciler: Reconciler
let certificates: Certificates
let kill: () => void
let placed: number

function boot(waitMs: number) {
  const stopper = new AbortController()
  const { signal } = stopper
  const journal = openJournal(join(folder, 'journal.sqlite'))
  const fake = createFakePlatform({ world, clock: systemClock })
  placed = 0
  reconciler = createReconciler({
    platforms: [
      {
        ...fake,
        async place(...what) {
          await fake.place?.(...what)
          placed += 1
        },
      },
    ],
    ...{ journal, clock: systemClock, log, signal },
    report: () => undefined,
    changed: (id) => certificates.follow(id),
    identityOf: (id, by) => certificates.wait(id, by),
  })
  certificates = createCertificates({ reconciler, log, signal, waitMs })
  void reconciler.run()
  kill = () => {
    if (signal.aborted) return
    stopper.abort(new Error('killed'))
    journal.close()
  }
}
const desired = (changes: Partial<DesiredInstance> = {}): DesiredInstance => ({
  id: ID,
  generation: 1,
  organisationId: ID,
  platform: 'fake',
  state: 'running',
  spec: instanceSpec.parse({ image: { reference: 'none' }, command: ['program'], identity: true }),
  ...changes,
})
const give = (name: string) =>
  certificates.given({
    type: 'identity.given',
    instanceId: ID,
    certificate: `${name} certificate`,
    key: `${name} key`,
    authority: 'authority',
  })
const files = (generation = 1) => world.runtimes.get(runtimeKey({ instanceId: ID, generation }))?.files
const set = (name: string) => ({
  'identity/cert.pem': `${name} certificate`,
  'identity/key.pem': `${name} key`,
  'identity/ca.pem': 'authority',
})

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kalnet-certificates-'))
  world = createFakeWorld({ clock: systemClock })
  boot(10_000)
})
afterEach(() => {
  kill()
  rmSync(folder, { recursive: true, force: true })
})

test('[NET-5.identity-files] it waits for its certificate, and has it when it starts', async () => {
  reconciler.desired(desired())
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(world.runtimes.size).toBe(0)
  give('first')
  await expect.poll(() => files(), wait).toEqual(set('first'))
})

test('[NET-5.identity-files] a renewed one is shown to it while it runs, once', async () => {
  give('first')
  reconciler.desired(desired())
  await expect.poll(() => reconciler.running(ID)?.state, wait).toBe('running')
  const before = placed
  give('second')
  await expect.poll(() => files(), wait).toEqual(set('second'))
  reconciler.desired(desired())
  await reconciler.idle()
  expect(placed - before).toBe(1)
})

test('[NET-5.identity-files] one that does not come holds it up for a while only, and is shown when it comes', async () => {
  kill()
  boot(30)
  reconciler.desired(desired())
  await expect.poll(() => reconciler.running(ID)?.state, wait).toBe('running')
  expect(files()).toEqual({})
  give('late')
  await expect.poll(() => files(), wait).toEqual(set('late'))
})

test('[NET-5.identity-files] a stop while it waits ends the wait', async () => {
  reconciler.desired(desired())
  await new Promise((resolve) => setTimeout(resolve, 20))
  reconciler.desired(desired({ state: 'stopped' }))
  await expect.poll(() => reconciler.inventory()[0]?.state, wait).toBe('stopped')
  expect(world.created.size).toBe(0)
})

test('[NET-5.identity-files] the next generation starts with the newest', async () => {
  give('first')
  reconciler.desired(desired())
  await expect.poll(() => files(), wait).toEqual(set('first'))
  give('second')
  reconciler.desired(desired({ generation: 2 }))
  await expect.poll(() => files(2), wait).toEqual(set('second'))
})
