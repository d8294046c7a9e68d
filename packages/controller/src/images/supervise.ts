/** Runs one long builder process so that it never outlives us and cleans up after itself when asked to stop. */
import { fileURLToPath } from 'node:url'
import { start } from '@kalnet/io/spawn'

export interface SuperviseOptions {
  cwd: string
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  timeoutMs: number
  onLine: (line: string) => void
}

const GUARD = fileURLToPath(new URL('./guard.sh', import.meta.url))
const KEPT_LINES = 12

/** Throws with the last lines it printed when it does not end well. */
export async function supervise(
  command: string,
  args: readonly string[],
  options: SuperviseOptions,
): Promise<void> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)])
  signal.throwIfAborted()
  // A group of its own, guarded: if we are killed, it ends; two builders never work on one image.
  const child = start('sh', [GUARD, command, ...args], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  // It may have ended already; its exit tells how.
  child.stdin?.on('error', () => undefined)
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
  const onAbort = () => child.stdin?.end()
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
    child.stdin?.destroy()
    signal.removeEventListener('abort', onAbort)
  }
}
