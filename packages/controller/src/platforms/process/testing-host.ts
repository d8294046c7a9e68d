/** For tests run by root: serves a process platform to them over its standard streams, in a process of an ordinary user. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Duplex, duplexPair } from 'node:stream'
import type { Address } from '@kalnet/contracts/instance'
import { folders } from '@kalnet/io/folders'
import { createLog } from '@kalnet/io/log'
import type { Datagrams, EnsureRequest, Handle } from '../platform.ts'
import { createProcessPlatform } from './process.ts'

export type Question =
  | { operation: 'ensure'; request: EnsureRequest }
  | { operation: 'observe' | 'remove'; handle: Handle }
  | { operation: 'stop'; handle: Handle; graceMs: number }
  | { operation: 'logs'; handle: Handle; lines: number }
  | { operation: 'dial' | 'datagrams'; handle: Handle; port: string }
  | { operation: 'addresses'; handle: Handle }
  | { operation: 'place'; handle: Handle; folder: string; files: Record<string, string> }
  | { operation: 'removeVolume' | 'measureVolume'; volumeId: string }
  | { operation: 'listen'; handle: Handle; places: Record<string, Address>; listening: number }
  | { operation: 'endListening'; listening: number }
  | { operation: 'use'; handles: Handle[] }
  | { operation: 'list' | 'fingerprint' }
export type Reply =
  | { id: number; value: unknown }
  | { id: number; problem: string }
  | { change: { instanceId: string; generation: number } }
  | { taken: { listening: number; name: string; path: string } }

const root = process.argv[2] ?? ''
const signal = new AbortController().signal
const home = folders()
const platform = createProcessPlatform({
  folders: home,
  images: { ensureRoot: async () => root, list: async () => [] },
  log: createLog('host', 'warn'),
})
const listenings = new Map<number, AbortController>()
let served = 0

/** The bytes go by a socket of their own, for one connection; answers its path. */
async function serve(stream: Duplex): Promise<string> {
  served += 1
  const path = join(home.data, `${process.pid}-${served}.sock`)
  const server = createServer((socket) => {
    server.close()
    socket.on('error', () => stream.destroy())
    stream.on('error', () => socket.destroy())
    socket.pipe(stream).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return path
}

/** A line of base64 for each packet. */
function asLines(datagrams: Datagrams): Duplex {
  const [near, far] = duplexPair()
  datagrams.onMessage((payload) => far.write(`${payload.toString('base64')}\n`))
  createInterface({ input: far }).on('line', (line) => datagrams.send(Buffer.from(line, 'base64')))
  far.on('close', () => datagrams.close())
  return near
}

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
    case 'dial':
      return serve(await platform.dial(question.handle, question.port, signal))
    case 'datagrams': {
      const datagrams = await platform.dialDatagrams?.(question.handle, question.port, signal)
      return datagrams && serve(asLines(datagrams))
    }
    case 'use':
      return platform.use?.(question.handles, signal)
    case 'addresses':
      return platform.addresses?.(question.handle)
    case 'place':
      return platform.place?.(question.handle, question.folder, question.files)
    case 'removeVolume':
      return platform.removeVolume?.(question.volumeId)
    case 'measureVolume':
      return platform.measureVolume?.(question.volumeId, signal)
    case 'listen': {
      const { listening, handle, places } = question
      const stop = new AbortController()
      listenings.set(listening, stop)
      const take = (name: string, stream: Duplex) =>
        void serve(stream).then((path) => say({ taken: { listening, name, path } }))
      return platform.listenInside?.(handle, places, take, stop.signal)
    }
    case 'endListening':
      return listenings.get(question.listening)?.abort()
  }
}

function say(reply: Reply) {
  process.stdout.write(`${JSON.stringify(reply)}\n`)
}
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, ...question } = JSON.parse(line) as Question & { id: number }
  answer(question as Question).then(
    (value) => say({ id, value: value ?? null }),
    (error: Error) => say({ id, problem: error.message }),
  )
})
for await (const change of platform.changes(signal)) say({ change })
