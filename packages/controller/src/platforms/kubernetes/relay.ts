/** The ways into and out of a pod that no forwarded port leads: a small program inside carries them over its input and output. */
import { readFileSync } from 'node:fs'
import { Duplex } from 'node:stream'
import type { Address } from '@kalnet/contracts/instance'
import type { Datagrams, Handle } from '../platform.ts'
import type { Api } from './api.ts'
import { openInside } from './run-inside.ts'

let program: string | null = null
const read = () => {
  program ??= readFileSync(new URL('./relay.pl', import.meta.url), 'utf8')
  return program
}
const relay = (api: Api, handle: Handle, words: string[], signal: AbortSignal) =>
  openInside(api, handle, ['perl', '-e', read(), '--', ...words], signal)

export const relayUnix = (api: Api, handle: Handle, path: string, signal: AbortSignal): Promise<Duplex> =>
  relay(api, handle, ['unix', path], signal)

const MOST_DATAGRAM = 65_507

export async function relayDatagrams(
  api: Api,
  handle: Handle,
  port: number,
  signal: AbortSignal,
): Promise<Datagrams> {
  const stream = await relay(api, handle, ['udp', String(port)], signal)
  const listeners = new Set<(payload: Buffer) => void>()
  let waiting = Buffer.alloc(0)
  stream.on('error', () => undefined)
  stream.on('data', (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes])
    while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE()) {
      const end = 2 + waiting.readUInt16BE()
      for (const listener of listeners) listener(waiting.subarray(2, end))
      waiting = waiting.subarray(end)
    }
  })
  const close = () => void stream.destroy()
  signal.addEventListener('abort', close, { once: true })
  return {
    send(payload) {
      // What the way cannot take now is lost, as datagrams are.
      if (payload.length > MOST_DATAGRAM || stream.writableNeedDrain || stream.destroyed) return
      const head = Buffer.alloc(2)
      head.writeUInt16BE(payload.length)
      stream.write(Buffer.concat([head, payload]))
    },
    onMessage: (listener) => void listeners.add(listener),
    close,
  }
}

const KINDS = { data: 0, end: 1, break: 2, new: 3, ready: 4 } as const
const HEAD = 9

/** All connections that are made inside come over one stream. `broken`: it ended though nobody wished so. */
export async function relayListeners(
  api: Api,
  handle: Handle,
  places: Record<string, Address>,
  take: (name: string, stream: Duplex) => void,
  signal: AbortSignal,
  broken?: (error: Error) => void,
): Promise<void> {
  const words = Object.entries(places).map(([name, { host, port }]) => `${name}=${host}:${port}`)
  const carrier = await relay(api, handle, ['listen', ...words], signal)
  const open = new Map<number, Duplex>()
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
  const send = (number: number, kind: number, bytes: Buffer, done: (error?: Error | null) => void) => {
    if (carrier.destroyed) return done(new Error('it ended'))
    const head = Buffer.alloc(HEAD)
    head.writeUInt32BE(number, 0)
    head.writeUInt8(kind, 4)
    head.writeUInt32BE(bytes.length, 5)
    carrier.write(Buffer.concat([head, bytes]), done)
  }
  const quietly = () => undefined
  const made = (number: number) =>
    new Duplex({
      allowHalfOpen: true,
      read: () => void carrier.resume(),
      write: (chunk: Buffer, _encoding, done) => send(number, KINDS.data, chunk, done),
      final: (done) => send(number, KINDS.end, Buffer.alloc(0), done),
      destroy(error, done) {
        if (open.delete(number) && !(this.readableEnded && this.writableFinished))
          send(number, KINDS.break, Buffer.alloc(0), quietly)
        done(error)
      },
    })
  function frame(number: number, kind: number, bytes: Buffer) {
    if (kind === KINDS.ready) return resolve()
    if (kind === KINDS.new) {
      const stream = made(number)
      // Whoever takes it listens for himself; that it breaks off before is nobody's error.
      stream.on('error', quietly)
      open.set(number, stream)
      return take(bytes.toString('utf8'), stream)
    }
    const stream = open.get(number)
    // One that does not read holds the others, too: they share the way.
    if (kind === KINDS.data && stream && !stream.push(bytes)) carrier.pause()
    if (kind === KINDS.end) stream?.push(null)
    if (kind === KINDS.break) stream?.destroy(new Error('it broke off inside'))
  }
  let waiting = Buffer.alloc(0)
  carrier.on('data', (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes])
    while (waiting.length >= HEAD && waiting.length >= HEAD + waiting.readUInt32BE(5)) {
      const end = HEAD + waiting.readUInt32BE(5)
      frame(waiting.readUInt32BE(0), waiting.readUInt8(4), Buffer.from(waiting.subarray(HEAD, end)))
      waiting = waiting.subarray(end)
    }
  })
  let problem = new Error('its relay ended')
  carrier.on('error', (error) => {
    problem = error
    reject(error)
  })
  carrier.once('close', () => {
    reject(problem)
    for (const stream of open.values()) stream.destroy(new Error('it ended'))
    open.clear()
  })
  const stop = () => void carrier.destroy()
  signal.addEventListener('abort', stop, { once: true })
  await ready
  const over = () => {
    signal.removeEventListener('abort', stop)
    if (!signal.aborted) broken?.(problem)
  }
  if (carrier.closed) over()
  else carrier.once('close', over)
}
