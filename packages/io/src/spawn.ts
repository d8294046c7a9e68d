/** The only place where processes start: argument arrays, never a shell string; every wait has a signal and a limit. */
import { type ChildProcess, spawn as nodeSpawn, type SpawnOptions } from 'node:child_process'

export interface RunOptions {
  signal?: AbortSignal
  /** Ends the process (SIGKILL) after this long. Default 60 s. */
  timeoutMs?: number
  input?: string | Buffer
  env?: NodeJS.ProcessEnv
  cwd?: string
  uid?: number
  gid?: number
  /** More output than this is cut at the front. Default 1 MiB for each stream. */
  maxOutputBytes?: number
  /** Called with each whole line of both outputs, for progress. */
  onLine?: (line: string) => void
}
export interface RunResult {
  /** null when a signal ended it. */
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** Starts a process and leaves it to the caller (a service, a session). Never a shell. */
export function start(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return nodeSpawn(command, [...args], { ...options, shell: false })
}

const collector = (limit: number, onLine?: (line: string) => void) => {
  let text = ''
  let rest = ''
  return {
    take(chunk: Buffer) {
      const piece = chunk.toString('utf8')
      text = (text + piece).slice(-limit)
      if (!onLine) return
      const lines = (rest + piece).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    },
    text: () => text,
  }
}

/** Runs to the end. A non-zero code is an answer, not a throw; a process that cannot start, is aborted or takes too long throws. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { signal, timeoutMs = 60_000, input, maxOutputBytes = 2 ** 20, onLine, ...rest } = options
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const child = start(command, args, { ...rest, stdio: ['pipe', 'pipe', 'pipe'] })
    const out = collector(maxOutputBytes, onLine)
    const err = collector(maxOutputBytes, onLine)
    child.stdout?.on('data', out.take)
    child.stderr?.on('data', err.take)
    // A process that ends without reading its input is not our failure: its exit code says what happened.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
    let problem: Error | null = null
    const stop = (error: Error) => {
      problem ??= error
      child.kill('SIGKILL')
    }
    const timer = setTimeout(() => stop(new Error(`${command} took longer than ${timeoutMs} ms`)), timeoutMs)
    const onAbort = () => stop(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
    signal?.addEventListener('abort', onAbort, { once: true })
    const settle = (finish: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      finish()
    }
    child.once('error', (error) => settle(() => reject(error)))
    child.once('close', (code, ended) =>
      settle(() =>
        problem ? reject(problem) : resolve({ code, signal: ended, stdout: out.text(), stderr: err.text() }),
      ),
    )
  })
}

/** As run, but a non-zero exit code throws with the last lines the program printed. */
export async function must(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const result = await run(command, args, options)
  if (result.code === 0) return result
  const said = (result.stderr || result.stdout).trim().split('\n').slice(-5).join(' | ')
  throw new Error(`${command} ended with ${result.code ?? result.signal}: ${said}`)
}
