/** A port for a test: free now, and nobody else's until this process ends, so that it may be listened on later, also by a program. */
import { createServer } from 'node:net'
import { tryPort } from '../ports.ts'

/** Below those that the kernel gives to whoever asks for any (ip_local_port_range): those are lost as soon as they are let go. */
const FIRST = 20_000
const LAST = 32_000
const TRIED = 1_000

/** The kernel holds the claim, not a file: an abstract socket (unix(7)) goes with its process, however that ends. */
const claim = (port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const mark = createServer()
    mark.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    )
    mark.listen(`\0kalnet-test-port-${port}`, () => resolve(true))
    mark.unref()
  })

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIED; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    if ((await claim(port)) && (await tryPort('0.0.0.0', port)) === null) return port
  }
  throw new Error(`none of ${TRIED} ports was free`)
}
