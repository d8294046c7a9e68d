/**
 * Three lanes of servers, browsers and real programs share a few cores: what fails there goes once more with nothing beside it. What passes
 * only then is said by name at the end, each time: it is a wait to be found, not a success.
 */
import type { VitestReport } from '../ledger/results.ts'

/** More than this is no accident of a busy machine. */
const MOST_FILES = 4
/** What could not even say which of its files failed is no file. */
const isFile = (name: string) => name.startsWith('/')

const isFailed = ({ status, assertionResults }: VitestReport['testResults'][number]) =>
  status === 'failed' || assertionResults.some((one) => one.status === 'failed')

/** Files to run again; none, if the run itself broke or too much failed. */
export function filesToRepeat(report: VitestReport): string[] {
  const failed = [...new Set(report.testResults.filter(isFailed).map(({ name }) => name))]
  return failed.length <= MOST_FILES && failed.every(isFile) ? failed : []
}

/** The second result of a file stands for both; `shaky`: what failed in the first of those that are now as they should be. */
export function mergeRepeated(
  first: VitestReport,
  second: VitestReport,
): { report: VitestReport; shaky: VitestReport } {
  const repeated = new Map(second.testResults.map((it) => [it.name, it]))
  const isMended = (name: string) => {
    const again = repeated.get(name)
    return again !== undefined && !isFailed(again)
  }
  return {
    report: {
      testResults: [...first.testResults.filter(({ name }) => !repeated.has(name)), ...second.testResults],
    },
    shaky: { testResults: first.testResults.filter((it) => isFailed(it) && isMended(it.name)) },
  }
}
