/** Processes of a bench: started apart, asked by messages, weighed by what the kernel says about them. */
import type { ChildProcess } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { start } from '@kalnet/io/spawn'

export interface Program {
  pid: number
  ask<T>(request: object): Promise<T>
  stop(): Promise<void>
}
const HERE = import.meta.dirname
const ANSWER_MS = 60_000

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
  })

/** Starts a TypeScript file of this folder; it answers questions by `answer` below. */
export function startProgram(file: string, args: string[]): Program {
  const child = start(process.execPath, ['--expose-gc', join(HERE, file), ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let last = 0
  const waiting = new Map<number, (message: { value?: unknown; error?: string }) => void>()
  child.on('message', (message: { id: number; value?: unknown; error?: string }) =>
    waiting.get(message.id)?.(message),
  )
  child.once('exit', () => {
    for (const settle of waiting.values()) settle({ error: `${file} ended` })
  })
  return {
    pid: child.pid ?? 0,
    ask: <T>(request: object) =>
      new Promise<T>((resolve, reject) => {
        last += 1
        const id = last
        const settle = (message: { value?: unknown; error?: string }) => {
          clearTimeout(late)
          waiting.delete(id)
          if (message.error) reject(new Error(message.error))
          else resolve(message.value as T)
        }
        const late = setTimeout(
          () => settle({ error: `${file} did not answer ${JSON.stringify(request)}` }),
          ANSWER_MS,
        )
        waiting.set(id, settle)
        child.send({ id, ...request })
      }),
    async stop() {
      child.kill('SIGKILL')
      await ended(child)
    },
  }
}

/** A program that is not ours; its children belong to it. */
export function startPeer(command: string, args: string[]): { pid: number; stop(): Promise<void> } {
  const child = start(command, args, { stdio: ['ignore', 'ignore', 'ignore'] })
  return {
    pid: child.pid ?? 0,
    async stop() {
      const family = await familyOf(child.pid ?? 0)
      for (const pid of family.reverse()) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It ended by itself meanwhile.
        }
      }
      await ended(child)
    },
  }
}

/** In a program: answers each question; the program ends with its parent. */
export function answer<R>(work: (request: R) => Promise<unknown> | unknown): void {
  process.on('message', async (message: R & { id: number }) => {
    try {
      process.send?.({ id: message.id, value: await work(message) })
    } catch (error) {
      process.send?.({ id: message.id, error: String(error) })
    }
  })
  process.on('disconnect', () => process.exit(0))
}

const statOf = async (pid: number): Promise<string[]> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  // After the name, which may contain anything: state, parent, …
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** The process and all its descendants. */
export async function familyOf(root: number): Promise<number[]> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      parents.set(Number(name), Number((await statOf(Number(name)))[1]))
    } catch {
      // It ended while we looked.
    }
  }
  const family = [root]
  for (const member of family) for (const [pid, parent] of parents) if (parent === member) family.push(pid)
  return family
}

/**
 * CPU seconds used by these processes so far, all threads. From schedstat (nanoseconds): stat counts whole ticks of 10 ms for each
 * process, which says nothing about a hundred processes of 3 ms each.
 */
export async function cpuOf(pids: readonly number[]): Promise<number> {
  let nanoseconds = 0
  for (const pid of pids)
    for (const thread of await readdir(`/proc/${pid}/task`)) {
      try {
        nanoseconds += Number((await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')).split(' ')[0])
      } catch {
        // A thread that ended while we looked.
      }
    }
  return nanoseconds / 1e9
}

/** Bytes of memory that are these processes' own part (PSS). */
export async function memoryOf(pids: readonly number[]): Promise<number> {
  let kib = 0
  for (const pid of pids) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
    kib += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0)
  }
  return kib * 1024
}
