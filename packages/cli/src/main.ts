/** Entry of the CLI: `./kalnet` starts this file. */
import { runCli } from './program.ts'

/** What is still open after the work is done (an idle connection, a timer) may not keep a finished command. */
const LINGER_MS = 500

process.exitCode = await runCli(process.argv.slice(2))
process.disconnect?.()
setTimeout(() => process.exit(), LINGER_MS).unref()
