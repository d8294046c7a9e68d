/** What the tests of this package share: a server on a free port, a key pair, a manual clock, waiting with a limit. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '@kalnet/io/clock'

export interface Listening {
  url: string
  port: number
  server: Server
  close(): Promise<void>
}
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export async function listen(upgrade: Upgrade, port = 0): Promise<Listening> {
  const server = createServer((_request, response) => response.writeHead(404).end())
  const sockets = new Set<Duplex>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('upgrade', upgrade)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const at = (server.address() as AddressInfo).port
  return {
    url: `http://127.0.0.1:${at}`,
    port: at,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

export function createKeys() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const x = publicKey.export({ format: 'jwk' }).x ?? ''
  return {
    publicKey: Buffer.from(x, 'base64url').toString('base64'),
    sign: (text: string) => sign(null, Buffer.from(text), privateKey).toString('base64'),
  }
}

/** Time moves only by `pass`; sleepers wake in order. */
export function createManualClock(start = Date.UTC(2026, 0, 1)): Clock & { pass(ms: number): Promise<void> } {
  let now = start
  const sleepers = new Set<{ at: number; wake: () => void }>()
  return {
    now: () => new Date(now),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const sleeper = { at: now + ms, wake: resolve }
        sleepers.add(sleeper)
        signal?.addEventListener(
          'abort',
          () => {
            sleepers.delete(sleeper)
            reject(signal.reason)
          },
          { once: true },
        )
      }),
    async pass(ms) {
      const until = now + ms
      for (;;) {
        const [next] = [...sleepers].filter((it) => it.at <= until).sort((a, b) => a.at - b.at)
        if (!next) break
        now = next.at
        sleepers.delete(next)
        next.wake()
        await new Promise((resolve) => setImmediate(resolve))
      }
      now = until
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

/** Waits until it holds; fails after the limit (a limit of waiting, not a figure). */
export async function until(holds: () => boolean, what: string, limitMs = 30_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
