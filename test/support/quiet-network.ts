/**
 * Chromium drops whatever it is loading when any network of its machine comes or goes (ERR_NETWORK_CHANGED), and instances have networks
 * that do. So a test's browser lives in a network of its own in which nothing ever changes; what it asks for is passed on to this machine.
 */
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { start } from '@kalnet/io/spawn'
import { passOn } from './passing-on.ts'

const HOLD = fileURLToPath(new URL('./hold-network.ts', import.meta.url))

export interface QuietNetwork {
  /** Starts `program` in it, with whatever arguments it is given. */
  starter(program: string): string
  /** What Chromium must be told: its proxy is there, for this machine's own addresses, too. */
  flags: string[]
}

let made: Promise<QuietNetwork | null> | null = null

/**
 * One for each test process; it ends with it, whatever ends that. Null for an ordinary user, who may not make one, and
 * whose instances change nothing of the machine's networks.
 */
export function quietNetwork(): Promise<QuietNetwork | null> {
  made ??= process.getuid?.() === 0 ? make() : Promise.resolve(null)
  return made
}

async function make(): Promise<QuietNetwork> {
  const holder = start('unshare', ['--net', '--', process.execPath, HOLD], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { PATH: process.env.PATH },
  })
  const [message, door] = (await Promise.race([
    once(holder, 'message'),
    once(holder, 'exit').then(([code]) => {
      throw new Error(`the browser's network could not be made: ${code}`)
    }),
  ])) as [{ port: number }, Server]
  door.on('connection', passOn)
  // Neither keeps the test process; the holder ends when that is gone.
  door.unref()
  holder.unref()
  holder.channel?.unref()
  const folder = mkdtempSync(join(tmpdir(), 'kn-network-'))
  let programs = 0
  return {
    starter(program) {
      const file = join(folder, `start-${++programs}`)
      const enter = `exec nsenter --net=/proc/${holder.pid}/ns/net -- ${program} "$@"`
      writeFileSync(file, `#!/bin/sh\n${enter}\n`, { mode: 0o755 })
      return file
    },
    flags: [`--proxy-server=socks5://127.0.0.1:${message.port}`, '--proxy-bypass-list=<-loopback>'],
  }
}
