/** For tests run by root: serves a process platform to them over its standard streams, in a process of an ordinary user. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { folders } from '@kalnet/io/folders'
import { createLog } from '@kalnet/io/log'
import type { EnsureRequest, Handle } from '../platform.ts'
import { createProcessPlatform } from './process.ts'

export type Question =
  | { operation: 'ensure'; request: EnsureRequest }
  | { operation: 'observe' | 'remove'; handle: Handle }
  | { operation: 'stop'; handle: Handle; graceMs: number }
  | { operation: 'logs'; handle: Handle; lines: number }
  | { operation: 'dial'; handle: Handle; port: string }
  | { operation: 'list' | 'fingerprint' }
export type Reply =
  | { id: number; value: unknown }
  | { id: number; problem: string }
  | { change: { instanceId: string; generation: number } }

const root = process.argv[2] ?? ''
const signal = new AbortController().signal
const home = folders()
const platform = createProcessPlatform({
  folders: home,
  images: { ensureRoot: async () => root, list: async () => [] },
  log: createLog('host', 'warn'),
})
let dialled = 0

async function answer(question: Question): Promise<unknown> {
  switch (question.operation) {
    case 'ensure':
      return platform.ensure(question.request, signal, () => undefined)
    case 'observe':
      return platform.observe(question.handle)
    case 'remove':
      return platform.remove(question.handle)
    case 'stop':
      return platform.stop(question.handle, question.graceMs)
    case 'logs':
      return platform.logs(question.handle, question.lines)
    case 'list':
      return platform.list()
    case 'fingerprint':
      for await (const it of platform.fingerprint(signal)) return it
      return null
    case 'dial': {
      // The bytes go by a socket of their own; its path is the answer.
      const stream = await platform.dial(question.handle, question.port, signal)
      dialled += 1
      const path = join(home.data, `${process.pid}-${dialled}.sock`)
      const server = createServer((socket) => {
        server.close()
        socket.on('error', () => stream.destroy())
        stream.on('error', () => socket.destroy())
        socket.pipe(stream).pipe(socket)
      })
      await new Promise<void>((resolve) => server.listen(path, resolve))
      return path
    }
  }
}

const say = (reply: Reply) => process.stdout.write(`${JSON.stringify(reply)}\n`)
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, ...question } = JSON.parse(line) as Question & { id: number }
  answer(question as Question).then(
    (value) => say({ id, value: value ?? null }),
    (error: Error) => say({ id, problem: error.message }),
  )
})
for await (const change of platform.changes(signal)) say({ change })
