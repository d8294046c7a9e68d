/** A control plane with its gateway as a process of its own, which a test may look at, put into another network and end. */
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { start } from '@kalnet/io/spawn'

const PROGRAM = fileURLToPath(new URL('server.ts', import.meta.url))

export interface ServerProcess {
  child: ChildProcess
  /** The first owner's link, as long as nobody has claimed. */
  claim: string
}

export async function startServerProcess(options: {
  config: object
  databaseUrl: string
  home: string
  /** It runs in this network namespace. */
  namespace?: string
}): Promise<ServerProcess> {
  const { config, databaseUrl, home, namespace } = options
  const words = [PROGRAM, JSON.stringify(config), databaseUrl, home]
  const child = namespace
    ? start('ip', ['netns', 'exec', namespace, process.execPath, ...words], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
    : start(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const claim = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (said) => {
      const link = /ready (\S*)/.exec(String(said))?.[1]
      if (link !== undefined) resolve(link)
    })
    child.once('exit', (code) => reject(new Error(`the control plane ended with ${code}`)))
  })
  return { child, claim }
}

/** Asks it to end, and sees to it. */
export async function endProcess(child: ChildProcess, limitMs = 20_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), limitMs)
  await gone
  clearTimeout(late)
}
