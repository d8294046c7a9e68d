/** Connections to a pod by its own address: nothing of the cluster but its network is in between, so they live on without its API. */
import { connect, type Socket } from 'node:net'
import { connected } from '../dial-unix.ts'

const CONNECT_MS = 5_000
const KEEP_ALIVE_MS = 10_000

/** The pod itself answered that nobody listens there: the way to it is fine. */
export class NobodyListens extends Error {}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '')

export async function dialPod(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const late = AbortSignal.timeout(CONNECT_MS)
  try {
    const socket = await connected(connect({ host, port, noDelay: true }), AbortSignal.any([signal, late]))
    // A machine that died says nothing any more.
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    return socket
  } catch (error) {
    signal.throwIfAborted()
    if (codeOf(error) === 'ECONNREFUSED') throw new NobodyListens(`nobody listens on its port ${port} yet`)
    const why = late.aborted ? 'no answer' : codeOf(error)
    throw new Error(
      `its address ${host} cannot be reached from here (${why}): no route leads there, or the walls of the cluster keep us out (kubernetes.direct)`,
      { cause: error },
    )
  }
}
