/** Instances that wait on other machines hold nobody up; those that are made on this one come a few at a time. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DesiredInstance, instanceSpec } from '@kalnet/contracts/instance'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { expect, test, vi } from 'vitest'
import { openJournal } from './journal.ts'
import { createFakePlatform } from './platforms/fake/fake.ts'
import { createFakeWorld } from './platforms/fake/world.ts'
import type { Platform } from './platforms/platform.ts'
import { createReconciler } from './reconcile.ts'

const idOf = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`
const desired = (n: number): DesiredInstance => ({
  id: idOf(n),
  generation: 1,
  organisationId: idOf(999),
  platform: 'fake',
  state: 'running',
  spec: instanceSpec.parse({ image: { reference: 'none' }, command: ['program'] }),
})

test.each<[string, true | undefined, number]>([
  ['elsewhere: as many as are wanted', true, 40],
  ['on this machine: a few', undefined, 8],
])('[K8S-1.waiting] of forty that wait at once, %s', async (_, isElsewhere, most) => {
  const folder = mkdtempSync(join(tmpdir(), 'kalnet-elsewhere-'))
  const world = createFakeWorld({ clock: systemClock })
  const waiting = new Set<string>()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const fake = createFakePlatform({ world, clock: systemClock })
  const platform: Platform = {
    ...fake,
    isElsewhere,
    async ensure(request, signal, progress) {
      waiting.add(request.instanceId)
      await released
      return fake.ensure(request, signal, progress)
    },
  }
  const stop = new AbortController()
  const journal = openJournal(join(folder, 'journal.sqlite'))
  const running = new Set<string>()
  const reconciler = createReconciler({
    platforms: [platform],
    journal,
    clock: systemClock,
    log: createLog('test', 'silent'),
    report: (it) => void (it.state === 'running' && running.add(it.id)),
    signal: stop.signal,
  })
  for (let n = 1; n <= 40; n += 1) reconciler.desired(desired(n))
  await vi.waitUntil(() => waiting.size >= most, 30_000)
  expect(waiting.size).toBe(most)
  release()
  await vi.waitUntil(() => running.size === 40, 30_000)
  stop.abort()
  journal.close()
  rmSync(folder, { recursive: true, force: true })
})
