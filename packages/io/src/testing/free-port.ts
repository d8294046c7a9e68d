/** A port for a test: free now, and nobody else's until this process ends, so that it may be listened on later, also by a program. */
import { tryPort } from '../ports.ts'
import { claim } from './claim.ts'

/** Below those that the kernel gives to whoever asks for any (ip_local_port_range): those are lost as soon as they are let go. */
const FIRST = 20_000
const LAST = 32_000
const TRIED = 1_000

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIED; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    if ((await claim(`port-${port}`)) && (await tryPort('0.0.0.0', port)) === null) return port
  }
  throw new Error(`none of ${TRIED} ports was free`)
}
