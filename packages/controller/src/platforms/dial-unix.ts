/**
 * Connects to a unix socket that an instance made in the folder it shares with us, without trusting it:
 * a link planted there could lead to any socket of this machine, so the name is opened without following
 * links, checked to be a socket, and connected to by its descriptor. This also lifts the 107 byte limit of socket paths.
 */
import { close, constants, fstat, open } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** open(2), Linux; not among Node's constants. */
const O_PATH = 0o10000000

const openFile = promisify(open)
const statFile = promisify(fstat)
const closeFile = promisify(close)

/** `name` is one path segment. Rejects when nothing listens there (yet). */
export async function dialUnix(folder: string, name: string, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted()
  if (name.includes('/') || name === '..') throw new Error('a socket name is one path segment')
  const descriptor = await openFile(join(folder, name), O_PATH | constants.O_NOFOLLOW)
  try {
    if (!(await statFile(descriptor)).isSocket()) throw new Error(`${name} is not a socket`)
    return await connected(connect({ path: `/proc/self/fd/${descriptor}` }), signal)
  } finally {
    await closeFile(descriptor)
  }
}

/** Resolves when the socket is connected; destroys it on failure or abort. */
export function connected(socket: Socket, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError)
      socket.off('connect', onConnect)
      finish()
    }
    const onAbort = () => settle(() => reject(socket.destroy() && signal.reason))
    const onError = (error: Error) => settle(() => reject(error))
    const onConnect = () => settle(() => resolve(socket))
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', onError)
    socket.once('connect', onConnect)
    if (signal.aborted) onAbort()
  })
}
