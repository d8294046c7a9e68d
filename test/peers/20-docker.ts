/** A Docker engine: the one that answers, or the one started here by hand. Never a second one beside it. */
import { closeSync, openSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Peer } from '@kalnet/cli/suite/peers'
import { systemClock } from '@kalnet/io/clock'
import { start } from '@kalnet/io/spawn'

const SOCKET = '/var/run/docker.sock'
const READY_MS = 60_000

const answers = (): Promise<boolean> =>
  new Promise((resolve) => {
    const call = request({ socketPath: SOCKET, path: '/_ping', timeout: 2_000 }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(false))
    call.end()
  })

export const peer: Peer = {
  name: 'the Docker engine',
  proves: 'sessions as containers, and that an engine restart is survived',
  async ensure({ cache, signal, say }) {
    if (await answers()) return
    if (process.getuid?.() !== 0)
      throw new Error(`no engine answers at ${SOCKET}, and only root can start one`)
    const log = openSync(join(cache, 'dockerd.log'), 'a', 0o600)
    // It outlives this run, as a system's engine would.
    const engine = start('dockerd', [], { detached: true, stdio: ['ignore', log, log], cwd: '/' })
    closeSync(log)
    let ended: string | null = null
    engine.once('error', (error) => {
      ended = error.message
    })
    engine.once('exit', (code) => {
      ended = `it ended with ${code}`
    })
    engine.unref()
    say('starting')
    const until = Date.now() + READY_MS
    while (!(await answers())) {
      if (ended !== null) throw new Error(`${ended}; see ${join(cache, 'dockerd.log')}`)
      if (Date.now() > until) throw new Error(`it did not answer within ${READY_MS / 1000} s`)
      await systemClock.sleep(100, signal)
    }
  },
}
