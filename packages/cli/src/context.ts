/** What every command gets: folders, output, the API, a signal. */
import { type Clock, systemClock } from '@kalnet/io/clock'
import { type Folders, folders } from '@kalnet/io/folders'
import type { Command } from 'commander'
import { type Api, createApi } from './api.ts'
import { createOutput, type Output } from './output.ts'
import { EXIT, type ExitCode } from './problem.ts'
import { controlSocket } from './sockets.ts'
import { liveRecord } from './supervisor/lock.ts'

export interface Context {
  env: NodeJS.ProcessEnv
  uid: number
  folders: Folders
  output: Output
  api: Api
  clock: Clock
  /** What the process will end with; a command that succeeded in part sets it. */
  exit: { code: ExitCode }
  /** Aborts on Ctrl-C. */
  signal: AbortSignal
}

export interface ContextOptions {
  json: boolean
  env?: NodeJS.ProcessEnv
  output?: Output
  signal: AbortSignal
}

export function createContext({ json, env = process.env, output, signal }: ContextOptions): Context {
  const usual = folders(env)
  // It may have been started with another runtime folder (no XDG_RUNTIME_DIR over ssh): its record knows.
  const where = { ...usual, runtime: liveRecord(usual)?.runtime ?? usual.runtime }
  return {
    env,
    uid: process.getuid?.() ?? 0,
    folders: where,
    output: output ?? createOutput(json),
    api: createApi(controlSocket(where)),
    clock: systemClock,
    exit: { code: EXIT.ok },
    signal,
  }
}

/** Adds one verb to the program; its work gets the context of this call. */
export type AddCommand = (program: Command, context: () => Context) => void
