/**
 * A process in an instance's network that makes sockets there for us. It begins with the first wish and ends a few seconds after
 * the last: who opens a page of fifty pictures does not wait for fifty processes, and none stays behind.
 */
import { Socket as DatagramSocket } from 'node:dgram'
import { readlinkSync } from 'node:fs'
import { Server, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Address } from '@kalnet/contracts/instance'
import { start } from '@kalnet/io/spawn'

export interface InsideTarget {
  /** A process in the network. */
  pid: number
  /** As an ordinary user the network is entered together with the user namespace that owns it. */
  withUser: boolean
}

export type Wish =
  | { kind: 'connect'; port: number }
  | { kind: 'datagrams' }
  | { kind: 'listen'; places: Record<string, Address> }
export type Answer = { id: number; name: string } | { id: number; problem: string }
export type Handed = Socket | Server | DatagramSocket

interface Pending {
  wanted: number
  made: Map<string, Handed>
  settle(problem: unknown): void
}
interface Maker {
  ask(wish: Wish, signal: AbortSignal): Promise<Map<string, Handed>>
}

const MAKE = fileURLToPath(new URL('./make-inside.ts', import.meta.url))
const LIMIT_MS = 15_000
const LINGER_MS = 5_000

/** What to say of the system's codes. */
const WORDS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  EADDRINUSE: 'its place is taken',
  EACCES: 'a port below 1024 may not be taken there',
}

export const closeHanded = (it: Handed) => void (it instanceof Socket ? it.destroy() : it.close())

/** By the network itself, as the kernel names it: a process number may come again, this does not while somebody is in it. */
const makers = new Map<string, Maker>()

function createMaker(target: InsideTarget, gone: () => void): Maker {
  const user = target.withUser ? ['--user', '--preserve-credentials'] : []
  const enter = ['--target', String(target.pid), '--net', ...user]
  const child = start('nsenter', [...enter, '--', process.execPath, MAKE], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {},
  })
  const pending = new Map<number, Pending>()
  let last = 0
  let timer: NodeJS.Timeout | undefined

  const end = (problem: Error) => {
    clearTimeout(timer)
    gone()
    for (const it of [...pending.values()]) it.settle(problem)
  }
  child.once('error', end)
  child.once('exit', () => end(new Error('its network could not be entered')))
  child.on('message', (answer: Answer, handed) => {
    const it = pending.get(answer.id)
    const isSocket = handed instanceof Socket || handed instanceof Server || handed instanceof DatagramSocket
    // Nobody waits for it any more.
    if (!it) return isSocket && closeHanded(handed)
    if ('problem' in answer) return it.settle(new Error(WORDS[answer.problem] ?? answer.problem))
    if (isSocket) it.made.set(answer.name, handed)
    if (it.made.size === it.wanted) it.settle(null)
  })

  /** While nobody waits it holds nobody up, and after a while it goes. */
  function rest() {
    child.unref()
    child.channel?.unref()
    timer = setTimeout(() => {
      gone()
      if (child.connected) child.disconnect()
    }, LINGER_MS).unref()
  }

  return {
    ask(wish, signal) {
      clearTimeout(timer)
      child.ref()
      child.channel?.ref()
      const until = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
      last += 1
      const id = last
      return new Promise((resolve, reject) => {
        const made = new Map<string, Handed>()
        const onAbort = () => settle(until.reason)
        const settle = (problem: unknown) => {
          if (!pending.delete(id)) return
          until.removeEventListener('abort', onAbort)
          if (pending.size === 0) rest()
          if (problem === null) return resolve(made)
          for (const it of made.values()) closeHanded(it)
          reject(problem)
        }
        pending.set(id, {
          wanted: wish.kind === 'listen' ? Object.keys(wish.places).length : 1,
          made,
          settle,
        })
        until.addEventListener('abort', onAbort, { once: true })
        if (until.aborted) return onAbort()
        child.send({ id, wish }, (error) => error && settle(error))
      })
    },
  }
}

/** By name. All that was wished for, or it throws and nothing is left open. */
export async function makeInside(
  target: InsideTarget,
  wish: Wish,
  signal: AbortSignal,
): Promise<Map<string, Handed>> {
  signal.throwIfAborted()
  const key = readlinkSync(`/proc/${target.pid}/ns/net`)
  let maker = makers.get(key)
  if (!maker) {
    const made: Maker = createMaker(target, () => {
      if (makers.get(key) === made) makers.delete(key)
    })
    maker = made
    makers.set(key, made)
  }
  return maker.ask(wish, signal)
}
