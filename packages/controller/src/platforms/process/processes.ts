/** Processes of this machine as /proc tells them: who lives, who belongs to an instance, and ending all of it. */
import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import type { ProcessId } from './state.ts'

interface Stat {
  pid: number
  parent: number
  state: string
  startTime: number
}

/** proc(5): the name may hold spaces and brackets, so the fields are counted after the last bracket. */
export function parseStat(text: string): Stat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {
    pid: Number.parseInt(text, 10),
    state: fields[0] ?? '?',
    parent: Number(fields[1]),
    startTime: Number(fields[19]),
  }
}

const isGone = (error: unknown) => ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')

function statOf(pid: number): Stat | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch (error) {
    if (isGone(error)) return null
    throw error
  }
}

const isDead = (stat: Stat | null) => stat === null || stat.state === 'Z' || stat.state === 'X'

/** null when there is no such process (any more). */
export function identify(pid: number): ProcessId | null {
  const stat = statOf(pid)
  return stat && !isDead(stat) ? { pid, startTime: stat.startTime } : null
}

/** Two short reads of memory: cheap enough to ask for hundreds of instances twice a second. */
export function isAlive(it: ProcessId | null): boolean {
  if (!it) return false
  const stat = statOf(it.pid)
  return !isDead(stat) && stat?.startTime === it.startTime
}

export function parentOf(it: ProcessId): ProcessId | null {
  const stat = statOf(it.pid)
  return stat && stat.startTime === it.startTime ? identify(stat.parent) : null
}

/** All living descendants of these, and themselves. One pass over /proc. */
export async function tree(roots: (ProcessId | null)[]): Promise<ProcessId[]> {
  const living = roots.filter((it) => it !== null).filter(isAlive)
  if (living.length === 0) return []
  const children = new Map<number, Stat[]>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = statOf(Number(name))
    if (!stat || isDead(stat)) continue
    const siblings = children.get(stat.parent) ?? []
    siblings.push(stat)
    children.set(stat.parent, siblings)
  }
  const found = new Map<number, ProcessId>(living.map((it) => [it.pid, it]))
  const waiting = living.map((it) => it.pid)
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    for (const child of children.get(pid) ?? []) {
      if (found.has(child.pid)) continue
      found.set(child.pid, { pid: child.pid, startTime: child.startTime })
      waiting.push(child.pid)
    }
  }
  return [...found.values()]
}

/** Sends the signal to those that still are who they were. */
export function signalAll(processes: ProcessId[], signal: NodeJS.Signals): void {
  for (const it of processes) {
    if (!isAlive(it)) continue
    try {
      process.kill(it.pid, signal)
    } catch (error) {
      // It ended between the look and the signal.
      if (!isGone(error)) throw error
    }
  }
}

/** Process ids from the outermost namespace to its own (proc(5), NSpid). */
async function namespacePids(pid: number): Promise<number[]> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'latin1')
    return (/^NSpid:\s*(.*)$/m.exec(status)?.[1] ?? '').split(/\s+/).map(Number)
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

/** bubblewrap names its child by the number it has in bubblewrap's own namespace; which process of ours is that? */
export async function findInner(outer: ProcessId, childPid: number): Promise<ProcessId | null> {
  for (const it of await tree([outer])) {
    const pids = await namespacePids(it.pid)
    if (pids.length >= 2 && pids.at(-1) === 1 && pids.at(-2) === childPid) return it
  }
  return null
}
