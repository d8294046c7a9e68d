/** Toxiproxy: stands between the gateway and a service and makes the connection slow, broken or dead. Built once; each start has ports of its own. */
import { request } from 'node:http'
import type { Peer } from '@kalnet/cli/suite/peers'
import { systemClock } from '@kalnet/io/clock'
import { start } from '@kalnet/io/spawn'
import { freePort } from '@kalnet/server/testing/server'
import { goProgram } from './go-install.ts'

const VERSION = '2.5.0'
const program = goProgram({
  name: 'toxiproxy',
  version: VERSION,
  from: 'github.com/Shopify/toxiproxy/v2/cmd/server',
})
const READY_MS = 20_000

export const hasToxiproxy = program.isHere

export const peer: Peer = {
  name: `toxiproxy ${VERSION}`,
  proves: 'what the gateway does when the way to a service is slow, is cut or closes slowly',
  ensure: program.ensure,
}

export interface Toxiproxy {
  /** A way to the port; the port to take instead. */
  between(name: string, port: number): Promise<number>
  /** What is wrong with the way back (`downstream`) or there (`upstream`). */
  poison(name: string, type: string, attributes: object, stream?: 'upstream' | 'downstream'): Promise<void>
  enable(name: string, enabled: boolean): Promise<void>
  /** All is well again. */
  heal(name: string, types: readonly string[]): Promise<void>
  stop(): Promise<void>
}

export async function startToxiproxy(): Promise<Toxiproxy> {
  const port = await freePort()
  const child = start(program.path(), ['-host', '127.0.0.1', '-port', String(port)], {
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  const call = (method: string, path: string, body?: object) =>
    new Promise<string>((resolve, reject) => {
      const out = request({ host: '127.0.0.1', port, method, path }, (answer) => {
        let text = ''
        answer.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        answer.on('end', () => {
          if ((answer.statusCode ?? 500) < 300) resolve(text)
          else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`))
        })
      })
      out.on('error', reject)
      out.end(body && JSON.stringify(body))
    })
  const until = Date.now() + READY_MS
  for (;;) {
    try {
      await call('GET', '/version')
      break
    } catch (error) {
      if (Date.now() > until || child.exitCode !== null) throw error
      await systemClock.sleep(50)
    }
  }
  return {
    async between(name, target) {
      const listen = await freePort()
      await call('POST', '/proxies', {
        name,
        listen: `127.0.0.1:${listen}`,
        upstream: `127.0.0.1:${target}`,
        enabled: true,
      })
      return listen
    },
    async poison(name, type, attributes, stream = 'downstream') {
      await call('POST', `/proxies/${name}/toxics`, { name: type, type, stream, attributes })
    },
    async enable(name, enabled) {
      await call('POST', `/proxies/${name}`, { enabled })
    },
    async heal(name, types) {
      for (const type of types) await call('DELETE', `/proxies/${name}/toxics/${type}`)
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    },
  }
}
