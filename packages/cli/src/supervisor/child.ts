/** Starts this CLI again as a child that says when it is ready and ends when its parent does. */
import { closeSync, openSync } from 'node:fs'
import { systemClock } from '@kalnet/io/clock'
import { start } from '@kalnet/io/spawn'
import { failed } from '../problem.ts'
import { ourselves } from '../tree.ts'
import { awaitEnd, identify } from './identity.ts'
import type { Running } from './part.ts'
import type { ChildMessage } from './state.ts'

export interface ChildOptions {
  args: readonly string[]
  env: NodeJS.ProcessEnv
  logFile: string
  readyWithinMs: number
  /** Told to end, it gets this long before it is killed. */
  graceMs: number
  onReady(url: string | null): void
}

export async function startChild(options: ChildOptions, signal: AbortSignal): Promise<Running> {
  signal.throwIfAborted()
  const log = openSync(options.logFile, 'a', 0o600)
  const [command, args] = ourselves(...options.args)
  const child = start(command, args, {
    env: options.env,
    cwd: '/',
    stdio: ['ignore', log, log, 'ipc'],
  })
  closeSync(log)
  const { promise: ended, resolve: end } = Promise.withResolvers<string>()
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
  ready.catch(() => undefined)
  child.once('error', (error) => end(`it could not be started: ${error.message}`))
  child.once('exit', (code, by) => end(by ? `it was ended by ${by}` : `it ended with code ${code}`))
  child.on('message', (message: ChildMessage) => {
    if (message.type === 'ready') {
      options.onReady(message.url)
      resolve()
    } else reject(failed(message.message, message.next))
  })
  void ended.then((reason) =>
    // A last word on its channel may still be under way: it says more than the exit code.
    setImmediate(() =>
      reject(failed(`The ${options.args[0]} process: ${reason}.`, `Read ${options.logFile}.`)),
    ),
  )
  const pid = child.pid ?? null
  const known = pid === null ? null : identify(pid)
  const stop = async () => {
    if (!known) return
    child.kill('SIGTERM')
    await Promise.race([ended, awaitEnd(known, options.graceMs)])
    await ended
  }
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const limit = new AbortController()
  try {
    await Promise.race([
      ready,
      systemClock.sleep(options.readyWithinMs, limit.signal).then(() => {
        throw failed(
          `The ${options.args[0]} process was not ready within ${options.readyWithinMs / 1000} seconds.`,
          `Read ${options.logFile}.`,
        )
      }),
    ])
  } catch (error) {
    await stop()
    throw error
  } finally {
    limit.abort()
    signal.removeEventListener('abort', onAbort)
  }
  return { pid, ended, stop }
}

/** For the child's side: tells the parent, if there is one. */
export function tellParent(message: ChildMessage): void {
  process.send?.(message)
}

/** Aborts when told to end, or when the supervisor is gone. */
export function untilToldToEnd(): AbortSignal {
  const ending = new AbortController()
  const end = (why: string) => ending.abort(new Error(why))
  process.once('SIGTERM', () => end('told to end'))
  process.once('SIGINT', () => end('told to end'))
  if (process.send) process.once('disconnect', () => end('the supervisor is gone'))
  return ending.signal
}

export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
