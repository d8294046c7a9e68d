/** What the suite of all platforms works with: the platform under test, instances that are taken away at the end, scripts run inside. */
import { readdir, readFile } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
import { type InstanceSpec, type InstanceSpecInput, instanceSpec } from '@kalnet/contracts/instance'
import { systemClock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import type { Handle, Observation, Platform } from '../platform.ts'

export interface Subject {
  platform: Platform
  /** As after a crash of ours: a new object over the same things. */
  again(): Promise<Platform>
  close(): Promise<void>
  /** Abilities this machine lacks are not tested; the test says so by its name. */
  limits: boolean
  network: boolean
  /** Something that counts as the internet, for machines that cannot reach the real one. */
  outside: { address: string; port: number } | null
  /** Networks that lead nowhere: `address` where this machine also reaches them by one. */
  local: 'none' | 'sockets' | 'address'
  /** Programs can be run inside. */
  exec: boolean
  /** The number of processes has no limit of its own here. */
  noProcessLimit?: boolean
  /** Where it is not always told who sent signal 9: what is said then. */
  unsureOfKill?: string
  /** Both outputs are kept as one, in the order in which they were read. */
  oneOutput?: boolean
  /** Each instance has a network device, whatever its spec says: its walls are the network's. */
  alwaysConnected?: boolean
}

export interface ConformanceOptions {
  open(): Promise<Subject>
  image: InstanceSpecInput['image']
  /** Only where programs really run inside. */
  isReal: boolean
  /** Several at once, where most of the time is waiting. */
  concurrent?: boolean
  /** The fake one's programs end when told to. */
  end?(handle: Handle, code: number): void
}

export const ORGANISATION = '01890000-0000-7000-8000-00000000a000'
export const LONG_MS = 15_000
export const wait = { timeout: LONG_MS, interval: 50 }
export const never = new AbortController().signal

const MATCHERS = ['toBe', 'toEqual', 'toContain', 'toMatch', 'toMatchObject', 'toBeGreaterThan'] as const
type Matchers = Record<(typeof MATCHERS)[number], (expected: unknown) => void>
type Polled = Record<(typeof MATCHERS)[number], (expected: unknown) => Promise<void>>

/** As `expect.poll`, which does not know its test where several run at once. */
export function poll(read: () => unknown, { timeout, interval }: typeof wait): Polled {
  const until = async (matcher: (typeof MATCHERS)[number], expected: unknown) => {
    const deadline = Date.now() + timeout
    for (;;) {
      try {
        // Each takes something else; which one it is the caller wrote down.
        return (expect(await read()) as unknown as Matchers)[matcher](expected)
      } catch (error) {
        if (Date.now() > deadline) throw error
        await systemClock.sleep(interval)
      }
    }
  }
  const entries = MATCHERS.map((it) => [it, (expected: unknown) => until(it, expected)])
  return Object.fromEntries(entries) as Polled
}
export const DISPLAY = {
  name: 'display',
  kind: 'display',
  at: { unix: '/run/kalnet/display.sock' },
} as const

type Ended = Extract<Observation, { state: 'ended' }>

export interface Fixture {
  readonly subject: Subject
  readonly platform: Platform
  endByItself: ConformanceOptions['end']
  isReal: boolean
  /** What only a program that really runs can show: of the fake one it is not asked at all. */
  onReal(title: string, work: (context: TestContext) => Promise<void>, limitMs?: number): void
  spec(command: string[], changes?: Partial<InstanceSpecInput>): InstanceSpec
  asleep: InstanceSpec
  ensure(it?: InstanceSpec, instanceId?: string, generation?: number): Promise<Handle>
  end(handle: Handle): Promise<Ended>
  /** Runs a script to its end inside and answers what it printed. */
  inside(
    script: string,
    changes?: Partial<InstanceSpecInput>,
  ): Promise<{ lines: string[]; observation: Ended }>
}

export function createFixture(options: ConformanceOptions): Fixture {
  const { isReal, image } = options
  let subject: Subject
  const made: Handle[] = []
  beforeAll(async () => {
    subject = await options.open()
  }, 600_000)
  afterAll(async () => {
    for (const handle of made) await subject.platform.remove(handle)
    await subject?.close()
  })

  const spec: Fixture['spec'] = (command, changes = {}) =>
    instanceSpec.parse({ image, command, ports: [DISPLAY], ...changes })
  const fixture: Fixture = {
    get subject() {
      return subject
    },
    get platform() {
      return subject.platform
    },
    endByItself: options.end,
    isReal,
    onReal: (title, work, limitMs) => {
      if (isReal) test(title, work, limitMs)
    },
    spec,
    asleep: spec(['sleep', '1000']),
    async ensure(it = fixture.asleep, instanceId = newId(), generation = 1) {
      const request = { instanceId, generation, organisationId: ORGANISATION, spec: it }
      const handle = await subject.platform.ensure(request, never, () => undefined)
      made.push(handle)
      return handle
    },
    async end(handle) {
      await poll(async () => (await subject.platform.observe(handle)).state, wait).toBe('ended')
      const observation = await subject.platform.observe(handle)
      if (observation.state !== 'ended') throw new Error('it ended and came back')
      return observation
    },
    async inside(script, changes = {}) {
      const handle = await fixture.ensure(spec(['bash', '-c', script], changes))
      const observation = await fixture.end(handle)
      const lines = await subject.platform.logs(handle, 200)
      await subject.platform.remove(handle)
      return { lines, observation }
    },
  }
  return fixture
}

/** Command lines of all processes of this machine. */
export async function commandLines(): Promise<string[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  // Those that end meanwhile have no command line.
  return Promise.all(names.map((name) => readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')))
}

/** What comes first on it; then it is closed. */
export async function firstOf(stream: Duplex): Promise<string> {
  try {
    return await new Promise<string>((resolve, reject) => {
      stream.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1')))
      stream.once('error', reject)
      stream.once('close', () => reject(new Error('closed')))
    })
  } finally {
    stream.on('error', () => undefined)
    stream.destroy()
  }
}

export const firstBytes = async (platform: Platform, handle: Handle, port: string): Promise<string> =>
  firstOf(await platform.dial(handle, port, AbortSignal.timeout(LONG_MS)))
