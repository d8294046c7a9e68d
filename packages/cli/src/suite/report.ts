/** What a test report says: how many, what failed and why, what was not run and what it would prove. */
import { titleOf, type VitestReport } from '../ledger/results.ts'

export interface Tally {
  passed: number
  failed: number
  skipped: number
}
export interface Named {
  file: string
  title: string
}
export interface Failed extends Named {
  why: string[]
}

/** Of a failure's text: enough to see what was expected, not its whole page of it. */
const WHY_LINES = 12
const WHY_COLUMNS = 300

/** A file that could not even be loaded counts as one failure. */
export function count(report: VitestReport): { tally: Tally; skips: Named[]; failures: Failed[] } {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 }
  const skips: Named[] = []
  const failures: Failed[] = []
  const fail = (it: Failed) => {
    tally.failed++
    failures.push(it)
  }
  for (const { name: file, status, message, assertionResults } of report.testResults) {
    for (const one of assertionResults) {
      const title = titleOf(one)
      if (one.status === 'passed') tally.passed++
      else if (one.status === 'failed') fail({ file, title, why: whyOf(one.failureMessages?.join('\n')) })
      else {
        tally.skipped++
        skips.push({ file, title })
      }
    }
    if (status === 'failed' && !assertionResults.some((one) => one.status === 'failed'))
      fail({ file, title: 'the file itself', why: whyOf(message ?? 'it could not be loaded') })
  }
  return { tally, skips, failures }
}

const whyOf = (text = ''): string[] =>
  stripColours(text)
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('/node_modules/'))
    .slice(0, WHY_LINES)
    .map((line) => line.slice(0, WHY_COLUMNS))

// biome's rule against control characters in patterns is kept: the escape is built, not written.
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g')
const stripColours = (text: string) => text.replace(COLOUR, '')

const placeOf = (file: string, root: string) =>
  file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file

/** How many files are worth to be named for the time they take. */
const LONGEST = 15
/** Where the time of a run goes: the files that took longest, with seconds. */
export function longestOf(report: VitestReport): { file: string; seconds: number }[] {
  return report.testResults
    .map(({ name: file, startTime = 0, endTime = 0 }) => ({
      file,
      seconds: Math.round((endTime - startTime) / 1000),
    }))
    .filter(({ seconds }) => seconds > 0)
    .sort((one, other) => other.seconds - one.seconds)
    .slice(0, LONGEST)
}
export const longestLines = (longest: ReturnType<typeof longestOf>, root: string): string[] =>
  longest.map(({ file, seconds }) => `  ${String(seconds).padStart(4)} s  ${placeOf(file, root)}`)

/** At the very end, because a log of this length is read from there. */
export const failureLines = (failures: Failed[], root: string): string[] =>
  failures.flatMap(({ file, title, why }) => [
    `  ✗ ${placeOf(file, root)}: ${title}`,
    ...why.map((line) => `      ${line}`),
  ])

/** What was not run, by its reason: `(skipped: …)` in a title says what is missing. */
export function skipLines(skips: Named[], root: string): string[] {
  const groups = new Map<string, string[]>()
  for (const { file, title } of skips) {
    const reason = /\(skipped: ([^)]*)\)/.exec(title)?.[1] ?? 'left out by the test itself'
    const lines = groups.get(reason) ?? []
    lines.push(`    ${placeOf(file, root)}: ${title.replace(/ ?\(skipped: [^)]*\)/, '')}`)
    groups.set(reason, lines)
  }
  return [...groups].flatMap(([reason, lines]) => [`  ${reason}; it would prove:`, ...lines])
}
