/** The whole command line on one screen: the list of verbs, help, and how failures become exit codes. */
import { Command, CommanderError } from 'commander'
import { addAccess } from './commands/access.ts'
import { addApps } from './commands/apps.ts'
import { addAudit } from './commands/audit.ts'
import { addBench } from './commands/bench.ts'
import { addCert } from './commands/cert.ts'
import { addClaim } from './commands/claim.ts'
import { addConfig } from './commands/config.ts'
import { addControllers } from './commands/controllers.ts'
import { addDoctor } from './commands/doctor.ts'
import { addDown } from './commands/down.ts'
import { addFirewall } from './commands/firewall.ts'
import { addGateway } from './commands/gateway.ts'
import { addGroup } from './commands/group.ts'
import { addGuard } from './commands/guard.ts'
import { addImages } from './commands/images.ts'
import { addKey } from './commands/key.ts'
import { addLookup } from './commands/lookup.ts'
import { addOrganisation } from './commands/organisation.ts'
import { addProviders } from './commands/providers.ts'
import { addRender } from './commands/render.ts'
import { addSecrets } from './commands/secrets.ts'
import { addServe } from './commands/serve.ts'
import { addService } from './commands/service.ts'
import { addSessions } from './commands/sessions.ts'
import { addStatus } from './commands/status.ts'
import { addTemplates } from './commands/templates.ts'
import { addTest } from './commands/test.ts'
import { addUp } from './commands/up.ts'
import { addUser } from './commands/user.ts'
import { type AddCommand, type Context, createContext } from './context.ts'
import { createOutput, type Output } from './output.ts'
import { CliProblem, EXIT } from './problem.ts'
import { VERSION } from './tree.ts'

const COMMANDS: readonly AddCommand[] = [
  addUp,
  addDown,
  addStatus,
  addClaim,
  addDoctor,
  addRender,
  addSessions,
  addService,
  addTemplates,
  addControllers,
  addImages,
  addUser,
  addGroup,
  addOrganisation,
  addKey,
  addProviders,
  addApps,
  addGuard,
  addLookup,
  addFirewall,
  addCert,
  addAccess,
  addConfig,
  addTest,
  addBench,
  addAudit,
  addSecrets,
  addServe,
  addGateway,
]

const AFTER_HELP = `
Examples:
  kalnet up                          start everything and print the address
  kalnet up --lan                    the same, for the whole home network over HTTPS
  kalnet sessions run terminal       a desktop with a terminal
  kalnet sessions list --json        for scripts
  kalnet service install radicale    a service, for everybody, all the time
  kalnet doctor                      what is there, what is missing, what it would enable
  kalnet down                        end the sessions and stop everything

Exit codes:
  0  done        1  failed       2  the command line is wrong
  3  Kalnet is not running       4  refused, or something it needs is missing`

export interface RunOptions {
  env?: NodeJS.ProcessEnv
  output?: Output
  signal?: AbortSignal
}

export function createProgram(context: () => Context): Command {
  const program = new Command('kalnet')
    .description('One control plane for everything a home, a club or a small team runs.')
    .version(VERSION, '--version', 'print the version')
    .option('--json', 'print the result as JSON')
    .helpOption('-h, --help', 'show help')
    .addHelpText('after', AFTER_HELP)
    .showSuggestionAfterError(true)
  for (const add of COMMANDS) add(program, context)
  return program
}

/** Runs one command line and answers its exit code; nothing is thrown. */
export async function runCli(args: readonly string[], options: RunOptions = {}): Promise<number> {
  const json = args.includes('--json')
  const output = options.output ?? createOutput(json)
  const stop = new AbortController()
  const signal = options.signal ?? stop.signal
  const onInterrupt = () =>
    stop.abort(new CliProblem(EXIT.failed, 'cli.interrupted', 'Interrupted.', 'Run it again when you like.'))
  process.once('SIGINT', onInterrupt)
  const context = createContext({ json, env: options.env, output, signal })
  const program = createProgram(() => context)
  try {
    everyCommand(program, (command) =>
      command.exitOverride().configureOutput({
        outputError: () => undefined,
        ...(options.output ? { writeOut: (text) => output.result(text, text) } : {}),
      }),
    )
    await program.parseAsync([...args], { from: 'user' })
    return context.exit.code
  } catch (error) {
    if (error instanceof CommanderError) return wrongLine(error, output)
    return output.problem(error)
  } finally {
    process.removeListener('SIGINT', onInterrupt)
  }
}

function everyCommand(command: Command, change: (it: Command) => void): void {
  change(command)
  for (const child of command.commands) everyCommand(child, change)
}

function wrongLine(error: CommanderError, output: Output): number {
  if (error.exitCode === 0) return EXIT.ok
  // `kalnet` or `kalnet sessions` alone: the help was printed.
  if (error.code === 'commander.help') return EXIT.usage
  const [message = '', ...more] = error.message.replace(/^error: /, '').split('\n')
  const hint = more.join(' ').replace(/[()]/g, '').trim()
  return output.problem(
    new CliProblem(
      EXIT.usage,
      'cli.usage',
      `${message[0]?.toUpperCase() ?? ''}${message.slice(1)}.`.replace(/\.\.$/, '.'),
      hint || 'See `kalnet --help`.',
    ),
  )
}
