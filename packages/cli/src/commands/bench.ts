/** `kalnet bench stream`: figures of the stream path, beside websockify in the same run. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AddCommand } from '../context.ts'
import { failed, usage } from '../problem.ts'
import { ROOT } from '../tree.ts'

interface BenchFlags {
  n: string
}
type Bench = (options: { n: number; json: boolean; signal: AbortSignal }) => Promise<unknown>

export const addBench: AddCommand = (program, context) => {
  program
    .command('bench')
    .description('measure, and print the figures')
    .argument('<what>', 'stream')
    .option('--n <rounds>', 'rounds for each figure; 10 or more for one to keep', '10')
    .action(async (what: string, flags: BenchFlags) => {
      const { output, signal } = context()
      const n = Number(flags.n)
      if (!Number.isInteger(n) || n < 1) throw usage(`${flags.n} is not a number of rounds.`)
      await (await load(what))({ n, json: output.json, signal })
    })
}

/** `stream` → benchStream of test/bench/stream.ts: measurements live with the tests, not in the product. */
async function load(what: string): Promise<Bench> {
  const file = join(ROOT, 'test/bench', `${what}.ts`)
  if (!/^[a-z][a-z-]*$/.test(what) || !existsSync(file))
    throw usage(`There is nothing called ${what} to measure.`, 'Try `kalnet bench stream`.')
  const module: Record<string, unknown> = await import(pathToFileURL(file).href)
  const bench = Object.entries(module).find(([name]) => /^bench[A-Z]/.test(name))?.[1]
  if (typeof bench !== 'function')
    throw failed(`${file} exports no measurement.`, 'It needs a function benchSomething.')
  return bench as Bench
}
