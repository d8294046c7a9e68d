/** For tests of gateways that are processes of their own: started from the command line, asked as browsers ask, ended by their id. */
import type { ChildProcess } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { request as askPlain, type IncomingHttpHeaders } from 'node:http'
import { request as askSecure } from 'node:https'
import { join } from 'node:path'
import { ourselves } from '@kalnet/cli/tree'
import { start } from '@kalnet/io/spawn'
import { freePort } from '@kalnet/server/testing/server'
import { WebSocket } from 'ws'

export interface Page {
  status: number
  text: string
  headers: IncomingHttpHeaders
}
export interface Asking {
  path?: string
  method?: string
  headers?: Record<string, string>
  body?: string
  /** Trusted for https. */
  ca?: string
  /** Which of this machine's addresses asks. */
  from?: string
}

export function ask(port: number, host: string, asking: Asking = {}): Promise<Page> {
  const { path = '/', method = 'GET', headers = {}, body, ca, from } = asking
  const name = host.split(':')[0] ?? host
  const options = { host: '127.0.0.1', port, path, method, localAddress: from, agent: false as const }
  const all = { host: host.includes(':') ? host : `${host}:${port}`, connection: 'close', ...headers }
  return new Promise((resolve, reject) => {
    const call =
      ca === undefined
        ? askPlain({ ...options, headers: all })
        : askSecure({ ...options, headers: all, ca, ...(/^[\d.]+$/.test(name) ? {} : { servername: name }) })
    call.once('response', (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }))
      answer.on('error', reject)
    })
    call.on('error', reject)
    call.end(body)
  })
}

/** Open, or the status it was refused with. */
export const openSocket = (port: number, host: string, headers: Record<string, string> = {}) =>
  new Promise<WebSocket>((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
      headers: { host: `${host}:${port}`, ...headers },
    })
    socket.once('open', () => resolve(socket))
    socket.once('unexpected-response', (_, answer) => reject(new Error(`status ${answer.statusCode}`)))
    socket.once('error', reject)
  })

export interface Process {
  port: number
  securePort: number
  log(): string
  /** The exit code, when it has ended. */
  ended: Promise<number | null>
  kill(signal: NodeJS.Signals): Promise<number | null>
}

/** `kalnet gateway` with folders and ports of its own; resolves when it serves, or has ended. */
export async function startGateway(given: {
  home: string
  join: string
  key: string
  name: string
  secure?: boolean
  ports?: { port: number; securePort: number }
}): Promise<Process> {
  await mkdir(given.home, { recursive: true })
  const keyFile = join(given.home, 'key')
  await writeFile(keyFile, `${given.key}\n`)
  await chmod(keyFile, 0o600)
  const ports = given.ports ?? { port: await freePort(), securePort: await freePort() }
  const [command, args] = ourselves(
    'gateway',
    '--join',
    given.join,
    '--key-file',
    keyFile,
    '--name',
    given.name,
  )
  const child: ChildProcess = start(command, args, {
    env: {
      PATH: process.env.PATH ?? '',
      KALNET_HOME: given.home,
      KALNET_GATEWAY_HTTP_PORT: String(ports.port),
      KALNET_GATEWAY_HTTPS_PORT: String(ports.securePort),
      KALNET_TLS_ENABLED: String(given.secure ?? false),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  const serving = Promise.withResolvers<void>()
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (piece: string) => {
      log += piece
      if (log.includes('the gateway serves')) serving.resolve()
    })
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  await Promise.race([serving.promise, ended])
  return {
    ...ports,
    log: () => log,
    ended,
    kill(signal) {
      child.kill(signal)
      return ended
    },
  }
}
