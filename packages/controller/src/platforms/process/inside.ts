/**
 * Sockets inside an instance's network, for the controller: a process enters the network, makes them, hands them over and ends.
 * Nothing stands between the two ends afterwards, and nothing of ours stays inside.
 */
import { Socket as DatagramSocket } from 'node:dgram'
import { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Address } from '@kalnet/contracts/instance'
import { start } from '@kalnet/io/spawn'
import type { Datagrams } from '../platform.ts'

export interface InsideTarget {
  /** A process in the network. */
  pid: number
  /** As an ordinary user the network is entered together with the user namespace that owns it. */
  withUser: boolean
}

export type Wish = { connect: number } | { datagrams: true } | { listen: Record<string, Address> }
export type Made = { name: string } | { problem: string }
type Handed = Socket | Server | DatagramSocket

const MAKE = fileURLToPath(new URL('./make-inside.ts', import.meta.url))
const LIMIT_MS = 15_000

/** What to say of the system's codes. */
const WORDS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  EADDRINUSE: 'its place is taken',
  EACCES: 'a port below 1024 may not be taken there',
}

/** By name. All that was asked for, or it throws and nothing is left open. */
function makeInside(target: InsideTarget, wish: Wish, signal: AbortSignal): Promise<Map<string, Handed>> {
  const user = target.withUser ? ['--user', '--preserve-credentials'] : []
  const enter = ['--target', String(target.pid), '--net', ...user]
  const wanted = 'listen' in wish ? Object.keys(wish.listen).length : 1
  return new Promise((resolve, reject) => {
    const until = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
    if (until.aborted) return reject(until.reason)
    const child = start('nsenter', [...enter, '--', process.execPath, MAKE, JSON.stringify(wish)], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: {},
    })
    const made = new Map<string, Handed>()
    let isSettled = false
    const settle = (problem: unknown) => {
      // It ends after it has given everything, too.
      if (isSettled) return
      isSettled = true
      until.removeEventListener('abort', onAbort)
      child.removeAllListeners('message')
      if (problem === null) return resolve(made)
      child.kill('SIGKILL')
      for (const it of made.values()) close(it)
      reject(problem)
    }
    const onAbort = () => settle(until.reason)
    until.addEventListener('abort', onAbort, { once: true })
    child.once('error', settle)
    child.once('exit', () => settle(new Error('its network could not be entered')))
    child.on('message', (message: Made, handed) => {
      if ('problem' in message) return settle(new Error(WORDS[message.problem] ?? message.problem))
      if (handed instanceof Socket || handed instanceof Server || handed instanceof DatagramSocket)
        made.set(message.name, handed)
      if (made.size === wanted) settle(null)
    })
  })
}

const close = (it: Handed) => void (it instanceof Socket ? it.destroy() : it.close())

/** A connection to a port on the instance's own loopback. */
export async function dialInside(target: InsideTarget, port: number, signal: AbortSignal): Promise<Socket> {
  const [made] = (await makeInside(target, { connect: port }, signal)).values()
  if (made instanceof Socket) return made
  throw new Error('no connection was handed over')
}

/** Packets to a UDP port on the instance's own loopback. */
export async function datagramsInside(
  target: InsideTarget,
  port: number,
  signal: AbortSignal,
): Promise<Datagrams> {
  const [made] = (await makeInside(target, { datagrams: true }, signal)).values()
  if (made instanceof DatagramSocket) return asDatagrams(made, { host: '127.0.0.1', port }, signal)
  throw new Error('no socket was handed over')
}

/** Speaks to one address only; what others send to the socket is not heard. */
export function asDatagrams(socket: DatagramSocket, to: Address, signal: AbortSignal): Datagrams {
  let isOpen = true
  const end = () => {
    if (isOpen) socket.close()
    isOpen = false
    signal.removeEventListener('abort', end)
  }
  signal.addEventListener('abort', end, { once: true })
  // A refusal that came back by ICMP: packets are lost, as packets are.
  socket.on('error', () => undefined)
  if (signal.aborted) end()
  return {
    send(payload) {
      if (isOpen) socket.send(payload, to.port, to.host)
    },
    onMessage(listener) {
      socket.on('message', (payload, from) => {
        if (from.port === to.port && from.address === to.host) listener(payload)
      })
    },
    close: end,
  }
}

export interface Listeners {
  listen(
    instanceId: string,
    target: InsideTarget,
    places: Record<string, Address>,
    take: (name: string, stream: Duplex) => void,
    signal: AbortSignal,
  ): Promise<void>
  /** The instance is over: a socket that stays open would keep its network in the kernel. */
  close(instanceId: string): void
}

export function createListeners(): Listeners {
  const open = new Map<string, Set<() => void>>()
  return {
    async listen(instanceId, target, places, take, signal) {
      if (Object.keys(places).length === 0) return
      const made = await makeInside(target, { listen: places }, signal)
      const end = () => {
        for (const it of made.values()) close(it)
        open.get(instanceId)?.delete(end)
        signal.removeEventListener('abort', end)
      }
      const its = open.get(instanceId) ?? new Set()
      open.set(instanceId, its.add(end))
      for (const [name, server] of made) {
        server.on('error', end)
        if (server instanceof Server) server.on('connection', (socket) => take(name, socket))
      }
      signal.addEventListener('abort', end, { once: true })
      if (signal.aborted) end()
    },
    close(instanceId) {
      for (const end of open.get(instanceId) ?? []) end()
      open.delete(instanceId)
    },
  }
}
