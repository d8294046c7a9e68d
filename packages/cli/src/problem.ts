/** What can go wrong at the command line, with documented exit codes and the next step. */
import { KalnetError } from '@kalnet/contracts/errors'

/** Documented in `kalnet --help`; scripts rely on them. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notRunning: 3, refused: 4 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A failure for people: a sentence, and what to do next. */
export class CliProblem extends Error {
  readonly exit: ExitCode
  readonly code: string
  readonly next: string
  constructor(exit: ExitCode, code: string, message: string, next: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'CliProblem'
    this.exit = exit
    this.code = code
    this.next = next
  }
}

export const usage = (message: string, next = 'See `kalnet --help`.') =>
  new CliProblem(EXIT.usage, 'cli.usage', message, next)
export const refused = (message: string, next: string) =>
  new CliProblem(EXIT.refused, 'cli.refused', message, next)
export const failed = (message: string, next: string, cause?: unknown) =>
  new CliProblem(EXIT.failed, 'cli.failed', message, next, cause)
export const notRunning = () =>
  new CliProblem(EXIT.notRunning, 'cli.not-running', 'Kalnet is not running.', 'Start it with `kalnet up`.')

export interface Explained {
  exit: ExitCode
  code: string
  message: string
  next: string
}

/** Any thrown thing as a sentence with a next step: never a bare stack. */
export function explain(error: unknown): Explained {
  if (error instanceof CliProblem)
    return { exit: error.exit, code: error.code, message: error.message, next: error.next }
  if (error instanceof KalnetError) {
    const { code, message, next } = error.body(String(error.details.requestId ?? '')).error
    const exit = error.status === 401 || error.status === 403 ? EXIT.refused : EXIT.failed
    return { exit, code, message, next }
  }
  // core/config's own; known by its name so that no command needs the server's code for it.
  if (error instanceof Error && error.name === 'ConfigError')
    return {
      exit: EXIT.usage,
      code: 'config.invalid',
      message: error.message,
      next: '`kalnet config example` shows every setting.',
    }
  const system = (error ?? {}) as NodeJS.ErrnoException
  const where = system.path ? ` (${system.path})` : ''
  if (system.code === 'EACCES' || system.code === 'EPERM')
    return {
      exit: EXIT.refused,
      code: 'cli.not-allowed',
      message: `This user may not do that here${where}.`,
      next: 'Use the account that ran `kalnet up`, or set KALNET_HOME to a folder of your own.',
    }
  if (system.code === 'ENOSPC')
    return {
      exit: EXIT.failed,
      code: 'store.full',
      message: `The disk is full${where}.`,
      next: 'Free some space and try again.',
    }
  const message = error instanceof Error ? error.message : String(error)
  return {
    exit: EXIT.failed,
    code: 'cli.failed',
    message,
    next: 'Run `kalnet doctor`; the logs are named by `kalnet status`.',
  }
}
