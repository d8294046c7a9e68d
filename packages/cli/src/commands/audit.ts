/** `kalnet audit`: what is claimed, which tests prove it, and what they last said. */
import type { AddCommand } from '../context.ts'
import { audit } from '../ledger/audit.ts'
import { EXIT } from '../problem.ts'
import { ROOT } from '../tree.ts'

const MARK = {
  proved: '✓',
  part: '~',
  open: '·',
  passed: '✓',
  failed: '✗',
  skipped: '~',
  'not run': '·',
} as const

export const addAudit: AddCommand = (program, context) => {
  program
    .command('audit')
    .description('which requirements are proved, by which tests (a check for those who build Kalnet)')
    .action(async () => {
      const { output, exit } = context()
      const { lines, problems } = await audit(ROOT)
      const words = lines.flatMap((line) => [
        `${MARK[line.state]} ${line.id}  ${line.what}  (${line.state}${line.commit ? `, ${line.commit.slice(0, 7)}` : ''})`,
        ...line.clauses.flatMap((clause) => [
          `  ${MARK[clause.state]} ${clause.clause}  ${clause.text}`,
          ...clause.tests.map(
            (test) => `      ${MARK[test.result]} ${test.result}  ${test.file}  ${test.title}`,
          ),
        ]),
      ])
      const clauses = lines.flatMap((line) => line.clauses)
      const proved = clauses.filter(({ state }) => state === 'proved').length
      output.result([...words, '', `${proved} of ${clauses.length} clauses proved.`], lines)
      for (const problem of problems) output.note(problem)
      if (problems.length > 0) exit.code = EXIT.failed
    })
}
