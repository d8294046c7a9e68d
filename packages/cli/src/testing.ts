/** For tests of commands: an output that remembers, and a context in a folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { createOutput, type Output } from './output.ts'
import { runCli } from './program.ts'

class Kept extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8')
    done()
  }
}

export function keptOutput(json = false): { output: Output; out: () => string; err: () => string } {
  const out = new Kept()
  const err = new Kept()
  const output = createOutput(json, { out, err, interactive: false })
  return { output, out: () => out.text, err: () => err.text }
}

/** One command line in a KALNET_HOME of its own. */
export async function cli(
  home: string,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  const { output, out, err } = keptOutput(args.includes('--json'))
  const code = await runCli(args, { output, env: { ...process.env, KALNET_HOME: home } })
  return { code, out: out(), err: err() }
}

export interface TemporaryHome {
  home: string
  remove(): Promise<void>
}
/** Until a test's set-up has made one. */
export const NO_HOME: TemporaryHome = { home: '', remove: async () => undefined }

/** A short path: sockets hold 107 bytes. */
export async function temporaryHome(): Promise<TemporaryHome> {
  const home = await mkdtemp(join(tmpdir(), 'kal-'))
  return { home, remove: () => rm(home, { recursive: true, force: true }) }
}
