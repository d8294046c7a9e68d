/** `kalnet test`: format and lint, types, then every test; what was skipped and why; one closing line. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, start } from '@kalnet/io/spawn'
import { resultsOf, type VitestReport, writeResults } from '../ledger/results.ts'
import type { Output } from '../output.ts'
import { filesToRepeat, mergeRepeated } from './again.ts'
import { LANES } from './lanes.ts'
import { count, type Failed, longestOf, type Named, type Tally } from './report.ts'

export interface SuiteOptions {
  root: string
  /** Only these files or folders; then formatting and types are left out. */
  paths: readonly string[]
  slow: boolean
  env: NodeJS.ProcessEnv
  output: Output
  signal: AbortSignal
}
export interface SuiteResult extends Tally {
  checks: { name: string; passed: boolean }[]
  skips: Named[]
  /** Each with the first lines of why. */
  failures: Failed[]
  /** What passed only when nothing ran beside it, with why it failed before. */
  shaky: Failed[]
  longest: ReturnType<typeof longestOf>
}

export async function runSuite(options: SuiteOptions): Promise<SuiteResult> {
  const { paths } = options
  const [checks, { report, shaky }] = await Promise.all([
    paths.length === 0 ? runChecks(options) : [],
    runTests(options),
  ])
  const { tally, skips, failures } = count(report)
  const failed = checks.filter((it) => !it.passed).length
  return {
    ...tally,
    failed: tally.failed + failed,
    passed: tally.passed + checks.length - failed,
    checks,
    skips,
    failures: [
      ...checks
        .filter((it) => !it.passed)
        .map((it) => ({ file: 'all files', title: it.name, why: ['see above'] })),
      ...failures,
    ],
    shaky: count(shaky).failures,
    longest: longestOf(report),
  }
}

/** Beside the tests, which wait more than they work. */
async function runChecks(options: SuiteOptions): Promise<SuiteResult['checks']> {
  const checks: SuiteResult['checks'] = []
  for (const [name, args] of checkCommands(options.root))
    checks.push({ name, passed: await runCheck(name, args, options) })
  return checks
}

function checkCommands(root: string): [string, string[]][] {
  const bin = (name: string) => join(root, 'node_modules/.bin', name)
  const dashboard = join(root, 'packages/dashboard/tsconfig.json')
  return [
    // The program itself: the lock file names it for Linux only, because its wrapper asks for platforms some mirrors lack.
    [
      'format and lint',
      [
        join(root, `node_modules/@biomejs/cli-${process.platform}-${process.arch}/biome`),
        'ci',
        '--colors=off',
        '--diagnostic-level=error',
        '.',
      ],
    ],
    ['types', [bin('tsc'), '-p', root]],
    ...(existsSync(dashboard)
      ? [['types of the dashboard', [bin('tsc'), '-p', dashboard]] as [string, string[]]]
      : []),
  ]
}

async function runCheck(
  name: string,
  [command = '', ...args]: string[],
  options: SuiteOptions,
): Promise<boolean> {
  const { root, env, output, signal } = options
  const result = await output.step(`Checking ${name}`, () =>
    run(command, args, { cwd: root, env, signal, timeoutMs: 600_000, maxOutputBytes: 64 * 1024 }),
  )
  if (result.code === 0) return true
  output.note(`✗ ${name}\n${(result.stdout + result.stderr).trim()}`)
  return false
}

/** The whole tree goes in lanes side by side, some files in one. Results are kept as one run's. */
async function runTests(options: SuiteOptions): Promise<ReturnType<typeof mergeRepeated>> {
  const { root, paths, output } = options
  const lanes = paths.length > 0 ? [[]] : LANES
  const reports = await Promise.all(lanes.map((projects) => runLane(options, projects)))
  const first = reports.reduce(merge)
  const again = paths.length > 0 ? [] : filesToRepeat(first)
  if (again.length > 0) output.note(`Once more, with nothing beside: ${again.join(' ')}`)
  const second = again.length > 0 ? await runLane({ ...options, paths: again }, []) : { testResults: [] }
  const result = mergeRepeated(first, second)
  await writeResults(root, resultsOf(result.report, root, await commitOf(root)))
  return result
}

/** vitest as a child: its own output goes on, its JSON report is read afterwards. */
async function runLane(
  { root, paths, slow, env, output, signal }: SuiteOptions,
  projects: readonly string[],
): Promise<VitestReport> {
  const folder = await mkdtemp(join(tmpdir(), 'kalnet-suite-'))
  const file = join(folder, 'report.json')
  try {
    const args = [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--passWithNoTests',
      ...projects,
      ...paths,
    ]
    args.push('--reporter=default', '--reporter=json', `--outputFile.json=${file}`)
    const child = start(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      cwd: root,
      env: { ...env, ...(slow ? { KALNET_SLOW: 'yes' } : {}) },
      // Its output is progress, not the result: with --json only the result stands on standard output.
      stdio: ['ignore', output.json ? 2 : 'inherit', 'inherit'],
      signal,
    })
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', resolve)
    })
    const text = await readFile(file, 'utf8').catch(() => null)
    if (text === null) return brokenRun(`vitest ended with ${code} before it could report`)
    const report = JSON.parse(text) as VitestReport
    const { tally } = count(report)
    return code === 0 || tally.failed > 0 ? report : merge(report, brokenRun(`vitest ended with ${code}`))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const brokenRun = (title: string): VitestReport => ({
  testResults: [
    { name: 'vitest', assertionResults: [{ ancestorTitles: [], title, fullName: title, status: 'failed' }] },
  ],
})
const merge = (one: VitestReport, other: VitestReport): VitestReport => ({
  testResults: [...one.testResults, ...other.testResults],
})

async function commitOf(root: string): Promise<string> {
  const result = await run('git', ['-C', root, 'rev-parse', 'HEAD'], { timeoutMs: 5_000 }).catch(() => null)
  return result?.code === 0 ? result.stdout.trim() : 'unknown'
}
