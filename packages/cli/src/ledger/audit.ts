/** Compares what is claimed with what is proved: requirements, the tests that name them, the last results. */
import { join } from 'node:path'
import { readIfThere } from '@kalnet/io/files'
import { parseRequirements, type Requirement } from './requirements.ts'
import { readResults, type TestResult } from './results.ts'
import { type Naming, namedByPages, namedByTests } from './titles.ts'

const isTestFile = (file: string) => /\.test\.tsx?$/.test(file)

export type LedgerState = 'proved' | 'part' | 'open'

export interface LedgerClause {
  clause: string
  text: string
  state: LedgerState
  tests: { file: string; title: string; result: TestResult['result'] | 'not run' }[]
}
export interface LedgerLine {
  id: string
  what: string
  state: LedgerState
  clauses: LedgerClause[]
  /** Of the oldest result it rests on; null when none of its tests ran. */
  commit: string | null
}
export interface Audit {
  lines: LedgerLine[]
  problems: string[]
}

export async function audit(root: string): Promise<Audit> {
  const text = (await readIfThere(join(root, 'docs/requirements.yaml'))) ?? ''
  const parsed = parseRequirements(text)
  const [tests, pages, results] = await Promise.all([
    namedByTests(root),
    namedByPages(root),
    readResults(root),
  ])
  const { lines, problems } = compare(parsed.requirements, tests, pages, results)
  return { lines, problems: [...parsed.problems, ...problems] }
}

export function compare(
  requirements: readonly Requirement[],
  tests: readonly Naming[],
  pages: readonly Naming[],
  results: readonly TestResult[],
): Audit {
  const known = new Map(requirements.flatMap(({ clauses }) => clauses.map((one) => [one.id, one] as const)))
  const problems: string[] = []
  for (const { clause, file, line } of tests)
    if (!known.has(clause))
      problems.push(`${file}:${line} names ${clause}, which docs/requirements.yaml does not have`)
  for (const { clause, file, line } of pages) {
    const found = known.get(clause)
    if (!found || found.open) problems.push(`${file}:${line} claims ${clause}, which is not there yet`)
  }
  const lines = requirements.map((requirement): LedgerLine => {
    const clauses = requirement.clauses.map((one): LedgerClause => {
      const naming = tests.filter(({ clause }) => clause === one.id)
      if (naming.length === 0 && !one.open) problems.push(`${one.id} is claimed, but no test names it`)
      const seen = testsOf(one.id, naming, results)
      return { clause: one.id, text: one.text, state: stateOf(seen), tests: seen }
    })
    const states = new Set(clauses.map(({ state }) => state))
    const state = states.size === 1 ? ([...states][0] ?? 'open') : 'part'
    const mine = results.filter((it) => it.clauses.some((clause) => clause.startsWith(`${requirement.id}.`)))
    return { id: requirement.id, what: requirement.what, state, clauses, commit: mine[0]?.commit ?? null }
  })
  return { lines, problems }
}

function testsOf(
  clause: string,
  naming: readonly Naming[],
  results: readonly TestResult[],
): LedgerClause['tests'] {
  const files = new Set(naming.map(({ file }) => file))
  // A result of a test that is gone, or no longer names the clause, proves nothing.
  // A suite that several test files run has no results of its own: theirs count.
  const shared = [...files].some((file) => !isTestFile(file))
  const ran = results.filter((it) => it.clauses.includes(clause) && (shared || files.has(it.file)))
  const ranFiles = new Set(ran.map(({ file }) => file))
  return [
    ...ran.map(({ file, title, result }) => ({ file, title, result })),
    ...[...files]
      .filter((file) => !ranFiles.has(file) && !(ran.length > 0 && !isTestFile(file)))
      .map((file) => ({ file, title: '', result: 'not run' as const })),
  ]
}

const stateOf = (tests: LedgerClause['tests']): LedgerState => {
  if (tests.length === 0) return 'open'
  return tests.every(({ result }) => result === 'passed') ? 'proved' : 'part'
}
