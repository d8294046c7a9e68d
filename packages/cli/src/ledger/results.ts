/** test/results/ledger.json: for every test that names clauses, its last result and the commit it ran at. */
import { join } from 'node:path'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import { clausesIn } from './titles.ts'

export interface TestResult {
  file: string
  title: string
  clauses: string[]
  result: 'passed' | 'failed' | 'skipped'
  commit: string
}

/** vitest's JSON report, as far as it is read. */
export interface VitestReport {
  testResults: {
    name: string
    status?: string
    message?: string
    /** Milliseconds since 1970. */
    startTime?: number
    endTime?: number
    assertionResults: {
      ancestorTitles: string[]
      title: string
      fullName: string
      status: string
      failureMessages?: string[] | null
    }[]
  }[]
}

export const resultsFile = (root: string) => join(root, 'test/results/ledger.json')

export async function readResults(root: string): Promise<TestResult[]> {
  const text = await readIfThere(resultsFile(root))
  return text ? (JSON.parse(text) as { tests: TestResult[] }).tests : []
}

export const titleOf = (it: { ancestorTitles: string[]; title: string }) =>
  [...it.ancestorTitles, it.title].filter(Boolean).join(' › ')

/** The report's tests that name clauses. A test run in several projects counts once, by its worst result. */
export function resultsOf(report: VitestReport, root: string, commit: string): TestResult[] {
  return report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.flatMap((it): TestResult[] => {
      const title = titleOf(it)
      const clauses = [...new Set(clausesIn(title))]
      if (clauses.length === 0) return []
      const result = it.status === 'passed' ? 'passed' : it.status === 'failed' ? 'failed' : 'skipped'
      const file = name.startsWith(`${root}/`) ? name.slice(root.length + 1) : name
      return [{ file, title, clauses, result, commit }]
    }),
  )
}

/** New results replace old ones file by file; a skipped run does not undo what was seen before on a machine that had the part. */
export function mergeResults(old: readonly TestResult[], fresh: readonly TestResult[]): TestResult[] {
  const files = new Set(fresh.map(({ file }) => file))
  const before = new Map(old.map((it) => [`${it.file}\0${it.title}`, it]))
  const kept = fresh.map((it) => {
    const earlier = before.get(`${it.file}\0${it.title}`)
    return it.result === 'skipped' && earlier?.result === 'passed' ? earlier : it
  })
  return [...old.filter(({ file }) => !files.has(file)), ...kept].sort((one, other) =>
    `${one.file}\0${one.title}` < `${other.file}\0${other.title}` ? -1 : 1,
  )
}

export async function writeResults(root: string, fresh: readonly TestResult[]): Promise<void> {
  const tests = mergeResults(await readResults(root), fresh)
  await writeWhole(resultsFile(root), `${JSON.stringify({ tests }, null, 2)}\n`, 0o644)
}
