/** NATS: by which several servers wake each other. Built once; each start has a port of its own. */
import { connect } from 'node:net'
import type { Peer } from '@kalnet/cli/suite/peers'
import { systemClock } from '@kalnet/io/clock'
import { start } from '@kalnet/io/spawn'
import { goProgram } from './go-install.ts'

const VERSION = '2.15.2'
const program = goProgram({
  name: 'nats',
  version: VERSION,
  from: 'github.com/nats-io/nats-server/v2',
  program: 'nats-server',
})
const READY_MS = 20_000

export const hasNats = program.isHere

export const peer: Peer = {
  name: `nats-server ${VERSION}`,
  proves: 'that several servers wake each other by NATS, and go on while it is away',
  ensure: program.ensure,
}

export interface Nats {
  port: number
  /** Nothing is answered any more, and nothing is hung up; and on again. */
  freeze(): void
  thaw(): void
  kill(): Promise<void>
}

const opens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/** `more`: further arguments (`--auth`, `--tls` …). */
export async function startNats(port: number, more: readonly string[] = []): Promise<Nats> {
  const child = start(program.path(), ['-a', '127.0.0.1', '-p', String(port), ...more], {
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const until = Date.now() + READY_MS
  while (!(await opens(port))) {
    if (Date.now() > until || child.exitCode !== null) throw new Error('NATS did not start')
    await systemClock.sleep(20)
  }
  return {
    port,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
