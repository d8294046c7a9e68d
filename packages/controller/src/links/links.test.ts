/** Links on the fake platform: joined to the first that answers, half-close and end, counted, limited, and known after a restart. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, duplexPair } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { FromController, LinkTarget } from '@kalnet/contracts/controller'
import { type DesiredInstance, instanceSpec } from '@kalnet/contracts/instance'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openJournal } from '../journal.ts'
import { createFakePlatform } from '../platforms/fake/fake.ts'
import { createFakeWorld, type FakeWorld } from '../platforms/fake/world.ts'
import { createReconciler, type Reconciler } from '../reconcile.ts'
import { createCallCounts } from './calls.ts'
import { createLinks, type Links } from './links.ts'

const log = createLog('test', 'silent')
const idOf = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`
const [HERE, ELSEWHERE, APP, BASE, SPARE, FAR] = [90, 91, 1, 2, 3, 4].map(idOf) as [
  string,
  string,
  string,
  string,
  string,
  string,
]
const wait = { timeout: 30_000, interval: 5 }

let folder: string
let world: FakeWorld
let sent: FromController[]
let farCalls: object[]
let machine: { reconciler: Reconciler; links: Links; tick(): void; kill(): void }

function boot() {
  const stopper = new AbortController()
  const { signal } = stopper
  const journal = openJournal(join(folder, 'journal.sqlite'))
  const reconciler = createReconciler({
    platforms: [createFakePlatform({ world, clock: systemClock })],
    ...{ journal, clock: systemClock, log, signal },
    report: () => undefined,
    changed: (id) => links.follow(id),
  })
  let tick: () => void = () => undefined
  const calls = createCallCounts({
    send: (it) => sent.push(it) > 0,
    clock: {
      ...systemClock,
      sleep: (_ms, by) =>
        new Promise((resolve, reject) => {
          tick = resolve
          by?.addEventListener('abort', () => reject(by.reason), { once: true })
        }),
    },
    signal,
  })
  const far = {
    async dial(call: object, by: AbortSignal): Promise<Duplex> {
      by.throwIfAborted()
      farCalls.push(call)
      const [near, other] = duplexPair()
      other.end('from far away')
      other.resume()
      return near
    },
  }
  const links = createLinks({
    controllerId: HERE,
    ...{ reconciler, journal, far, calls, clock: systemClock, log, signal },
  })
  void reconciler.run()
  void calls.run()
  const kill = () => {
    if (signal.aborted) return
    stopper.abort(new Error('killed'))
    journal.close()
  }
  machine = { reconciler, links, tick: () => tick(), kill }
}
const desired = (id: string, changes: Partial<DesiredInstance> = {}): DesiredInstance => ({
  id,
  generation: 1,
  organisationId: idOf(99),
  platform: 'fake',
  state: 'running',
  spec: instanceSpec.parse({
    image: { reference: 'none' },
    command: ['program'],
    ports: [{ name: 'sql', kind: 'tcp', at: { tcp: 5432 } }],
    links: id === APP ? [{ name: 'base', port: 5432 }] : [],
  }),
  ...changes,
})
const target = (instanceId: string, controllerId = HERE): LinkTarget => ({
  instanceId,
  port: 'sql',
  controllerId,
  address: null,
})
const tell = (...targets: LinkTarget[]) =>
  machine.links.told({ type: 'links', instanceId: APP, links: [{ name: 'base', targets }] })
const call = async () => {
  await expect.poll(() => world.programs.listeners.size, wait).toBe(1)
  return world.programs.told.call(APP, 'base')
}
/** Says a word, shuts its side, and reads all that comes. */
async function exchange(word = 'hello'): Promise<string> {
  const stream = await call()
  stream.on('error', () => undefined)
  stream.end(word)
  return text(stream)
}
/** Answers with its name, and what it was told, when that has ended. */
const speaks = (id: string, name: string) =>
  world.programs.told.onConnection(id, 'sql', (stream) => {
    text(stream).then(
      (said) => stream.end(`${name} heard ${said}`),
      () => undefined,
    )
  })
const calls = () => {
  machine.tick()
  return sent.flatMap((it) => (it.type === 'links.called' ? it.calls : []))
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kalnet-links-'))
  world = createFakeWorld({ clock: systemClock })
  sent = []
  farCalls = []
  boot()
  for (const id of [APP, BASE, SPARE]) machine.reconciler.desired(desired(id))
  speaks(BASE, 'base')
  speaks(SPARE, 'spare')
  await expect.poll(() => machine.reconciler.running(SPARE)?.state, wait).toBe('running')
})
afterEach(() => {
  machine.kill()
  rmSync(folder, { recursive: true, force: true })
})

test('[NET-5.links-join] a link leads to the first that answers, and a side that is shut ends that side only', async () => {
  tell(target(BASE), target(SPARE))
  expect(await exchange('word')).toBe('base heard word')
  await expect.poll(() => machine.links.open(), wait).toBe(0)
})

test.each([
  ['nowhere at the moment', [], null],
  ['only to one that does not run', [target(idOf(7))], idOf(7)],
])(
  '[NET-5.links-join] where it leads %s, the connection is refused and counted',
  async (_name, targets, id) => {
    tell(...targets)
    await call()
    await expect.poll(() => machine.links.open(), wait).toBe(0)
    await expect
      .poll(calls, wait)
      .toContainEqual(expect.objectContaining({ link: 'base', targetId: id, failures: 1 }))
  },
)

test('[NET-5.links-join] one that does not answer is passed over, and asked last for a while', async () => {
  tell(target(idOf(7)), target(SPARE))
  expect(await exchange()).toBe('spare heard hello')
  expect(await exchange()).toBe('spare heard hello')
  await expect.poll(calls, wait).toEqual([
    { instanceId: APP, link: 'base', targetId: idOf(7), calls: 1, failures: 1 },
    { instanceId: APP, link: 'base', targetId: SPARE, calls: 2, failures: 0 },
  ])
})

test('[NET-5.links-join] where it leads changes while it runs, without a restart', async () => {
  tell(target(BASE))
  expect(await exchange()).toMatch(/^base/)
  tell(target(SPARE))
  expect(await exchange()).toMatch(/^spare/)
})

test('[NET-5.links-far] a target of another controller is reached by the control plane', async () => {
  tell(target(FAR, ELSEWHERE))
  expect(await exchange()).toBe('from far away')
  expect(farCalls).toEqual([{ instanceId: APP, link: 'base', targetId: FAR }])
})

test('[NET-5.links-pressure] whoever does not read stops the other, and all arrives when it does', async () => {
  const bytes = 8 * 2 ** 20
  let written = 0
  world.programs.told.onConnection(BASE, 'sql', (stream) => {
    const piece = Buffer.alloc(64 * 1024)
    const more = () => {
      while (written < bytes) {
        written += piece.length
        if (!stream.write(piece)) return stream.once('drain', more)
      }
      stream.end()
    }
    more()
  })
  tell(target(BASE))
  const stream = await call()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(written).toBeLessThan(bytes / 4)
  let got = 0
  stream.on('data', (chunk: Buffer) => {
    got += chunk.length
  })
  stream.end()
  await once(stream, 'end')
  expect(got).toBe(bytes)
})

test('[NET-5.links-end] its connections end with the instance', async () => {
  tell(target(BASE))
  const stream = await call()
  stream.on('error', () => undefined)
  stream.resume()
  await expect.poll(() => machine.links.open(), wait).toBe(1)
  machine.reconciler.desired(desired(APP, { state: 'stopped' }))
  await expect.poll(() => machine.links.open(), wait).toBe(0)
  expect(() => world.programs.told.call(APP, 'base')).toThrow('connection refused')
})

test('[NET-5.links-restart] after a restart of the controller it listens again and knows where links lead', async () => {
  tell(target(SPARE))
  expect(await exchange()).toMatch(/^spare/)
  machine.kill()
  boot()
  speaks(SPARE, 'spare')
  expect(await exchange()).toMatch(/^spare/)
})

test('[NET-5.links-remade] where listening inside breaks, it listens again by itself; what is joined goes on', async () => {
  world.programs.told.onConnection(BASE, 'sql', (stream) => void stream.pipe(stream))
  tell(target(BASE))
  const stream = await call()
  const echoed = async (word: string) => {
    stream.write(word)
    return String((await once(stream, 'data'))[0])
  }
  expect(await echoed('before')).toBe('before')
  for (let time = 0; time < 2; time += 1) {
    const [broken] = world.programs.listeners
    broken?.fail(new Error('the socket failed'))
    await expect
      .poll(() => world.programs.listeners.size === 1 && !world.programs.listeners.has(broken!), wait)
      .toBe(true)
  }
  expect(await echoed('after')).toBe('after')
  const second = await call()
  second.write('anew')
  expect(String((await once(second, 'data'))[0])).toBe('anew')
  for (const it of [stream, second]) it.destroy()
})

test('[NET-5.links-limit] more than a thousand at once are refused, the others go on', async () => {
  world.programs.told.onConnection(BASE, 'sql', () => undefined)
  tell(target(BASE))
  const first = await call()
  const others = Array.from({ length: 1000 }, () => world.programs.told.call(APP, 'base'))
  for (const it of others) it.on('error', () => undefined)
  await expect.poll(calls, wait).toContainEqual({
    ...{ instanceId: APP, link: 'base', targetId: null, calls: 1, failures: 1 },
  })
  expect(first.destroyed).toBe(false)
  expect(machine.links.open()).toBe(1000)
})
