/** `kalnet bench stream`: figures of the stream path, beside websockify in the same run; `sign-in-flood`: what a flood leaves. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AddCommand } from '../context.ts'
import { failed, usage } from '../problem.ts'
import { ROOT } from '../tree.ts'

interface BenchFlags {
  n: string
  check?: boolean
}
interface Bench {
  measure(options: { n: number; json: boolean; signal: AbortSignal }): Promise<unknown>
  /** Which musts the figures miss, in words. */
  missed(figures: unknown): string[]
}

export const addBench: AddCommand = (program, context) => {
  program
    .command('bench')
    .description('measure, and print the figures')
    .argument('<what>', 'stream, sign-in-flood, audit, gateway, lookup or cluster')
    .option('--n <rounds>', 'rounds for each figure; 10 or more for one to keep', '10')
    .option('--check', 'compare with what must hold, and fail when something does not')
    .action(async (what: string, flags: BenchFlags) => {
      const { output, signal } = context()
      const n = Number(flags.n)
      if (!Number.isInteger(n) || n < 1) throw usage(`${flags.n} is not a number of rounds.`)
      const { measure, missed } = await load(what)
      const problems = missed(await measure({ n, json: output.json, signal }))
      if (flags.check && problems.length > 0)
        throw failed(
          `Missed: ${problems.join('; ')}.`,
          'Measure again on a quiet machine; then look for what changed.',
        )
    })
}

/** `stream` → benchStream of test/bench/stream.ts: measurements live with the tests, not in the product. */
async function load(what: string): Promise<Bench> {
  const file = join(ROOT, 'test/bench', `${what}.ts`)
  if (!/^[a-z][a-z-]*$/.test(what) || !existsSync(file))
    throw usage(
      `There is nothing called ${what} to measure.`,
      'Try `kalnet bench stream`, `sign-in-flood`, `audit`, `gateway`, `lookup` or `cluster`.',
    )
  const module: Record<string, unknown> = await import(pathToFileURL(file).href)
  const bench = Object.entries(module).find(([name]) => /^bench[A-Z]/.test(name))?.[1]
  if (typeof bench !== 'function')
    throw failed(`${file} exports no measurement.`, 'It needs a function benchSomething.')
  const missed = module.missedMusts
  return {
    measure: bench as Bench['measure'],
    missed: typeof missed === 'function' ? (missed as Bench['missed']) : () => [],
  }
}
