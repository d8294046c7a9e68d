/** User numbers for sessions, where root runs us: one each, that nobody on this machine has. */
import { readdir, stat } from 'node:fs/promises'
import { readIfThere } from '@kalnet/io/files'

const FIRST = 200_000
/** Far above what machines hand out to people and their namespaces. */
const LAST = 1_000_000_000

/** A number of a session or a service; below are people's and the machine's own. */
export const isAccount = (uid: number): boolean => uid >= FIRST

interface NumberRange {
  first: number
  count: number
}

/** `name:first:count` lines (subuid(5)): these numbers may be taken by ordinary users' namespaces. */
export const parseSubordinates = (text: string): NumberRange[] =>
  text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length === 3)
    .map((fields) => ({ first: Number(fields[1]), count: Number(fields[2]) }))

/** The lowest number that is neither taken nor somebody's subordinate. */
export function freeAccount(taken: ReadonlySet<number>, reserved: NumberRange[]): number {
  for (let uid = FIRST; uid < LAST; uid += 1) {
    const inRange = reserved.find((it) => uid >= it.first && uid < it.first + it.count)
    if (inRange) uid = inRange.first + inRange.count - 1
    else if (!taken.has(uid)) return uid
  }
  throw new Error('no user number is free for another session')
}

/** Numbers that living processes have: another installation's sessions, too. */
async function inUse(): Promise<number[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const owners = await Promise.all(
    names.map((name) =>
      stat(`/proc/${name}`).then(
        (it) => it.uid,
        // It ended while we looked.
        () => 0,
      ),
    ),
  )
  return owners.filter((uid) => uid >= FIRST)
}

export async function chooseAccount(taken: number[]): Promise<number> {
  const reserved = [
    ...parseSubordinates((await readIfThere('/etc/subuid')) ?? ''),
    ...parseSubordinates((await readIfThere('/etc/subgid')) ?? ''),
  ]
  return freeAccount(new Set([...taken, ...(await inUse())]), reserved)
}
