/** `kalnet bench gateway`: our gateway beside nginx, haproxy, Traefik, http-proxy-3 and undici in one run, and what its policies hold under load. */
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { writeWhole } from '@kalnet/io/files'
import { holds } from './gateway/holds.ts'
import type { Load, Measured } from './gateway/load.ts'
import { startOther } from './gateway/others.ts'
import { cpuOf, familyOf, memoryOf, type Program, startProgram } from './stream/processes.ts'

export interface Figure {
  figure: string
  value: number
  unit: string
}
export interface Compared {
  subject: string
  kind: 'plain' | 'guarded'
  requestsPerSecond: number
  /** At 300 requests a second. */
  p50Ms: number
  p99Ms: number
  /** Above asking the service itself, in the same round. */
  addedP50Ms: number
  addedP99Ms: number
  cpuMicros: number
}
export interface Results {
  n: number
  node: string
  /** Of the machine before and after: other people's work shows in every figure. */
  load: [number, number]
  compared: Compared[]
  figures: Figure[]
}
/** What must hold (issue 5). */
const MUSTS: { figure: string; atMost: number }[] = [
  { figure: 'failed requests, one of two replicas killed', atMost: 0 },
  { figure: 'canary of 10 %, points beside it in 5,000 requests', atMost: 2 },
  { figure: 'token bucket, beside what it should let through', atMost: 5 },
  { figure: 'healthy p99 beside slow and never-reading clients', atMost: 2 },
  { figure: 'memory grown by 1 GB each way', atMost: 64 },
]
export const missedMusts = ({ figures }: Results): string[] =>
  MUSTS.flatMap(({ figure, atMost }) => {
    const found = figures.find((it) => it.figure === figure)
    if (!found) return [`${figure}: not measured`]
    return found.value > atMost ? [`${figure}: ${found.value} ${found.unit} is more than ${atMost}`] : []
  })

const CONNECTIONS = 32
const THROUGHPUT_MS = 1_000
const LATENCY_MS = 1_500
const RATE = 300

export const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
const round = (value: number, digits = 2) => Number(value.toFixed(digits))

interface Subject {
  name: string
  port: number
  pid: number
  guards: boolean
  stop(): Promise<void>
}
export interface Room {
  ask(load: Omit<Load, 'connections' | 'path'> & Partial<Load>): Promise<Measured>
  start(file: string, ...args: string[]): Program
  signal: AbortSignal
}

async function compare(room: Room, subjects: Subject[], direct: number, n: number): Promise<Compared[]> {
  const cells = new Map<
    string,
    { rps: number[]; p50: number[]; p99: number[]; a50: number[]; a99: number[]; cpu: number[] }
  >()
  const kinds = ['plain', 'guarded'] as const
  const every = subjects.flatMap((subject) =>
    kinds.filter((kind) => kind === 'plain' || subject.guards).map((kind) => ({ subject, kind })),
  )
  // A first turn that does not count: code is still being compiled.
  for (const { subject, kind } of every)
    await room.ask({ port: subject.port, path: kind === 'plain' ? '/' : '/guarded', ms: 1_000 })
  for (let turn = 0; turn < n; turn += 1) {
    room.signal.throwIfAborted()
    const straight = await room.ask({ port: direct, connections: 8, rate: RATE, ms: LATENCY_MS })
    for (const { subject, kind } of every) {
      const path = kind === 'plain' ? '/' : '/guarded'
      const family = subject.name === 'the service itself' ? [] : await familyOf(subject.pid)
      const before = await cpuOf(family)
      const full = await room.ask({ port: subject.port, path, ms: THROUGHPUT_MS })
      const used = (await cpuOf(family)) - before
      const even = await room.ask({ port: subject.port, path, connections: 8, rate: RATE, ms: LATENCY_MS })
      if (full.failures + even.failures > 0)
        throw new Error(`${subject.name} (${kind}) failed ${full.failures + even.failures} requests`)
      const key = `${subject.name}|${kind}`
      const cell = cells.get(key) ?? { rps: [], p50: [], p99: [], a50: [], a99: [], cpu: [] }
      cells.set(key, cell)
      cell.rps.push(full.requests / full.seconds)
      cell.p50.push(even.p50)
      cell.p99.push(even.p99)
      cell.a50.push(even.p50 - straight.p50)
      cell.a99.push(even.p99 - straight.p99)
      cell.cpu.push((used / full.requests) * 1e6)
    }
  }
  return [...cells].map(([key, cell]) => {
    const [subject = '', kind] = key.split('|')
    return {
      subject,
      kind: kind === 'guarded' ? 'guarded' : 'plain',
      requestsPerSecond: Math.round(median(cell.rps)),
      p50Ms: round(median(cell.p50), 3),
      p99Ms: round(median(cell.p99), 3),
      addedP50Ms: round(median(cell.a50), 3),
      addedP99Ms: round(median(cell.a99), 3),
      cpuMicros: Math.round(median(cell.cpu)),
    }
  })
}

export async function benchGateway({
  n = 10,
  json = false,
  signal,
  results = join(import.meta.dirname, '../results/gateway.json'),
}: {
  n?: number
  json?: boolean
  signal: AbortSignal
  /** null: the result is not kept. */
  results?: string | null
}): Promise<Results> {
  const folder = await mkdtemp(join(tmpdir(), 'kn-bench-gateway-'))
  const stops: (() => Promise<void>)[] = []
  const start = (file: string, ...args: string[]) => {
    const program = startProgram(join('../gateway', file), args)
    stops.push(() => program.stop())
    return program
  }
  const loadBefore = loadavg()[0] ?? 0
  try {
    const loader = start('load.ts')
    const room: Room = {
      ask: (load) => loader.ask<Measured>({ connections: CONNECTIONS, path: '/', ...load }),
      start,
      signal,
    }
    const service = start('upstream.ts')
    const direct = await service.ask<number>({})
    const subjects: Subject[] = [
      {
        name: 'the service itself',
        port: direct,
        pid: service.pid,
        guards: false,
        stop: async () => undefined,
      },
    ]
    const ours = start('ours.ts')
    const { port } = await ours.ask<{ port: number }>({ upstreams: [direct] })
    subjects.push({ name: 'kalnet', port, pid: ours.pid, guards: true, stop: ours.stop })
    for (const library of ['http-proxy-3', 'undici']) {
      const program = start('libraries.ts', library, String(direct))
      subjects.push({
        name: library,
        port: await program.ask<number>({}),
        pid: program.pid,
        guards: false,
        stop: program.stop,
      })
    }
    for (const name of ['nginx', 'haproxy', 'traefik']) {
      const other = await startOther(name, direct, folder)
      if (!other) {
        process.stderr.write(`${name} is not on this machine; it is left out.\n`)
        continue
      }
      stops.push(other.stop)
      subjects.push({ name, ...other })
    }
    await systemClock.sleep(1_500, signal)
    const compared = await compare(room, subjects, direct, n)
    for (const other of subjects.slice(2)) await other.stop()
    const figures = await holds(room, {
      port,
      memory: () => memoryOf([ours.pid]),
      direct,
    })
    const all: Results = {
      n,
      node: process.version,
      load: [round(loadBefore), round(loadavg()[0] ?? 0)],
      compared,
      figures,
    }
    if (results && n >= 5) await writeWhole(results, `${JSON.stringify(all, null, 2)}\n`, 0o644)
    if (json) process.stdout.write(`${JSON.stringify(all)}\n`)
    else {
      for (const it of compared)
        process.stdout.write(
          `${`${it.subject}, ${it.kind}`.padEnd(28)} ${String(it.requestsPerSecond).padStart(6)}/s  p50 ${it.p50Ms} ms (+${it.addedP50Ms})  p99 ${it.p99Ms} ms (+${it.addedP99Ms})  CPU ${it.cpuMicros} µs\n`,
        )
      for (const it of figures) process.stdout.write(`${it.figure}: ${it.value} ${it.unit}\n`)
    }
    return all
  } finally {
    for (const stop of stops.reverse()) await stop()
    await rm(folder, { recursive: true, force: true })
  }
}
