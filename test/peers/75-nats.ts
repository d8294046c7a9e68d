/** NATS: by which several servers wake each other. Built once; each start has a port of its own. */
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Peer, peerCache } from '@kalnet/cli/suite/peers'
import { systemClock } from '@kalnet/io/clock'
import { start } from '@kalnet/io/spawn'
import { goInstall, hasStamp } from './go-install.ts'

const VERSION = '2.15.2'
/** Raised when the way of installing changes. */
const STAMP = `${VERSION}-1`
const READY_MS = 20_000

const folderIn = (cache: string) => join(cache, 'nats', VERSION)
const programIn = (cache: string) => join(folderIn(cache), 'nats-server')
const isInstalled = async (cache: string) =>
  existsSync(programIn(cache)) && (await hasStamp(folderIn(cache), STAMP))

export const hasNats = (): Promise<boolean> => isInstalled(peerCache(process.env))

export const peer: Peer = {
  name: `nats-server ${VERSION}`,
  proves: 'that several servers wake each other by NATS, and go on while it is away',
  async ensure({ env, cache, signal, say }) {
    if (await isInstalled(cache)) return
    await goInstall(
      { env, signal, say },
      { folder: folderIn(cache), stamp: STAMP, what: `github.com/nats-io/nats-server/v2@v${VERSION}` },
    )
  },
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
  const child = start(programIn(peerCache(process.env)), ['-a', '127.0.0.1', '-p', String(port), ...more], {
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
