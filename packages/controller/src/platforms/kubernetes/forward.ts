/** Connections to ports of a pod through the API: what ends on its loopback, so that no address and no wall is in between. */
import type { Duplex } from 'node:stream'
import type { Handle } from '../platform.ts'
import type { Api } from './api.ts'
import { paths } from './names.ts'

/** Data and errors of the one port; each begins with its number, two bytes. */
const [DATA, ERRORS] = [0, 1]
const NUMBER_BYTES = 2
/** What is said about a port where nobody listens comes with the first bytes or never: a moment is waited for it. */
const REFUSAL_MS = 40

export async function forward(api: Api, handle: Handle, port: number, signal: AbortSignal): Promise<Duplex> {
  const path = `${paths.pod(String(handle.data.namespace), String(handle.data.pod))}/portforward`
  const channels = await api.channels(path, { ports: port }, ['v4.channel.k8s.io'], signal)
  const stream = channels.stream(DATA, DATA, NUMBER_BYTES)
  let skipped = 0
  const refused = new Promise<string>((resolve) =>
    channels.onMessage((channel, payload) => {
      if (channel !== ERRORS) return
      // The first message of the channel is the port alone.
      const text = payload.subarray(skipped === 0 ? NUMBER_BYTES : 0).toString('utf8')
      skipped += 1
      if (text) resolve(text)
    }),
  )
  const problem = await Promise.race([
    refused,
    channels.closed.then(() => 'it closed the connection'),
    new Promise<null>((resolve) => setTimeout(() => resolve(null), REFUSAL_MS)),
    new Promise<null>((resolve) => stream.once('readable', () => resolve(null))),
  ])
  if (problem !== null) {
    stream.on('error', () => undefined)
    stream.destroy()
    const isNobody = /connection refused/i.test(problem)
    throw new Error(
      isNobody ? `nobody listens on its port ${port} yet` : `its port ${port}: ${problem.slice(0, 200)}`,
    )
  }
  void refused.then((text) => stream.destroy(new Error(text.slice(0, 200))))
  return stream
}
