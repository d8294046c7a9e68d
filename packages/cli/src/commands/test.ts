/** `kalnet test`: all tests, or those of some paths; with KALNET_PEERS=all every real part must be there. */
import type { AddCommand } from '../context.ts'
import { buildDashboard } from '../dashboard.ts'
import { EXIT } from '../problem.ts'
import { preparePeers } from '../suite/peers.ts'
import { failureLines, longestLines, skipLines } from '../suite/report.ts'
import { runSuite } from '../suite/suite.ts'
import { ROOT } from '../tree.ts'

export const addTest: AddCommand = (program, context) => {
  program
    .command('test')
    .description('run all tests, or those of some paths')
    .argument('[paths...]', 'files or folders; none: everything')
    .option('--slow', 'campaigns and large peers too')
    .action(async (paths: string[], flags: { slow?: boolean }) => {
      const { output, env, signal, exit } = context()
      if (env.KALNET_PEERS === 'all') await preparePeers({ root: ROOT, env, output, signal })
      await buildDashboard(output, signal)
      const result = await runSuite({ root: ROOT, paths, slow: flags.slow === true, env, output, signal })
      const skipped = result.skips.length > 0 ? ['Not run:', ...skipLines(result.skips, ROOT), ''] : []
      const longest = paths.length === 0 ? ['Longest files:', ...longestLines(result.longest, ROOT), ''] : []
      const failed = result.failures.length > 0 ? ['Failed:', ...failureLines(result.failures, ROOT), ''] : []
      const shaky =
        result.shaky.length > 0
          ? ['Passed only when nothing ran beside it:', ...failureLines(result.shaky, ROOT), '']
          : []
      const onlyAlone = shaky.length > 0 ? `, ${result.shaky.length} of the passed only alone` : ''
      output.result(
        [
          ...skipped,
          ...longest,
          ...shaky,
          ...failed,
          `${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped${onlyAlone}`,
        ],
        result,
      )
      if (result.failed > 0) exit.code = EXIT.failed
    })
}
