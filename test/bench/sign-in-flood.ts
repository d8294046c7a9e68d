/** A flood of wrong passwords from all over, and what is left for those who are signed in; and whether time tells who exists. */
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { writeWhole } from '@kalnet/io/files'
import { freePort } from '@kalnet/io/testing/free-port'
import { type Program, startProgram } from './stream/processes.ts'

export interface Figure {
  figure: string
  unit: string
  quiet: number
  flood: number
  /** flood / quiet; for the two kinds of people: unknown / known. */
  ratio: number
  n: number
}
/** What must hold (quality.md and issue 4). */
export const MUSTS = [
  { figure: 'API p99', least: 0, atMost: 2 },
  { figure: 'wrong password, unknown person', least: 0.9, atMost: 1.1 },
]
export function missedMusts(figures: readonly Figure[]): string[] {
  return MUSTS.flatMap(({ figure, least, atMost }) => {
    const ratio = figures.find((it) => it.figure === figure)?.ratio
    if (ratio === undefined) return [`${figure}: not measured`]
    return ratio > atMost || ratio < least
      ? [`${figure}: × ${ratio} is not within ${least} and ${atMost}`]
      : []
  })
}

const WRONG_EACH_SECOND = 200
const WORK_EACH_SECOND = 60
const ROUND_MS = 5_000
const PEOPLE = 2_000
const SAMPLES = 500

export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
}
const round = (value: number, digits = 2) => Number(value.toFixed(digits))
const figureOf = (figure: string, quiet: number, flood: number, n: number): Figure => ({
  figure,
  unit: 'ms',
  quiet: round(quiet),
  flood: round(flood),
  ratio: round(flood / quiet, 3),
  n,
})
async function measure(n: number, signal: AbortSignal): Promise<{ figures: Figure[]; answers: string }> {
  const port = await freePort()
  const programs: Program[] = []
  const program = (file: string, ...args: string[]) => {
    const started = startProgram(join('../sign-in', file), args)
    programs.push(started)
    return started
  }
  try {
    const plane = program('plane.ts', String(port))
    const { cookie } = await plane.ask<{ cookie: string }>({ settle: PEOPLE })
    const [worker, crowd] = [program('load.ts'), program('load.ts')]
    const work = () => worker.ask<number[]>({ port, cookie, rate: WORK_EACH_SECOND, ms: ROUND_MS })
    // A first round that does not count: code is still being compiled.
    await work()
    const times = await crowd.ask<{ known: number[]; unknown: number[] }>({ port, turns: SAMPLES })
    const quiet: number[] = []
    const flooded: number[] = []
    const answers: Record<number, number> = {}
    for (let turn = 0; turn < n; turn += 1) {
      quiet.push(...(await work()))
      // The crowd is there before the one who works comes, and when he goes.
      const crowded = crowd.ask<Record<number, number>>({
        port,
        flood: true,
        rate: WRONG_EACH_SECOND,
        ms: ROUND_MS + 1_500,
      })
      await systemClock.sleep(1_000, signal)
      flooded.push(...(await work()))
      for (const [status, count] of Object.entries(await crowded))
        answers[Number(status)] = (answers[Number(status)] ?? 0) + count
      await systemClock.sleep(1_500, signal)
    }
    const figures = [
      figureOf('API median', quantile(quiet, 0.5), quantile(flooded, 0.5), quiet.length),
      figureOf('API p99', quantile(quiet, 0.99), quantile(flooded, 0.99), quiet.length),
      figureOf(
        'wrong password, unknown person',
        quantile(times.known, 0.5),
        quantile(times.unknown, 0.5),
        SAMPLES,
      ),
    ]
    return { figures, answers: JSON.stringify(answers) }
  } finally {
    // Its database would outlive it.
    await programs[0]?.ask({ end: true }).catch(() => undefined)
    for (const started of programs.reverse()) await started.stop()
  }
}

/** `n` rounds, each quiet and flooded. */
export async function benchSignInFlood({
  n = 10,
  json = false,
  signal,
  results = join(import.meta.dirname, '../results/sign-in-flood.json'),
}: {
  n?: number
  json?: boolean
  signal: AbortSignal
  /** null: the result is not kept. */
  results?: string | null
}): Promise<Figure[]> {
  const { figures, answers } = await measure(n, signal)
  if (results) await writeWhole(results, `${JSON.stringify(figures, null, 2)}\n`, 0o644)
  if (json) process.stdout.write(`${JSON.stringify(figures)}\n`)
  else {
    process.stdout.write(`${WRONG_EACH_SECOND} wrong passwords each second, answered: ${answers}\n`)
    for (const it of figures)
      process.stdout.write(
        `${it.figure}: ${it.quiet} ${it.unit}, then ${it.flood} ${it.unit} (× ${it.ratio}, n ${it.n})\n`,
      )
  }
  return figures
}
