/** Runs one long builder process so that it never outlives us and cleans up after itself when asked to stop. */
import { start } from '@kalnet/io/spawn'

export interface SuperviseOptions {
  cwd: string
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  timeoutMs: number
  onLine: (line: string) => void
}

/** How long it may take for its own cleaning up before it is killed. */
const GRACE_MS = 10_000
const KEPT_LINES = 12

/** Throws with the last lines it printed when it does not end well. */
export async function supervise(
  command: string,
  args: readonly string[],
  options: SuperviseOptions,
): Promise<void> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)])
  signal.throwIfAborted()
  // If we are killed, the builder is told to end: two builders never work on one image.
  const child = start('setpriv', ['--pdeathsig', 'TERM', command, ...args], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const tail: string[] = []
  const take = (rest: string, chunk: string) => {
    const lines = (rest + chunk).split('\n')
    const open = lines.pop() ?? ''
    for (const line of lines) {
      tail.push(line)
      if (tail.length > KEPT_LINES) tail.shift()
      options.onLine(line)
    }
    return open
  }
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      rest = take(rest, chunk)
    })
  }
  let killer: NodeJS.Timeout | undefined
  const onAbort = () => {
    child.kill('SIGTERM')
    killer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    signal.throwIfAborted()
    if (code !== 0)
      throw new Error(
        `${command} failed: ${tail
          .filter((line) => line.trim())
          .slice(-8)
          .join(' | ')}`,
      )
  } finally {
    clearTimeout(killer)
    signal.removeEventListener('abort', onAbort)
  }
}
