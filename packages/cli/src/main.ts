/** Entry of the CLI: `./kalnet` starts this file. */
import { runCli } from './program.ts'

/** What is still open after the work is done (an idle connection, a timer) may not keep a finished command. */
const LINGER_MS = 500

// `kalnet templates | head -1`: the reader has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.exitCode = await runCli(process.argv.slice(2))
process.disconnect?.()
setTimeout(() => process.exit(), LINGER_MS).unref()
