/**
 * `kalnet bench lookup`: where is it? among ten thousand endpoints, over HTTP on loopback and over DNS; and when a change is seen.
 * KALNET_BENCH_NOTE says beside the kept figures what was special about the machine.
 */
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { writeWhole } from '@kalnet/io/files'
import { freePort } from '@kalnet/io/testing/free-port'
import { cpuOf, type Program, startProgram } from './stream/processes.ts'

export interface Figure {
  figure: string
  unit: 'ms'
  p50: number
  p99: number
  /** The quietest round: what it is when nobody else uses the machine. */
  quietP99: number
  /** Processor time of the control plane for one question; null: not a question. Others on the machine change it little. */
  cpuMs: number | null
  n: number
}
const SERVICES = 2_500
const ENDPOINTS = SERVICES * 4
const COUNT = 1_000
/** Between measurements the machine is left to others. */
const REST_MS = 200
const MOVES = 20
export const MOST_MS = 1
export const SEEN_MS = 50

export const quantile = (values: readonly number[], q: number): number => {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
}
const round = (value: number) => Number(value.toFixed(3))
const figureOf = (figure: string, rounds: number[][], cpuSeconds: number | null): Figure => ({
  figure,
  unit: 'ms',
  p50: round(quantile(rounds.flat(), 0.5)),
  p99: round(quantile(rounds.flat(), 0.99)),
  quietP99: round(Math.min(...rounds.map((one) => quantile(one, 0.99)))),
  cpuMs: cpuSeconds === null ? null : round((cpuSeconds * 1000) / rounds.flat().length),
  n: rounds.flat().length,
})

/** The must is of the issue: 1 ms at p99, and a change within 50. */
export function missedMusts(figures: readonly Figure[]): string[] {
  const wanted = ['HTTP by key', 'HTTP by cookie', 'DNS A', 'DNS SRV', 'a change is seen']
  return wanted.flatMap((name) => {
    const it = figures.find(({ figure }) => figure === name)
    const most = name === 'a change is seen' ? SEEN_MS : MOST_MS
    if (!it) return [`${name}: not measured`]
    return it.p99 > most ? [`${name}: p99 ${it.p99} ms is more than ${most}`] : []
  })
}

async function measure(n: number, signal: AbortSignal): Promise<Figure[]> {
  const [port, dnsPort, gatewayPort] = [await freePort(), await freePort(), await freePort()]
  const programs: Program[] = []
  const program = (file: string, ...args: string[]) => {
    const started = startProgram(join('../lookup', file), args)
    programs.push(started)
    return started
  }
  try {
    const plane = program('plane.ts', String(port), String(dnsPort), String(gatewayPort))
    const { cookie, token } = await plane.ask<{ cookie: string; token: string }>({ settle: SERVICES })
    const authorization = `Bearer ${token}`
    const load = program('load.ts')
    // Everything has arrived when the last one is found.
    await load.ask({ until: { name: `service-${SERVICES}`, word: '10.1.0.4', port, authorization } })
    const kinds: [string, object][] = [
      ['HTTP by key', { http: { port, authorization, connections: 1 } }],
      ['HTTP by cookie', { http: { port, cookie, connections: 1 } }],
      ['HTTP, four at once', { http: { port, authorization, connections: 4 } }],
      ['DNS A', { dns: { port: dnsPort, type: 'A' } }],
      ['DNS SRV', { dns: { port: dnsPort, type: 'SRV' } }],
    ]
    const found = new Map<string, number[][]>(kinds.map(([name]) => [name, []]))
    const cpu = new Map<string, number>()
    // The first time code is still being compiled.
    for (let turn = -1; turn < n; turn++)
      for (const [name, what] of kinds) {
        signal.throwIfAborted()
        await systemClock.sleep(REST_MS, signal)
        const before = await cpuOf([plane.pid])
        const times = await load.ask<number[]>({ ...what, services: SERVICES, count: COUNT })
        if (turn < 0) continue
        found.get(name)?.push(times)
        cpu.set(name, (cpu.get(name) ?? 0) + (await cpuOf([plane.pid])) - before)
      }
    const seen: number[] = []
    for (let turn = 0; turn < MOVES; turn++) {
      signal.throwIfAborted()
      const host = `10.2.0.${turn + 1}`
      await plane.ask({ move: { name: 'service-7', host } })
      seen.push(
        await load.ask<number>({ until: { name: 'service-7', word: `"${host}"`, port, authorization } }),
      )
    }
    return [
      ...[...found].map(([name, rounds]) => figureOf(name, rounds, cpu.get(name) ?? null)),
      figureOf('a change is seen', [seen], null),
    ]
  } finally {
    // Its database would outlive it.
    await programs[0]?.ask({ end: true }).catch(() => undefined)
    for (const started of programs.reverse()) await started.stop()
  }
}

export async function benchLookup({
  n = 10,
  json = false,
  signal,
  results = join(import.meta.dirname, '../results/lookup.json'),
}: {
  n?: number
  json?: boolean
  signal: AbortSignal
  results?: string | null
}): Promise<Figure[]> {
  const before = loadavg()[0] ?? 0
  const figures = await measure(n, signal)
  const note = process.env.KALNET_BENCH_NOTE ?? null
  const kept = { endpoints: ENDPOINTS, loadBefore: round(before), note, figures }
  if (results && n >= 10) await writeWhole(results, `${JSON.stringify(kept, null, 2)}\n`, 0o644)
  if (json) process.stdout.write(`${JSON.stringify(kept)}\n`)
  else
    for (const it of figures)
      process.stdout.write(
        `${it.figure}: p50 ${it.p50} ms, p99 ${it.p99} ms (quietest round ${it.quietP99}; ${it.cpuMs ?? '–'} ms of processor; n ${it.n})\n`,
      )
  return figures
}
