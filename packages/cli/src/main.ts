/** Entry of the CLI: `./kalnet` starts this file. */
import { runCli } from './program.ts'

process.exitCode = await runCli(process.argv.slice(2))
