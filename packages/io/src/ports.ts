/** Is a port free, and if not, who has it and which one near it is: a port taken is explained, never silently moved. */
import { createSocket } from 'node:dgram'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { fail, type KalnetError } from '@kalnet/contracts/errors'

export type PortKind = 'tcp' | 'udp'

function tryUdp(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4' })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message)
      socket.close()
    })
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(null)))
  })
}

/** Null: free. Otherwise the error's code (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`). */
export function tryPort(host: string, port: number, kind: PortKind = 'tcp'): Promise<string | null> {
  if (kind === 'udp') return tryUdp(host, port)
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

/** proc(5), the kernel's tcp_states.h: 0A listens; 07 is what it writes for a UDP socket without a peer. */
const WAITING = { tcp: '0A', udp: '07' } as const

/** Inodes of sockets that wait on a port, from the text of /proc/net/tcp or udp. */
export function listeners(text: string, port: number, kind: PortKind = 'tcp'): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === WAITING[kind] && fields[1]?.endsWith(`:${wanted}`))
    .flatMap((fields) => (fields[9] ? [fields[9]] : []))
}

export interface Holder {
  name: string
  pid: number
}

/** The program that waits on a port; 'hidden' when it is another user's, null when nobody does (or this machine has no /proc). */
export async function holderOf(port: number, kind: PortKind = 'tcp'): Promise<Holder | 'hidden' | null> {
  const texts = await Promise.all(
    [`/proc/net/${kind}`, `/proc/net/${kind}6`].map((path) => readFile(path, 'utf8').catch(() => '')),
  )
  const inodes = texts.flatMap((text) => listeners(text, port, kind))
  const wanted = new Set(inodes.map((inode) => `socket:[${inode}]`))
  if (wanted.size === 0) return null
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue
    // Other users' processes cannot be looked into: they are passed over.
    for (const fd of await readdir(`/proc/${name}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${name}/fd/${fd}`).catch(() => '')
      if (!wanted.has(target)) continue
      const program = (await readFile(`/proc/${name}/comm`, 'utf8').catch(() => '?')).trim()
      return { name: program, pid: Number(name) }
    }
  }
  return 'hidden'
}

/** "nginx (process 812)", or null when nobody is seen. */
export async function whoListens(port: number, kind: PortKind = 'tcp'): Promise<string | null> {
  const holder = await holderOf(port, kind)
  if (holder === 'hidden') return 'a program of another user'
  return holder && `${holder.name} (process ${holder.pid})`
}

const TRIED = 200
/** Below it only root may listen, on most machines. */
const FIRST_OF_ALL = 1024
const LAST = 65_535

/** The next one that is free on the address: 80 → 81 for who may, else 8080. Null when none is near. */
export async function freePortNear(
  host: string,
  port: number,
  kind: PortKind = 'tcp',
  but: readonly number[] = [],
): Promise<number | null> {
  const mayLow = port >= FIRST_OF_ALL || process.getuid?.() === 0
  const first = mayLow ? port + 1 : port + 8000
  for (let next = first; next <= Math.min(first + TRIED, LAST); next += 1)
    if (!but.includes(next) && (await tryPort(host, next, kind)) === null) return next
  return null
}

/** The error to tell, with who holds the port and a free one; null when it is free, or cannot be had for another reason. */
export async function portTaken(
  host: string,
  port: number,
  kind: PortKind = 'tcp',
): Promise<KalnetError | null> {
  if ((await tryPort(host, port, kind)) !== 'EADDRINUSE') return null
  const [holder, free] = await Promise.all([whoListens(port, kind), freePortNear(host, port, kind)])
  return fail('port.taken', {
    port: kind === 'udp' ? `${port} (UDP)` : port,
    holder: holder ?? 'another program',
    free: free ?? 'none near it',
  })
}
