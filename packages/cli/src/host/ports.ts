/** Is a port free, and if not, who has it: a port taken is explained, never silently moved. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { createServer } from 'node:net'

/** Null: free. Otherwise the error's code (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`). */
export function tryPort(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

/** Inodes of listening sockets on a port, from /proc/net/tcp's text (proc(5): state 0A listens). */
export function listeners(text: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && fields[1]?.endsWith(`:${wanted}`))
    .flatMap((fields) => (fields[9] ? [fields[9]] : []))
}

/** "nginx (process 812)", or null when it cannot be seen (another user's, or no /proc). */
export async function whoListens(port: number): Promise<string | null> {
  const texts = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  )
  const wanted = new Set(texts.flatMap((text) => listeners(text, port)).map((inode) => `socket:[${inode}]`))
  if (wanted.size === 0) return null
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue
    // Other users' processes cannot be looked into: they are passed over.
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
      if (!wanted.has(target)) continue
      const name = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '?')).trim()
      return `${name} (process ${pid})`
    }
  }
  return 'a program of another user'
}
